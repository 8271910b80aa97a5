internal import WeftCore
internal import WeftProxy
internal import WeftTransport

/// Requests and what is spoken. Bounded by `RequestMetrics.seriesMax`.
extension Metrics {
    func requests(_ out: inout PrometheusText) {
        let rows = requestTotals.rows(by: \.named).sorted { $0.key < $1.key }
        out.family("weft_requests_total", .counter, help: "Requests, as their clients saw them.")
        for (series, row) in rows { outcomes(of: row.effective, in: series, named: "weft_requests_total", &out) }
        out.family("weft_request_tries_total", .counter, help: "Tries of requests at endpoints, retries included.")
        for (series, row) in rows { outcomes(of: row.actual, in: series, named: "weft_request_tries_total", &out) }
        out.family("weft_request_seconds", .histogram, help: "Time to the head of the response.")
        for (series, row) in rows {
            let labels = Self.labels(of: series)
            var total: UInt64 = 0
            for (bound, count) in zip(LatencyScale.bounds + [.max], row.effective.buckets) {
                total += count
                let edge = bound == .max ? "+Inf" : "\(Double(bound) / 1_000_000)"
                out.sample("weft_request_seconds_bucket", labels + [("le", edge)], Double(total))
            }
            out.sample("weft_request_seconds_sum", labels, Double(row.effective.microseconds) / 1_000_000)
            out.sample("weft_request_seconds_count", labels, Double(total))
        }
        out.family("weft_request_body_bytes_total", .counter, help: "Bytes of bodies, seen from the client.")
        for (series, row) in rows {
            let labels = Self.labels(of: series)
            out.sample("weft_request_body_bytes_total", labels + [("direction", "out")], Double(row.effective.bytesOut))
            out.sample("weft_request_body_bytes_total", labels + [("direction", "in")], Double(row.effective.bytesIn))
        }
        out.single(
            "weft_requests_folded_total",
            .counter,
            help: "Requests counted as other because there are too many pairs.",
            Double(requestTotals.folded)
        )
        out.family(
            "weft_retries_total",
            .counter,
            help: "Retries that were asked for, and whether the budget had room."
        )
        out.sample("weft_retries_total", ["verdict": "granted"], Double(retries.granted))
        out.sample("weft_retries_total", ["verdict": "refused"], Double(retries.refused))
        detection(&out)
        reported(&out)
    }

    private func outcomes(
        of tally: RequestTally,
        in series: RequestSeries,
        named name: String,
        _ out: inout PrometheusText
    ) {
        for (response, flag, count) in tally.counts {
            let outcome = [("response", response.rawValue), ("flag", flag?.rawValue ?? "")]
            out.sample(name, Self.labels(of: series) + outcome, Double(count))
        }
    }

    private static func labels(of series: RequestSeries) -> [(String, String)] {
        [
            ("source", series.source), ("source_tenant", series.sourceTenant), ("destination", series.destination),
            ("service", series.service), ("protocol", series.kind.rawValue),
            ("perspective", series.perspective.rawValue),
        ]
    }

    private func reported(_ out: inout PrometheusText) {
        guard let spans else { return }
        out.family("weft_spans_total", .counter, help: "Spans of requests, by what became of them.")
        for (result, count) in [("sent", spans.sent), ("refused", spans.refused), ("dropped", spans.dropped)] {
            out.sample("weft_spans_total", ["result": result], Double(count))
        }
    }

    private func detection(_ out: inout PrometheusText) {
        out.family("weft_detections_total", .counter, help: "Connections by what is spoken, and what told.")
        let kinds = detections.kinds.sorted {
            ($0.key.found, $0.key.reason.rawValue) < ($1.key.found, $1.key.reason.rawValue)
        }
        for (kind, count) in kinds {
            let labels = [("protocol", kind.found), ("reason", kind.reason.rawValue)]
            out.sample("weft_detections_total", labels, Double(count))
        }
        out.histogram(
            "weft_detection_seconds",
            help: "Time from a client's first byte until it was known what is spoken.",
            bounds: DetectionCounters.bounds.map(\.inSeconds),
            counts: detections.buckets,
            sum: detections.total.inSeconds
        )
    }
}

internal import WeftCore
internal import WeftProxy

/// Istio's standard metrics (istio.io, "Istio Standard Metrics"), for dashboards and alerts that were made for them.
///
/// Where weft counts otherwise: a request's duration ends with the head of the response, and is told without code and
/// flags; bytes are those of ended connections. Hosts are no label of Istio's, so endpoints of a service are one.
extension Metrics {
    func istioFamilies(_ out: inout PrometheusText) {
        istioRequests(&out)
        istioConnections(&out)
    }

    // MARK: Requests

    private func istioRequests(_ out: inout PrometheusText) {
        let rows = sorted(requestTotals.rows(by: IstioLabels.init).mapValues(\.effective))
        out.family("istio_requests_total", .counter, help: "Requests, by Istio's name.")
        for (labels, tally) in rows {
            for (code, flags, count) in Self.responses(tally) {
                out.sample("istio_requests_total", labels.pairs(with: Self.response(code, flags)), Double(count))
            }
        }
        out.family(
            "istio_request_duration_milliseconds",
            .histogram,
            help: "Time to the head of the response, by Istio's name."
        )
        for (labels, tally) in rows { duration(of: tally, labels.pairs(), &out) }
    }

    /// Those without a flag by their exact codes, the others by what the flag says of them.
    private static func responses(_ tally: RequestTally) -> [(ResponseCode, flags: String, count: UInt64)] {
        let flagged = tally.counts.compactMap { response, flag, count in
            flag.map { (ResponseCode(of: $0, seenAs: response), $0.envoyFlag, count) }
        }
        // Several flags of weft's are one of Envoy's.
        var sums: [(ResponseCode, flags: String, count: UInt64)] = tally.codes.map { ($0.code, "-", $0.count) }
        for (code, flags, count) in flagged {
            if let place = sums.firstIndex(where: { $0.0 == code && $0.flags == flags }) {
                sums[place].count += count
            } else {
                sums.append((code, flags, count))
            }
        }
        return sums
    }

    private static func response(_ code: ResponseCode, _ flags: String) -> [(String, String)] {
        let grpc = code.grpc.map { [("grpc_response_status", "\($0)")] } ?? []
        return [("response_code", code.http)] + grpc + [("response_flags", flags)]
    }

    /// In Istio's buckets, which are all of weft's but one.
    private func duration(of tally: RequestTally, _ labels: [(String, String)], _ out: inout PrometheusText) {
        let name = "istio_request_duration_milliseconds"
        var total: UInt64 = 0
        for (bound, count) in zip(LatencyScale.bounds + [.max], tally.buckets) {
            total += count
            guard bound != 2500 else { continue }
            let edge = bound == .max ? "+Inf" : bound == 500 ? "0.5" : "\(bound / 1000)"
            out.sample("\(name)_bucket", labels + [("le", edge)], Double(total))
        }
        out.sample("\(name)_sum", labels, Double(tally.microseconds) / 1000)
        out.sample("\(name)_count", labels, Double(total))
    }

    // MARK: Connections

    /// Without those that were carried request by request, as in Istio.
    private func istioConnections(_ out: inout PrometheusText) {
        var sums: [IstioLabels: PairCounters] = [:]
        for (pair, counted) in counters.pairs {
            for reporter in pair.path.reporters {
                sums[IstioLabels(pair, reporter: reporter), default: .init()].merge(counted)
            }
        }
        let rows = sorted(sums.filter { $0.value.plainOpened > 0 })
        func family(_ name: String, _ help: String, _ value: (PairCounters) -> UInt64) {
            out.family(name, .counter, help: help)
            for (labels, counted) in rows {
                out.sample(name, labels.pairs(with: [("response_flags", "-")]), Double(value(counted)))
            }
        }
        family("istio_tcp_connections_opened_total", "Connections opened, by Istio's name.", \.plainOpened)
        family("istio_tcp_connections_closed_total", "Connections ended, by Istio's name.") {
            $0.total - $0.withRequests.ended
        }
        family("istio_tcp_sent_bytes_total", "Bytes to the client, ended connections, by Istio's name.") {
            $0.bytesIn - $0.withRequests.bytesIn
        }
        family("istio_tcp_received_bytes_total", "Bytes from the client, ended connections, by Istio's name.") {
            $0.bytesOut - $0.withRequests.bytesOut
        }
    }

    /// So that the output is the same each time.
    private func sorted<Value>(_ rows: [IstioLabels: Value]) -> [(IstioLabels, Value)] {
        rows.map { ($0.key, $0.value, $0.key.pairs().map(\.1)) }
            .sorted { $0.2.lexicographicallyPrecedes($1.2) }
            .map { ($0.0, $0.1) }
    }
}

extension PairCounters {
    /// Connections carried as bytes, those that are open included.
    fileprivate var plainOpened: UInt64 {
        let all = total + UInt64(max(0, open))
        return all - min(all, withRequests.began)
    }
}

extension Path {
    /// Who of the two ends this host speaks for.
    fileprivate var reporters: [String] {
        switch self {
        case .outside, .peer: ["source"]
        case .inbound: ["destination"]
        case .local: ["source", "destination"]
        }
    }
}

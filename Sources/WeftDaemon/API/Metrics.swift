internal import WeftAPI
internal import WeftCore
internal import WeftHost
internal import WeftProxy
internal import WeftTransport

/// Everything that `/metrics` says, from one look at the counters.
struct Metrics {
    let counters: TrafficCounters
    let requestTotals: RequestTotals
    let detections: DetectionCounters
    let retries: (granted: UInt64, refused: UInt64)
    let capture: CaptureStatus
    let services: Int
    let usage: ProcessStatistics
    let conntrack: (count: Int, max: Int)?
    /// Nil while this host takes part in no mesh.
    let gossip: GossipReport?
    let catalogue: CatalogueReport
    let tunnels: TunnelReport
    let join: JoinServerCounters
    let identity: IdentityReport
    /// Of this host.
    let certificates: [CertificateRow]
    let uptime: Duration
    /// Whether Istio's names are given as well.
    var istio = false
    /// Nil while spans were never asked for.
    var spans: SpanCounts?

    var text: String {
        var out = PrometheusText()
        connections(&out)
        pairs(&out)
        requests(&out)
        if istio { istioFamilies(&out) }
        host(&out)
        mesh(&out)
        identities(&out)
        process(&out)
        return out.text
    }

    private func connections(_ out: inout PrometheusText) {
        out.single(
            "weft_connections_total",
            .counter,
            help: "Captured connections accepted.",
            Double(counters.accepted)
        )
        out.single("weft_connections_open", .gauge, help: "Captured connections open now.", Double(counters.open))
        out.family("weft_connections_ended_total", .counter, help: "Connections ended, by how and on whose side.")
        let endings = counters.endings.sorted {
            ($0.key.ending.rawValue, $0.key.side.rawValue) < ($1.key.ending.rawValue, $1.key.side.rawValue)
        }
        for (outcome, count) in endings {
            out.sample(
                "weft_connections_ended_total",
                ["ending": outcome.ending.rawValue, "side": outcome.side.rawValue],
                Double(count)
            )
        }
        out.family("weft_bytes_total", .counter, help: "Payload bytes of ended connections, seen from the client.")
        out.sample("weft_bytes_total", ["direction": "out"], Double(counters.bytesOut))
        out.sample("weft_bytes_total", ["direction": "in"], Double(counters.bytesIn))
        out.single(
            "weft_attribution_misses_total",
            .counter,
            help: "Outbound connections whose owner the kernel could not name.",
            Double(counters.attributionMisses)
        )
        out.family(
            "weft_attribution_seconds",
            .summary,
            help: "Time of the kernel look-ups that name a socket's owner."
        )
        out.sample("weft_attribution_seconds_sum", [:], counters.attributionTime.inSeconds)
        out.sample("weft_attribution_seconds_count", [:], Double(counters.attributions))
        out.single(
            "weft_accept_pauses_total",
            .counter,
            help: "Times that accepting stopped at the connection or descriptor limit.",
            Double(counters.acceptPauses)
        )
    }

    /// Bounded by `TrafficCounters.pairsMax`.
    private func pairs(_ out: inout PrometheusText) {
        let pairs = counters.pairs.sorted {
            ($0.key.source, $0.key.tenant, $0.key.destination, $0.key.path.rawValue)
                < ($1.key.source, $1.key.tenant, $1.key.destination, $1.key.path.rawValue)
        }
        func family(
            _ name: String,
            _ kind: PrometheusText.Kind,
            _ help: String,
            _ value: (PairCounters) -> Double
        ) {
            out.family(name, kind, help: help)
            for (pair, counted) in pairs {
                out.sample(
                    name,
                    [
                        "source": pair.source, "tenant": pair.tenant, "destination": pair.destination,
                        "path": pair.path.rawValue,
                    ],
                    value(counted)
                )
            }
        }
        family("weft_pair_connections_total", .counter, "Ended connections of a pair.") { Double($0.total) }
        family("weft_pair_connections_failed_total", .counter, "Failed connections of a pair.") { Double($0.failed) }
        family("weft_pair_connections_open", .gauge, "Open connections of a pair.") { Double($0.open) }
        family("weft_pair_bytes_out_total", .counter, "Bytes from the source, ended connections.") {
            Double($0.bytesOut)
        }
        family("weft_pair_bytes_in_total", .counter, "Bytes to the source, ended connections.") { Double($0.bytesIn) }
    }

    private func host(_ out: inout PrometheusText) {
        out.family("weft_capture_state", .gauge, help: "1 for the state that capture is in.")
        for state in [CaptureStatus.State.on, .off, .failed] {
            out.sample("weft_capture_state", ["state": state.rawValue], capture.state == state ? 1 : 0)
        }
        out.single("weft_capture_rules", .gauge, help: "Rules in weft's tables.", Double(capture.rules))
        out.single("weft_services", .gauge, help: "Service ports found on this host.", Double(services))
        if let conntrack {
            out.single("weft_conntrack_entries", .gauge, help: "Connections tracked.", Double(conntrack.count))
            out.single(
                "weft_conntrack_entries_max",
                .gauge,
                help: "Connections that can be tracked.",
                Double(conntrack.max)
            )
        }
    }

    private func process(_ out: inout PrometheusText) {
        out.single(
            "process_resident_memory_bytes",
            .gauge,
            help: "Resident memory of weftd.",
            Double(usage.residentBytes)
        )
        out.single(
            "process_cpu_seconds_total",
            .counter,
            help: "User and system time of weftd.",
            usage.cpuTime.inSeconds
        )
        out.single("process_open_fds", .gauge, help: "Open descriptors of weftd.", Double(usage.openDescriptors))
        out.single("weft_uptime_seconds", .gauge, help: "Time since weftd started.", uptime.inSeconds)
        out.family("weft_build_info", .gauge, help: "1, with the version.")
        out.sample("weft_build_info", ["version": weftVersion], 1)
    }
}

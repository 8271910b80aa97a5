internal import WeftAPI
internal import WeftCore
internal import WeftProxy
internal import WeftTransport

/// Tunnels, the join service, and certificates.
extension Metrics {
    func identities(_ out: inout PrometheusText) {
        out.family(
            "weft_connections_security_total",
            .counter,
            help: "Connections ended, by their way and protection."
        )
        let securities = counters.securities.sorted {
            ($0.key.path.rawValue, $0.key.security.rawValue) < ($1.key.path.rawValue, $1.key.security.rawValue)
        }
        for (kind, count) in securities {
            out.sample(
                "weft_connections_security_total",
                ["path": kind.path.rawValue, "security": kind.security.rawValue],
                Double(count)
            )
        }
        gauges(&out)
        handshakes(&out)
        pools(&out)
        joins(&out)
        authority(&out)
        expiry(&out)
    }

    private func gauges(_ out: inout PrometheusText) {
        out.family("weft_tunnels_open", .gauge, help: "Tunnels that stand, by who opened them.")
        out.sample("weft_tunnels_open", ["direction": "out"], Double(tunnels.outboundTunnels))
        out.sample("weft_tunnels_open", ["direction": "in"], Double(tunnels.inboundTunnels))
        out.family("weft_tunnel_streams_open", .gauge, help: "Connections in tunnels.")
        out.sample("weft_tunnel_streams_open", ["direction": "out"], Double(tunnels.outboundStreams))
        out.sample("weft_tunnel_streams_open", ["direction": "in"], Double(tunnels.inboundStreams))
    }

    private func handshakes(_ out: inout PrometheusText) {
        out.family("weft_tunnel_handshakes_total", .counter, help: "Tunnels that came to stand.")
        out.sample("weft_tunnel_handshakes_total", ["direction": "out"], Double(tunnels.outbound.handshakes))
        out.sample("weft_tunnel_handshakes_total", ["direction": "in"], Double(tunnels.inbound.handshakes))
        out.family(
            "weft_tunnel_failures_total",
            .counter,
            help: "Streams not opened (out) and ends of tunnels (in), by reason."
        )
        for (direction, failures) in [("in", tunnels.inbound.failures), ("out", tunnels.outbound.failures)] {
            for (reason, count) in failures.sorted(by: { $0.key < $1.key }) {
                out.sample(
                    "weft_tunnel_failures_total",
                    ["direction": direction, "reason": reason],
                    Double(count)
                )
            }
        }
        out.family("weft_tunnel_refusals_total", .counter, help: "Streams refused before any dial, by status.")
        for (status, count) in tunnels.inbound.refusals.sorted(by: { $0.key < $1.key }) {
            out.sample("weft_tunnel_refusals_total", ["status": "\(status)"], Double(count))
        }
    }

    private func pools(_ out: inout PrometheusText) {
        let totals: KeyValuePairs = [
            "weft_tunnel_accepted_total": ("Clients that began TLS.", tunnels.inbound.accepted),
            "weft_tunnel_streams_served_total": ("Streams that other hosts asked for.", tunnels.inbound.streams),
            "weft_tunnel_opens_total": ("Streams that this host asked for.", tunnels.outbound.opens),
            "weft_tunnel_pool_hits_total": ("Of these, those that found a tunnel ready.", tunnels.outbound.hits),
            "weft_tunnel_dials_total": ("Tunnels begun.", tunnels.outbound.dials),
            "weft_tunnel_retries_total": ("Streams asked for a second time.", tunnels.outbound.retries),
        ]
        for (name, (help, count)) in totals { out.single(name, .counter, help: help, Double(count)) }
    }

    private func joins(_ out: inout PrometheusText) {
        out.single(
            "weft_join_exchanges_total",
            .counter,
            help: "Connections to the join service.",
            Double(join.exchanges)
        )
        out.single(
            "weft_join_turned_away_total",
            .counter,
            help: "Connections to the join service that found no place.",
            Double(join.turnedAway)
        )
        out.family("weft_join_failures_total", .counter, help: "Exchanges without an answer, by reason.")
        for (reason, count) in join.failures.sorted(by: { $0.key < $1.key }) {
            out.sample("weft_join_failures_total", ["reason": reason], Double(count))
        }
    }

    private func authority(_ out: inout PrometheusText) {
        out.family(
            "weft_identity_requests_total",
            .counter,
            help: "Joins and renewals by what became of them."
        )
        for (outcome, count) in identity.outcomes.sorted(by: { $0.key < $1.key }) {
            out.sample("weft_identity_requests_total", ["outcome": outcome], Double(count))
        }
        out.single(
            "weft_authority",
            .gauge,
            help: "1 on hosts that hold the authority of the mesh.",
            identity.isHolder ? 1 : 0
        )
        guard let version = identity.bundleVersion else { return }
        out.single("weft_trust_version", .gauge, help: "Version of the trust bundle.", Double(version))
    }

    private func expiry(_ out: inout PrometheusText) {
        out.family("weft_certificate_seconds_left", .gauge, help: "Time until a certificate of this host ends.")
        for row in certificates {
            out.sample(
                "weft_certificate_seconds_left",
                ["kind": row.kind.rawValue, "identity": row.identity],
                row.leftSeconds
            )
        }
    }
}

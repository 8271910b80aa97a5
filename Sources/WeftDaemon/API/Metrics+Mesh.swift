internal import WeftCore
internal import WeftGossip
internal import WeftTransport

/// Membership, gossip and the catalogue.
extension Metrics {
    func mesh(_ out: inout PrometheusText) {
        out.single(
            "weft_catalogue_records",
            .gauge,
            help: "Records of other hosts' services, removed ones included.",
            Double(catalogue.records)
        )
        out.single(
            "weft_catalogue_endpoints",
            .gauge,
            help: "Endpoints on other hosts that connections may go to.",
            Double(catalogue.endpoints)
        )
        out.family("weft_catalogue_refused_total", .counter, help: "Statements of others not believed, by reason.")
        for (reason, count) in catalogue.refusals.sorted(by: { $0.key < $1.key }) {
            out.sample("weft_catalogue_refused_total", ["reason": reason], Double(count))
        }
        guard let gossip else { return }
        members(gossip.gauges, &out)
        traffic(gossip, &out)
        detection(gossip, &out)
    }

    private func members(_ gauges: GossipGauges, _ out: inout PrometheusText) {
        out.family("weft_members", .gauge, help: "Hosts of the mesh by state, this one included.")
        for state in Member.State.allCases {
            out.sample("weft_members", ["state": state.rawValue], Double(gauges.members[state, default: 0]))
        }
        out.family("weft_gossip_queue_depth", .gauge, help: "Messages that wait to be spread, by kind.")
        let queues: KeyValuePairs = [
            "membership": gauges.queuedMemberships, "intent": gauges.queuedIntents, "query": gauges.queuedQueries,
            "event": gauges.queuedEvents,
        ]
        for (kind, count) in queues { out.sample("weft_gossip_queue_depth", ["kind": kind], Double(count)) }
        out.family("weft_gossip_clock", .gauge, help: "Lamport clocks; equal on all hosts once news has spread.")
        let clocks: KeyValuePairs = [
            "member": gauges.memberClock, "event": gauges.eventClock, "query": gauges.queryClock,
        ]
        for (kind, clock) in clocks { out.sample("weft_gossip_clock", ["clock": kind], Double(clock.value)) }
        out.single("weft_gossip_streams_open", .gauge, help: "TCP exchanges under way.", Double(gauges.openStreams))
    }

    private func traffic(_ report: GossipReport, _ out: inout PrometheusText) {
        let counters = report.counters
        out.family("weft_gossip_bytes_total", .counter, help: "Bytes of gossip, without IP, UDP and TCP headers.")
        out.sample("weft_gossip_bytes_total", ["direction": "in"], Double(counters.bytesIn))
        out.sample("weft_gossip_bytes_total", ["direction": "out"], Double(counters.bytesOut))
        out.family("weft_gossip_datagrams_total", .counter, help: "Datagrams of gossip.")
        out.sample("weft_gossip_datagrams_total", ["direction": "in"], Double(counters.datagramsIn))
        out.sample("weft_gossip_datagrams_total", ["direction": "out"], Double(counters.datagramsOut))
        out.family("weft_gossip_messages_total", .counter, help: "Messages of gossip by type.")
        for (direction, counts) in [("in", counters.messagesIn), ("out", counters.messagesOut)] {
            for (kind, count) in counts.all {
                out.sample(
                    "weft_gossip_messages_total",
                    ["direction": direction, "type": kind.rawValue],
                    Double(count)
                )
            }
        }
        out.family("weft_gossip_drops_total", .counter, help: "What was received and not used, by reason.")
        for (error, count) in counters.wireDrops.all where count > 0 {
            out.sample("weft_gossip_drops_total", ["reason": error.rawValue], Double(count))
        }
        for (reason, count) in counters.drops.all where count > 0 {
            out.sample("weft_gossip_drops_total", ["reason": reason.rawValue], Double(count))
        }
        out.sample("weft_gossip_drops_total", ["reason": "not_sent"], Double(report.sendDrops))
    }

    private func detection(_ report: GossipReport, _ out: inout PrometheusText) {
        let counters = report.counters
        out.single(
            "weft_gossip_health_score",
            .gauge,
            help: "0 when this host keeps up with its own probes; more slows them down.",
            Double(report.gauges.healthScore)
        )
        out.histogram(
            "weft_gossip_probe_seconds",
            help: "Round trips of answered probes.",
            bounds: RoundTripHistogram.bounds,
            counts: counters.probeRoundTrips.counts,
            sum: counters.probeRoundTrips.sum
        )
        let totals: KeyValuePairs = [
            "weft_gossip_probes_failed_total": ("Probes without any sign of life.", counters.failedProbes),
            "weft_gossip_suspicions_total": ("Hosts that came under suspicion here.", counters.suspicions),
            "weft_gossip_refutations_total": ("Times this host defended itself.", counters.refutations),
            "weft_gossip_deaths_declared_total": ("Hosts that this one declared failed.", counters.deathsDeclared),
            "weft_gossip_exchanges_started_total": ("Exchanges of states begun here.", counters.pushPullsStarted),
            "weft_gossip_exchanges_served_total": ("Exchanges of states begun elsewhere.", counters.pushPullsServed),
        ]
        for (name, (help, count)) in totals { out.single(name, .counter, help: help, Double(count)) }
    }
}

import Testing
import WeftAPI
import WeftCore
import WeftGossip
import WeftProxy

@testable import WeftDaemon
@testable import WeftHost
@testable import WeftTransport

@Suite("Metrics")
struct MetricsTests {
    private static let usage = ProcessStatistics(
        residentBytes: 25_000_000,
        cpuTime: .milliseconds(1500),
        openDescriptors: 77,
        descriptorsMax: 1024
    )

    private static var tunnels: TunnelReport {
        var report = TunnelReport()
        report.inbound.failures = ["unknown-authority": 2]
        report.inbound.refusals = [503: 1]
        report.outbound.hits = 4
        report.outboundTunnels = 1
        return report
    }

    private static var detections: DetectionCounters {
        var detections = DetectionCounters()
        detections.count(Detection(.opaque, by: .serverFirst, after: .milliseconds(2)))
        return detections
    }

    static func metrics(
        _ counters: TrafficCounters,
        capture: CaptureStatus.State = .on,
        conntrack: (count: Int, max: Int)? = (12, 262_144),
        gossip: GossipReport? = nil,
        requests: RequestTotals = RequestTotals(),
        istio: Bool = false
    ) -> Metrics {
        Metrics(
            counters: counters,
            requestTotals: requests,
            detections: detections,
            retries: (granted: 2, refused: 1),
            capture: CaptureStatus(state: capture, scope: "all", rules: 42, degraded: [], error: nil),
            services: 3,
            usage: usage,
            conntrack: conntrack,
            gossip: gossip,
            catalogue: CatalogueReport(records: 5, endpoints: 4, refusals: ["future-version": 1]),
            tunnels: tunnels,
            join: JoinServerCounters(),
            identity: IdentityReport(
                outcomes: ["join-granted": 1],
                intermediateLeft: nil,
                leavesLeft: [:],
                bundleVersion: 3,
                isHolder: true,
                poolMode: nil
            ),
            certificates: [],
            uptime: .milliseconds(2500),
            istio: istio
        )
    }

    private static func pair(_ source: String, _ path: Path = .outside) -> TrafficPair {
        TrafficPair(source: source, tenant: "system", destination: "api", path: path)
    }

    @Test("Requests: a counter for each outcome, cumulative buckets in seconds, and tries apart from what clients saw")
    func requests() {
        var loop = RequestMetrics()
        let series = RequestSeries(
            source: "web",
            sourceTenant: "system",
            destination: "b",
            service: "api",
            kind: .http1,
            perspective: .caller
        )
        let id = loop.id(of: series)
        for (response, latency) in [(ResponseClass.success, 1), (.success, 30), (.clientError, 2)] {
            let time = Duration.milliseconds(latency)
            loop.record(RequestRecord(response: response, latency: time, lastAttempt: time), in: id)
        }
        loop.record(RequestRecord(response: .serverError, flag: .noEndpoint, latency: .zero, lastAttempt: nil), in: id)
        var totals = RequestTotals()
        totals.add(loop.takeDelta())
        let lines = Set(Self.metrics(TrafficCounters(), requests: totals).text.split(separator: "\n").map(String.init))
        let labels =
            #"source="web",source_tenant="system",destination="b",service="api",protocol="http/1.1",perspective="caller""#
        for line in [
            #"weft_requests_total{\#(labels),response="2xx",flag=""} 2"#,
            #"weft_requests_total{\#(labels),response="4xx",flag=""} 1"#,
            #"weft_requests_total{\#(labels),response="5xx",flag="no-endpoint"} 1"#,
            #"weft_request_tries_total{\#(labels),response="2xx",flag=""} 2"#,
            #"weft_request_seconds_bucket{\#(labels),le="0.001"} 2"#,
            #"weft_request_seconds_bucket{\#(labels),le="0.05"} 4"#,
            #"weft_request_seconds_bucket{\#(labels),le="+Inf"} 4"#,
            #"weft_request_seconds_sum{\#(labels)} 0.033"#, #"weft_request_seconds_count{\#(labels)} 4"#,
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        #expect(!lines.contains { $0.contains("weft_request_tries_total{") && $0.contains("no-endpoint") })
    }

    @Test("The text of a small host")
    func text() {
        var counters = TrafficCounters()
        counters.accepted = 4
        counters.open = 1
        counters.attributionMisses = 5
        counters.acceptPauses = 6
        counters.attributions = 3
        counters.attributionTime = .microseconds(250)
        for name in ["web.service", "web.service", "a.service"] { counters.opened(Self.pair(name)) }
        counters.closed(Self.pair("web.service"), bytesOut: 7, bytesIn: 8, outcome: Outcome(.completed, side: .client))
        counters.closed(Self.pair("web.service"), bytesOut: 1, bytesIn: 0, outcome: Outcome(.reset, side: .destination))
        counters.closed(nil, bytesOut: 0, bytesIn: 0, outcome: Outcome(.loop, side: .client))
        #expect(Self.metrics(counters).text == Self.golden)
    }

    private static let golden = """
        # HELP weft_connections_total Captured connections accepted.
        # TYPE weft_connections_total counter
        weft_connections_total 4
        # HELP weft_connections_open Captured connections open now.
        # TYPE weft_connections_open gauge
        weft_connections_open 1
        # HELP weft_connections_ended_total Connections ended, by how and on whose side.
        # TYPE weft_connections_ended_total counter
        weft_connections_ended_total{ending="completed",side="client"} 1
        weft_connections_ended_total{ending="loop",side="client"} 1
        weft_connections_ended_total{ending="reset",side="destination"} 1
        # HELP weft_bytes_total Payload bytes of ended connections, seen from the client.
        # TYPE weft_bytes_total counter
        weft_bytes_total{direction="out"} 8
        weft_bytes_total{direction="in"} 8
        # HELP weft_attribution_misses_total Outbound connections whose owner the kernel could not name.
        # TYPE weft_attribution_misses_total counter
        weft_attribution_misses_total 5
        # HELP weft_attribution_seconds Time of the kernel look-ups that name a socket's owner.
        # TYPE weft_attribution_seconds summary
        weft_attribution_seconds_sum 0.00025
        weft_attribution_seconds_count 3
        # HELP weft_accept_pauses_total Times that accepting stopped at the connection or descriptor limit.
        # TYPE weft_accept_pauses_total counter
        weft_accept_pauses_total 6
        # HELP weft_pair_connections_total Ended connections of a pair.
        # TYPE weft_pair_connections_total counter
        weft_pair_connections_total{source="a.service",tenant="system",destination="api",path="outside"} 0
        weft_pair_connections_total{source="web.service",tenant="system",destination="api",path="outside"} 2
        # HELP weft_pair_connections_failed_total Failed connections of a pair.
        # TYPE weft_pair_connections_failed_total counter
        weft_pair_connections_failed_total{source="a.service",tenant="system",destination="api",path="outside"} 0
        weft_pair_connections_failed_total{source="web.service",tenant="system",destination="api",path="outside"} 1
        # HELP weft_pair_connections_open Open connections of a pair.
        # TYPE weft_pair_connections_open gauge
        weft_pair_connections_open{source="a.service",tenant="system",destination="api",path="outside"} 1
        weft_pair_connections_open{source="web.service",tenant="system",destination="api",path="outside"} 0
        # HELP weft_pair_bytes_out_total Bytes from the source, ended connections.
        # TYPE weft_pair_bytes_out_total counter
        weft_pair_bytes_out_total{source="a.service",tenant="system",destination="api",path="outside"} 0
        weft_pair_bytes_out_total{source="web.service",tenant="system",destination="api",path="outside"} 8
        # HELP weft_pair_bytes_in_total Bytes to the source, ended connections.
        # TYPE weft_pair_bytes_in_total counter
        weft_pair_bytes_in_total{source="a.service",tenant="system",destination="api",path="outside"} 0
        weft_pair_bytes_in_total{source="web.service",tenant="system",destination="api",path="outside"} 8
        # HELP weft_requests_total Requests, as their clients saw them.
        # TYPE weft_requests_total counter
        # HELP weft_request_tries_total Tries of requests at endpoints, retries included.
        # TYPE weft_request_tries_total counter
        # HELP weft_request_seconds Time to the head of the response.
        # TYPE weft_request_seconds histogram
        # HELP weft_request_body_bytes_total Bytes of bodies, seen from the client.
        # TYPE weft_request_body_bytes_total counter
        # HELP weft_requests_folded_total Requests counted as other because there are too many pairs.
        # TYPE weft_requests_folded_total counter
        weft_requests_folded_total 0
        # HELP weft_retries_total Retries that were asked for, and whether the budget had room.
        # TYPE weft_retries_total counter
        weft_retries_total{verdict="granted"} 2
        weft_retries_total{verdict="refused"} 1
        # HELP weft_detections_total Connections by what is spoken, and what told.
        # TYPE weft_detections_total counter
        weft_detections_total{protocol="opaque",reason="server-first"} 1
        # HELP weft_detection_seconds Time from a client's first byte until it was known what is spoken.
        # TYPE weft_detection_seconds histogram
        weft_detection_seconds_bucket{le="0.0001"} 0
        weft_detection_seconds_bucket{le="0.001"} 0
        weft_detection_seconds_bucket{le="0.01"} 1
        weft_detection_seconds_bucket{le="0.1"} 1
        weft_detection_seconds_bucket{le="1"} 1
        weft_detection_seconds_bucket{le="+Inf"} 1
        weft_detection_seconds_sum 0.002
        weft_detection_seconds_count 1
        # HELP weft_capture_state 1 for the state that capture is in.
        # TYPE weft_capture_state gauge
        weft_capture_state{state="on"} 1
        weft_capture_state{state="off"} 0
        weft_capture_state{state="failed"} 0
        # HELP weft_capture_rules Rules in weft's tables.
        # TYPE weft_capture_rules gauge
        weft_capture_rules 42
        # HELP weft_services Service ports found on this host.
        # TYPE weft_services gauge
        weft_services 3
        # HELP weft_conntrack_entries Connections tracked.
        # TYPE weft_conntrack_entries gauge
        weft_conntrack_entries 12
        # HELP weft_conntrack_entries_max Connections that can be tracked.
        # TYPE weft_conntrack_entries_max gauge
        weft_conntrack_entries_max 262144
        # HELP weft_catalogue_records Records of other hosts' services, removed ones included.
        # TYPE weft_catalogue_records gauge
        weft_catalogue_records 5
        # HELP weft_catalogue_endpoints Endpoints on other hosts that connections may go to.
        # TYPE weft_catalogue_endpoints gauge
        weft_catalogue_endpoints 4
        # HELP weft_catalogue_refused_total Statements of others not believed, by reason.
        # TYPE weft_catalogue_refused_total counter
        weft_catalogue_refused_total{reason="future-version"} 1
        # HELP weft_connections_security_total Connections ended, by their way and protection.
        # TYPE weft_connections_security_total counter
        # HELP weft_tunnels_open Tunnels that stand, by who opened them.
        # TYPE weft_tunnels_open gauge
        weft_tunnels_open{direction="out"} 1
        weft_tunnels_open{direction="in"} 0
        # HELP weft_tunnel_streams_open Connections in tunnels.
        # TYPE weft_tunnel_streams_open gauge
        weft_tunnel_streams_open{direction="out"} 0
        weft_tunnel_streams_open{direction="in"} 0
        # HELP weft_tunnel_handshakes_total Tunnels that came to stand.
        # TYPE weft_tunnel_handshakes_total counter
        weft_tunnel_handshakes_total{direction="out"} 0
        weft_tunnel_handshakes_total{direction="in"} 0
        # HELP weft_tunnel_failures_total Streams not opened (out) and ends of tunnels (in), by reason.
        # TYPE weft_tunnel_failures_total counter
        weft_tunnel_failures_total{direction="in",reason="unknown-authority"} 2
        # HELP weft_tunnel_refusals_total Streams refused before any dial, by status.
        # TYPE weft_tunnel_refusals_total counter
        weft_tunnel_refusals_total{status="503"} 1
        # HELP weft_tunnel_accepted_total Clients that began TLS.
        # TYPE weft_tunnel_accepted_total counter
        weft_tunnel_accepted_total 0
        # HELP weft_tunnel_streams_served_total Streams that other hosts asked for.
        # TYPE weft_tunnel_streams_served_total counter
        weft_tunnel_streams_served_total 0
        # HELP weft_tunnel_opens_total Streams that this host asked for.
        # TYPE weft_tunnel_opens_total counter
        weft_tunnel_opens_total 0
        # HELP weft_tunnel_pool_hits_total Of these, those that found a tunnel ready.
        # TYPE weft_tunnel_pool_hits_total counter
        weft_tunnel_pool_hits_total 4
        # HELP weft_tunnel_dials_total Tunnels begun.
        # TYPE weft_tunnel_dials_total counter
        weft_tunnel_dials_total 0
        # HELP weft_tunnel_retries_total Streams asked for a second time.
        # TYPE weft_tunnel_retries_total counter
        weft_tunnel_retries_total 0
        # HELP weft_join_exchanges_total Connections to the join service.
        # TYPE weft_join_exchanges_total counter
        weft_join_exchanges_total 0
        # HELP weft_join_turned_away_total Connections to the join service that found no place.
        # TYPE weft_join_turned_away_total counter
        weft_join_turned_away_total 0
        # HELP weft_join_failures_total Exchanges without an answer, by reason.
        # TYPE weft_join_failures_total counter
        # HELP weft_identity_requests_total Joins and renewals by what became of them.
        # TYPE weft_identity_requests_total counter
        weft_identity_requests_total{outcome="join-granted"} 1
        # HELP weft_authority 1 on hosts that hold the authority of the mesh.
        # TYPE weft_authority gauge
        weft_authority 1
        # HELP weft_trust_version Version of the trust bundle.
        # TYPE weft_trust_version gauge
        weft_trust_version 3
        # HELP weft_certificate_seconds_left Time until a certificate of this host ends.
        # TYPE weft_certificate_seconds_left gauge
        # HELP process_resident_memory_bytes Resident memory of weftd.
        # TYPE process_resident_memory_bytes gauge
        process_resident_memory_bytes 25000000
        # HELP process_cpu_seconds_total User and system time of weftd.
        # TYPE process_cpu_seconds_total counter
        process_cpu_seconds_total 1.5
        # HELP process_open_fds Open descriptors of weftd.
        # TYPE process_open_fds gauge
        process_open_fds 77
        # HELP weft_uptime_seconds Time since weftd started.
        # TYPE weft_uptime_seconds gauge
        weft_uptime_seconds 2.5
        # HELP weft_build_info 1, with the version.
        # TYPE weft_build_info gauge
        weft_build_info{version="\(weftVersion)"} 1

        """

    @Test("Whatever is counted, the text is valid, with every family once and counters named as such")
    func everything() throws {
        var counters = TrafficCounters()
        for ending in Ending.allCases {
            for side in Side.allCases {
                for path in Path.allCases {
                    let pair = Self.pair("odd\"\\\r\n\(ending)", path)
                    counters.opened(pair)
                    counters.closed(pair, bytesOut: .max >> 12, bytesIn: 1, outcome: Outcome(ending, side: side))
                }
            }
        }
        let node = try GossipNode(
            GossipConfiguration(name: "a", advertise: NetworkAddress(.loopbackV4, port: 7946))
        )
        let gossip = GossipReport(counters: node.counters, gauges: node.gauges, sendDrops: 2)
        let exposition = try Exposition(Self.metrics(counters, gossip: gossip).text)
        #expect(Set(exposition.families.map(\.name)).count == exposition.families.count)
        for family in exposition.families {
            #expect((family.kind == "counter") == family.name.hasSuffix("_total"), "\(family.name)")
            #expect(family.help.hasSuffix("."), "\(family.name)")
        }
        let probes = try #require(exposition["weft_gossip_probe_seconds"])
        #expect(probes.samples.count { $0.name.hasSuffix("_bucket") } == RoundTripHistogram.bounds.count + 1)
        #expect(exposition["weft_members"]?.samples.count == Member.State.allCases.count)
        let ended = try #require(exposition["weft_connections_ended_total"])
        #expect(ended.samples.count == Ending.allCases.count * Side.allCases.count)
        #expect(Set(ended.samples.compactMap { $0.labels["ending"] }) == Set(Ending.allCases.map(\.rawValue)))
        #expect(exposition["weft_pair_connections_total"]?.samples.count == Ending.allCases.count * Path.allCases.count)
    }

    @Test("More pairs than there are rows for are counted together")
    func manyPairs() throws {
        var counters = TrafficCounters()
        for number in 0..<2 * TrafficCounters.pairsMax { counters.opened(Self.pair("unit-\(number).service")) }
        let exposition = try Exposition(Self.metrics(counters).text)
        let open = try #require(exposition["weft_pair_connections_open"])
        #expect(open.samples.count == TrafficCounters.pairsMax + 1)
        #expect(open.samples.reduce(0) { $0 + $1.value } == Double(2 * TrafficCounters.pairsMax))
        #expect(open.samples.first { $0.labels["source"] == "other" }?.value == Double(TrafficCounters.pairsMax))
    }

    @Test("Capture is in one state", arguments: [CaptureStatus.State.on, .off, .failed])
    func captureState(_ state: CaptureStatus.State) throws {
        let exposition = try Exposition(Self.metrics(TrafficCounters(), capture: state).text)
        let samples = try #require(exposition["weft_capture_state"]?.samples)
        #expect(samples.filter { $0.value == 1 }.map { $0.labels["state"] } == [state.rawValue])
        #expect(samples.count == 3)
    }

    @Test("A host without connection tracking has no numbers of it")
    func noConntrack() throws {
        let exposition = try Exposition(Self.metrics(TrafficCounters(), conntrack: nil).text)
        #expect(!exposition.families.contains { $0.name.contains("conntrack") })
        #expect(exposition["weft_connections_total"]?.samples.first?.value == 0)
    }
}

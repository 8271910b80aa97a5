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

    private static func metrics(
        _ counters: TrafficCounters,
        capture: CaptureStatus.State = .on,
        conntrack: (count: Int, max: Int)? = (12, 262_144),
        gossip: GossipReport? = nil
    ) -> Metrics {
        Metrics(
            counters: counters,
            capture: CaptureStatus(state: capture, scope: "all", rules: 42, degraded: [], error: nil),
            services: 3,
            usage: usage,
            conntrack: conntrack,
            gossip: gossip,
            catalogue: CatalogueReport(records: 5, endpoints: 4, refusals: ["future-version": 1]),
            uptime: .milliseconds(2500)
        )
    }

    private static func pair(_ source: String, _ path: Path = .outside) -> TrafficPair {
        TrafficPair(source: source, tenant: "system", destination: "api", path: path)
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

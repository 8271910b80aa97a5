import Logging
import NIOCore
import Synchronization
import Testing
import WeftConfig
import WeftCore
import WeftProxy

@testable import WeftDaemon
@testable import WeftTransport

/// From what the loops have kept to what a collector is sent, with a clock and a collector of the test's own.
@Suite struct SpanExporterTests {
    /// What the exporter meets.
    private final class World: Sendable {
        struct State: Sendable {
            var now = Instant(nanoseconds: 1)
            var kept = RecordedBatch()
            /// A status for each post; throws when there is none.
            var answers: [Int] = []
            var bodies: [String] = []
            var published: [Tracing?] = []
        }

        let state = Mutex(State())
        let log = RecordedLog()

        func with<Value: Sendable>(_ body: (inout State) -> Value) -> Value { state.withLock { body(&$0) } }

        var actions: SpanExporter.Actions {
            SpanExporter.Actions(
                publish: { tracing in self.with { $0.published.append(tracing) } },
                take: {
                    self.with { state in
                        defer { state.kept = RecordedBatch() }
                        return state.kept
                    }
                },
                post: { body, _, _ in
                    let status: Int? = self.with { state in
                        state.bodies.append(String(decoding: body, as: UTF8.self))
                        return state.answers.isEmpty ? nil : state.answers.removeFirst()
                    }
                    guard let status else { throw CollectorError.ended }
                    return status
                },
                now: { self.with { $0.now } }
            )
        }

        func pass(_ time: Duration) { with { $0.now = $0.now + time } }
    }

    private static func configuration(_ collector: String? = "10.0.0.9:4318") -> Configuration {
        var configuration = Configuration()
        configuration.tracing.otlp = collector.flatMap { PeerAddress($0) }
        return configuration
    }

    private func exporter(_ world: World) async -> SpanExporter {
        let exporter = SpanExporter(node: "a", actions: world.actions, logger: world.log.logger)
        await exporter.adopt(Self.configuration())
        return exporter
    }

    /// Requests come, and are reported once they have waited.
    private func report(_ count: Int, missed: UInt64 = 0, by exporter: SpanExporter, in world: World) async throws {
        let decisions = try (0..<count).map { try Decision.request(number: UInt64($0)) }
        world.with { $0.kept = RecordedBatch(decisions: decisions, missed: missed) }
        try await exporter.collect()
        world.pass(SpanQueue.patience)
        await exporter.deliver()
    }

    @Test("Loops are told to keep while there is a collector, and only then")
    func switching() async throws {
        let world = World()
        let exporter = SpanExporter(node: "a", actions: world.actions, logger: world.log.logger)
        await exporter.adopt(Self.configuration(nil))
        #expect(await exporter.counts == nil)
        await exporter.adopt(Self.configuration())
        #expect(await exporter.counts == SpanCounts())
        try await report(3, by: exporter, in: world)
        await exporter.adopt(Self.configuration(nil))
        #expect(world.with { $0.published.map { $0?.sampler } } == [nil, TraceSampler(part: 0.01), nil])
        #expect(await exporter.counts == SpanCounts(sent: 0, refused: 0, dropped: 3))
    }

    @Test("What is kept is sent when it is due, and the end does not wait for that")
    func sending() async throws {
        let world = World()
        let exporter = await exporter(world)
        world.with { $0.answers = [200, 202] }
        world.with { $0.kept = RecordedBatch(decisions: [], missed: 4) }
        try await exporter.collect()
        try await report(2, by: exporter, in: world)
        #expect(world.with { $0.bodies.map { $0.split(separator: "traceId").count - 1 } } == [2])
        let last = try Decision.request()
        world.with { $0.kept = RecordedBatch(decisions: [last], missed: 0) }
        try await exporter.finish()
        #expect(world.with { $0.bodies.count } == 2)
        #expect(await exporter.counts == SpanCounts(sent: 3, refused: 0, dropped: 4))
        #expect(world.log.messages.isEmpty)
    }

    @Test("A collector that is away costs one line in the log, and what it missed is sent when it is back")
    func away() async throws {
        let world = World()
        let exporter = await exporter(world)
        for _ in 0..<3 { try await report(2, by: exporter, in: world) }
        #expect(world.log.messages.map { $0.hasPrefix("warning: spans are not taken ") } == [true])
        #expect(world.log.messages.first?.contains("10.0.0.9:4318") == true)
        #expect(await exporter.counts == SpanCounts())
        world.with { $0.answers = [503, 429, 200] }
        for _ in 0..<3 {
            world.pass(SpanQueue.patience)
            await exporter.deliver()
        }
        #expect(await exporter.counts == SpanCounts(sent: 6, refused: 0, dropped: 0))
        #expect(world.log.messages.count == 2)
        #expect(world.log.messages.last?.hasPrefix("notice: spans are taken again") == true)
    }

    @Test("What a collector refuses is not sent again")
    func refused() async throws {
        let world = World()
        let exporter = await exporter(world)
        world.with { $0.answers = [400, 404] }
        for _ in 0..<2 { try await report(5, by: exporter, in: world) }
        #expect(world.with { $0.bodies.count } == 2)
        #expect(await exporter.counts == SpanCounts(sent: 0, refused: 10, dropped: 0))
        #expect(world.log.messages.count == 1)
    }

    @Test("A real collector on loopback is sent a post that it can read")
    func endToEnd() async throws {
        try await LocalCollector.with(status: 200) { collector, group in
            let world = World()
            var actions = world.actions
            let client = CollectorClient(group: group, dialMark: nil)
            actions.post = { try await client.post($0, to: "/v1/traces", at: $1, timeout: $2) }
            let exporter = SpanExporter(node: "a", actions: actions, logger: world.log.logger)
            await exporter.adopt(Self.configuration("127.0.0.1:\(collector.port)"))
            try await report(2, by: exporter, in: world)
            let posts = collector.posts
            #expect(posts.map(\.line) == ["POST /v1/traces application/json"])
            let expected = try OTLPRequest(
                (0..<2).flatMap { Span.all(of: try .request(number: $0), node: "a") }
            ).json()
            #expect(posts.first?.body == String(decoding: expected, as: UTF8.self))
            #expect(await exporter.counts == SpanCounts(sent: 2, refused: 0, dropped: 0))
        }
    }
}

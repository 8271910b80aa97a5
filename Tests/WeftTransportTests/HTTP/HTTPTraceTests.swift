import Testing
import WeftCatalog
import WeftCore
import WeftProxy
import WeftTransport

/// `traceparent` on the wire, and what is kept of requests that are reported.
@Suite(.blocking, .serialized) struct HTTPTraceTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let parent = "b7ad6b7169203331"

    private let carrying = HTTPCarryTests()

    /// Sends one request and answers it; gives its head as it arrived, and what was kept of it.
    private func exchange(_ request: String, part: Double?) async throws -> (lines: [String], kept: [Decision]) {
        var result: (lines: [String], kept: [Decision]) = ([], [])
        try await carrying.withService { plane, entry, listener in
            plane.publish(part.map { Tracing(sampler: TraceSampler(part: $0), keptMax: 16) })
            try await plane.beat()
            let client = try TestSocket.connected(to: entry)
            try client.write(request)
            let upstream = try listener.accept()
            result.lines = upstream.readHead().components
            try upstream.write(.ok("hello"))
            #expect(client.readText(String.ok("hello").utf8.count) == .ok("hello"))
            try await plane.beat()
            result.kept = try await plane.takeTraced().decisions
            #expect(try await plane.takeTraced().decisions.isEmpty)
        }
        return result
    }

    private func fields(_ lines: [String]) -> [String] {
        lines.filter { $0.lowercased().hasPrefix("traceparent:") }.map { line in
            String(line.drop { $0 != ":" }.dropFirst().filter { $0 != " " })
        }
    }

    private func request(_ fields: String...) -> String {
        "GET /a?secret HTTP/1.1\r\nhost: api\r\n" + fields.map { "\($0)\r\n" }.joined() + "x-after: 1\r\n\r\n"
    }

    @Test func aTraceThatBeginsHereIsReportedForBothEnds() async throws {
        let before = WallTime.now().millisecondsSince1970
        let (lines, kept) = try await exchange(request(), part: 1)
        let field = try #require(fields(lines).first)
        let facts = try #require(kept.first?.request?.trace)
        let caller = try #require(facts.callerSpan)
        let callee = try #require(facts.calleeSpan)
        #expect(kept.count == 1 && facts.parent == nil && caller != callee)
        #expect(field.hasSuffix("-\(hex(callee))-03"), "the service goes on under its own span")
        #expect(field.hasPrefix("00-\(hex(facts.traceHigh))\(hex(facts.traceLow))-"))
        let after = WallTime.now().millisecondsSince1970
        #expect((before * 1_000_000..<(after + 1) * 1_000_000).contains(facts.began))
        #expect(kept[0].request?.line == "GET /a")
    }

    @Test func aSampledTraceGoesOnUnderWeftsSpanInItsPlace() async throws {
        let sent = request("TraceParent:  00-\(Self.trace)-\(Self.parent)-01 ")
        let (lines, kept) = try await exchange(sent, part: 0)
        let facts = try #require(kept.first?.request?.trace)
        let callee = try #require(facts.calleeSpan)
        #expect(hex(try #require(facts.parent)) == Self.parent)
        #expect(hex(facts.traceHigh) + hex(facts.traceLow) == Self.trace)
        #expect(
            lines == [
                "GET /a?secret HTTP/1.1", "host: api", "TraceParent:  00-\(Self.trace)-\(hex(callee))-01 ",
                "x-after: 1",
            ]
        )
    }

    @Test func aLaterVersionGoesOnAsTheOneThatWeftWrites() async throws {
        let (lines, kept) = try await exchange(request("traceparent: cc-\(Self.trace)-\(Self.parent)-01-more"), part: 0)
        let callee = try #require(kept.first?.request?.trace?.calleeSpan)
        #expect(fields(lines) == ["00-\(Self.trace)-\(hex(callee))-01"] && lines.last == "x-after: 1")
    }

    @Test(arguments: [
        ["traceparent: 00-\(trace)-\(parent)-00"], ["traceparent: 00-\(trace)-\(parent)"], ["traceparent:"],
        ["traceparent: 00-\(trace)-\(parent)-01", "traceparent: 00-\(trace)-\(parent)-01"],
    ])
    func whatIsNotSampledOrCannotBeReadStays(_ added: [String]) async throws {
        let sent = "GET / HTTP/1.1\r\nhost: api\r\n" + added.map { "\($0)\r\n" }.joined() + "\r\n"
        let (lines, kept) = try await exchange(sent, part: 1)
        #expect(lines == ["GET / HTTP/1.1", "host: api"] + added)
        #expect(kept.isEmpty)
    }

    @Test func withoutACollectorNothingIsKeptOrChanged() async throws {
        let field = "00-\(Self.trace)-\(Self.parent)-01"
        let (lines, kept) = try await exchange(request("traceparent: \(field)"), part: nil)
        #expect(fields(lines) == [field] && kept.isEmpty)
    }

    @Test func whatNeverReachesAnApplicationIsReportedToo() async throws {
        let address = try TestSocket.listener().1
        let snapshot = MeshSnapshot(localServices: [try .api(at: address)])
        try await carrying.carry.withPlane(to: address, snapshot: snapshot) { plane, entry in
            plane.publish(Tracing(sampler: TraceSampler(part: 0), keptMax: 16))
            try await plane.beat()
            let client = try TestSocket.connected(to: entry)
            try client.write(request("traceparent: 00-\(Self.trace)-\(Self.parent)-01"))
            #expect(client.readHead().hasPrefix("HTTP/1.1 503 "))
            try await plane.beat()
            let request = try #require(try await plane.takeTraced().decisions.first?.request)
            #expect(request.status == 503 && request.flag == "connect-failed")
            let facts = try #require(request.trace)
            #expect(hex(try #require(facts.parent)) == Self.parent)
            #expect(facts.callerSpan != nil && facts.calleeSpan == nil, "no service was asked")
        }
    }

    @Test func moreThanIsKeptIsCounted() async throws {
        try await carrying.withService { plane, entry, listener in
            plane.publish(Tracing(sampler: TraceSampler(part: 1), keptMax: 2))
            try await plane.beat()
            let client = try TestSocket.connected(to: entry)
            try client.write(.get("/0"))
            let upstream = try listener.accept()
            for number in 0..<5 {
                if number > 0 { try client.write(.get("/\(number)")) }
                #expect(upstream.readHead().hasPrefix("GET /\(number) "))
                try upstream.write(.ok(""))
                #expect(client.readText(String.ok("").utf8.count) == .ok(""))
            }
            try await plane.beat()
            let batch = try await plane.takeTraced()
            #expect(batch.decisions.compactMap(\.request?.line) == ["GET /0", "GET /1"] && batch.missed == 3)
        }
    }

    private func hex(_ id: UInt64) -> String {
        let digits = String(id, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

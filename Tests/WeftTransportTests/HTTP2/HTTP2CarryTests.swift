import NIOHTTP2
import Testing
import WeftCatalog
import WeftCore
import WeftProxy
import WeftTransport

/// Streams of HTTP/2 clients to HTTP/2 servers through a data plane: what goes through unchanged.
@Suite(.blocking, .serialized) struct HTTP2CarryTests {
    @Test func aRequestArrivesAsItWasSentWithATraceAndItsAnswerToo() async throws {
        try await HTTP2Rig.withService { rig in
            let client = try await rig.client()
            let call = try await client.open(.post("/a?b=c", [("x-odd", "~ é"), ("cookie", "a=b")]))
            try await call.data("hel")
            try await call.data("lo", end: true)
            let served = try await rig.call().call
            let head = try await served.head()
            #expect(head[":method"] == "POST" && head[":path"] == "/a?b=c" && head[":authority"] == "api")
            #expect(head["x-odd"] == "~ é" && head["cookie"] == "a=b" && head[":scheme"] == "http")
            #expect(head["traceparent"]?.hasPrefix("00-") == true && head.count == 7)
            #expect(try await served.text() == "hello")
            try await served.headers([(":status", "201"), ("x-answer", "yes")])
            try await served.data("wor")
            try await served.data("ld", end: true)
            #expect(try await call.head() == [":status": "201", "x-answer": "yes"])
            #expect(try await call.text() == "world")
            let live = try #require(try await rig.plane.connections().first)
            #expect(live.wire == .http2)
        }
    }

    @Test func trailersGoBothWays() async throws {
        try await HTTP2Rig.withService { rig in
            let call = try await rig.client().open(.grpc("/pkg.Service/Method") + [("traceparent", "mine")])
            try await call.data("message")
            try await call.headers([("x-sum", "1")], end: true)
            let served = try await rig.call().call
            #expect(try await served.head()["traceparent"] == "mine")
            #expect(try await served.text() == "message")
            #expect(try await served.head(1) == ["x-sum": "1"])
            try await served.headers([(":status", "200"), ("content-type", "application/grpc")])
            try await served.data("answer")
            try await served.headers([("grpc-status", "0"), ("grpc-message", "fine")], end: true)
            #expect(try await call.text() == "answer")
            #expect(try await call.head(1) == ["grpc-status": "0", "grpc-message": "fine"])
            #expect(call.now.heads.count == 2 && call.now.reset == nil)
        }
    }

    /// Those that wait for others to leave go on before the trailers that follow at once, in both directions.
    @Test func manySmallMessagesAndTheirTrailersArrive() async throws {
        try await HTTP2Rig.withService { rig in
            let call = try await rig.client().open(.grpc("/pkg.Service/Chat"))
            for number in 0..<100 { try await call.data("\(number % 10)") }
            try await call.headers([("x-sum", "1")], end: true)
            let served = try await rig.call().call
            let digits = String(repeating: "0123456789", count: 10)
            #expect(try await served.text() == digits)
            #expect(try await served.head(1) == ["x-sum": "1"])
            try await served.headers([(":status", "200"), ("content-type", "application/grpc")])
            for number in 0..<100 { try await served.data("\(number % 10)") }
            try await served.headers([("grpc-status", "0")], end: true)
            #expect(try await call.text() == digits)
            #expect(try await call.head(1) == ["grpc-status": "0"])
        }
    }

    @Test func interimResponsesComeBeforeTheAnswer() async throws {
        try await HTTP2Rig.withService { rig in
            let call = try await rig.client().open(.post("/", [("expect", "100-continue")]))
            let served = try await rig.call().call
            try await served.headers([(":status", "100")])
            #expect(try await call.head() == [":status": "100"])
            try await call.data("body", end: true)
            #expect(try await served.text() == "body")
            try await served.headers([(":status", "103"), ("link", "</a>")])
            try await served.answer("done")
            #expect(try await call.text() == "done")
            #expect(call.now.heads == [[":status": "100"], [":status": "103", "link": "</a>"], [":status": "200"]])
        }
    }

    @Test(arguments: [
        ("HEAD", [(":status", "200"), ("content-length", "100")]),
        ("GET", [(":status", "304"), ("content-length", "7")]),
        ("GET", [(":status", "204")]),
        ("DELETE", [(":status", "404"), ("content-length", "0")]),
        ("OPTIONS", [(":status", "200"), ("allow", "GET")]),
    ])
    func responsesWithoutABodyGoThroughAsTheyAre(_ method: String, _ fields: [(String, String)]) async throws {
        try await HTTP2Rig.withService { rig in
            let call = try await rig.client().open(
                [(":method", method)] + [(String, String)].get("/").dropFirst(),
                end: true
            )
            let served = try await rig.call().call
            #expect(try await served.head()[":method"] == method)
            try await served.headers(fields, end: true)
            #expect(try await call.head() == Dictionary(uniqueKeysWithValues: fields))
            #expect(call.now.isEnded && call.now.reset == nil)
        }
    }

    /// What speaks HTTP/2 may greet before its client has said anything.
    @Test(arguments: [true, false])
    func aServerThatGreetsFirstMaySpeakHTTP2(_ speaksHTTP2: Bool) async throws {
        let (listener, address) = try TestSocket.listener()
        let snapshot = MeshSnapshot(localServices: [try .api(at: address)])
        try await CarryTests().withPlane(to: address, snapshot: snapshot) { plane, entry in
            let socket = try TestSocket.connected(to: entry)
            let server = try listener.accept()
            let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
            try server.write(settings)
            // It is in weft's socket now, and read in the loop's next turn.
            for _ in 0..<3 { try await plane.beat() }
            let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
            try socket.write(speaksHTTP2 ? preface + settings : Array("HELO me\n".utf8))
            if speaksHTTP2 {
                // weft's own, with what it wants.
                #expect(socket.read(count: 9)[3] == 4)
                #expect(server.read(count: 24) == preface)
            } else {
                #expect(socket.read(count: 9) == settings)
                #expect(server.read(count: 8) == Array("HELO me\n".utf8))
            }
            let live = try #require(try await plane.connections().first)
            #expect(live.wire == (speaksHTTP2 ? .http2 : .opaque))
        }
    }

    @Test func manyStreamsOfOneConnectionAtATime() async throws {
        try await HTTP2Rig.withService { rig in
            let client = try await rig.client()
            var calls: [HTTP2Call] = []
            for number in 0..<250 { calls.append(try await client.open(.get("/\(number)"), end: true)) }
            // The server says no limit, so some go over more connections.
            for _ in calls {
                let served = try await rig.call().call
                try await served.answer(try #require(try await served.head()[":path"]))
            }
            for (number, call) in calls.enumerated() { #expect(try await call.text() == "/\(number)") }
            var totals = RequestTotals()
            try await soonTrue {
                for delta in try await rig.plane.takeRequestDeltas() { totals.add(delta) }
                return totals.rows.values.allSatisfy { $0.effective.count == 250 } && totals.rows.count == 2
            }
            for (series, row) in totals.rows {
                #expect(series.kind == .http2 && row.effective.failures == 0 && series.service == "api")
            }
        }
    }

    @Test func aSlowReaderDoesNotStopTheOthers() async throws {
        try await HTTP2Rig.withService { rig in
            let client = try await rig.client()
            let slow = try await client.open(.get("/slow"), end: true)
            slow.stopReading()
            slow.expect()
            let slowServed = try await rig.call().call
            try await slowServed.headers([(":status", "200")])
            let pouring = Task { try await slowServed.pour(8_000_000) }
            // Its own window is all that it gets.
            #expect(try await slow.bytes(atLeast: 65_535) == 65_535)
            for number in 0..<20 {
                let fast = try await client.open(.get("/\(number)"), end: true)
                let served = try await rig.call().call
                try await served.headers([(":status", "200")])
                fast.expect()
                try await served.pour(1_000_000)
                #expect(try await fast.total() == 1_000_000)
            }
            #expect(slow.now.bytes == 65_535)
            slow.readOn()
            try await pouring.value
            #expect(try await slow.total() == 8_000_000)
        }
    }

    @Test func bigBodiesGoBothWaysAtATime() async throws {
        try await HTTP2Rig.withService { rig in
            let size = 20_000_000
            let call = try await rig.client().open(.post("/"))
            let served = try await rig.call().call
            try await served.headers([(":status", "200")])
            served.expect()
            call.expect()
            async let up: Void = call.pour(size)
            async let down: Void = served.pour(size)
            _ = try await (up, down)
            #expect(try await served.total() == size)
            #expect(try await call.total() == size)
        }
    }

    /// Bytes are conserved, whatever the sizes of their pieces, the windows, and who reads when.
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func bytesAreConserved(_ seed: UInt64) async throws {
        try await HTTP2Rig.withService { rig in
            var random = SplitMix(seed: seed)
            let client = try await rig.client(settings: [
                HTTP2Setting(parameter: .initialWindowSize, value: Int.random(in: 1000...100_000, using: &random))
            ])
            var pairs: [(HTTP2Call, HTTP2Call)] = []
            for number in 0..<8 {
                let call = try await client.open(.post("/\(number)"))
                let served = try await rig.call().call
                try await served.headers([(":status", "200")])
                pairs.append((call, served))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (call, served) in pairs.map({ ($0, $1) }) + pairs.map({ ($1, $0) }) {
                    let pieces = (0..<Int.random(in: 1...60, using: &random)).map { _ in
                        Int.random(in: 0...(Bool.random(using: &random) ? 30 : 20_000), using: &random)
                    }
                    let shift = Int.random(in: 0...100_000, using: &random)
                    served.expect(from: shift)
                    group.addTask {
                        try await call.pour(pieces, from: shift)
                        #expect(try await served.total() == pieces.reduce(0, +))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func aClientThatAnswersPingsAndSettingsHasThemAnswered() async throws {
        try await HTTP2Rig.withService { rig in
            let client = try await rig.client()
            try await client.send(.rootStream, .settings(.settings([])))
            try await client.send(.rootStream, .ping(HTTP2PingData(withInteger: 7), ack: false))
            let call = try await client.open(.get("/"), end: true)
            try await rig.call().call.answer("x")
            #expect(try await call.text() == "x")
            #expect(client.isUnharmed)
        }
    }
}

/// For the tests' own choices.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

/// Waits until something is so, for ten seconds.
func soonTrue(_ look: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline {
        if try await look() { return }
        try await Task.sleep(for: .milliseconds(2))
    }
    throw TestError("not so after 10 s")
}

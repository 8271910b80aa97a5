import Glibc
import Testing
import WeftCatalog
import WeftCore
import WeftProxy
import WeftTransport

/// Requests of real clients to real servers on loopback, through a data plane that knows both as a service of the mesh.
@Suite(.blocking, .serialized) struct HTTPCarryTests {
    let carry = CarryTests()

    /// Runs `body` with clients that dial the one address of a service of this host.
    func withService(
        loops: Int = 2,
        _ body: (DataPlane, NetworkAddress, TestSocket) async throws -> Void
    ) async throws {
        let (listener, server) = try TestSocket.listener()
        let snapshot = MeshSnapshot(localServices: [try .api(at: server)])
        try await carry.withPlane(to: server, snapshot: snapshot, loops: loops) { plane, entry in
            try await body(plane, entry, listener)
        }
    }

    /// Runs `body` with clients that dial the virtual address of a service with endpoints at these addresses.
    func withEndpoints(
        _ addresses: [NetworkAddress],
        _ body: (DataPlane, NetworkAddress) async throws -> Void
    ) async throws {
        let endpoints = try addresses.enumerated().map { try Endpoint.api($1, on: "node\($0)") }
        let snapshot = MeshSnapshot.peers(endpoints)
        let virtual = try #require(snapshot.services.first?.virtualAddress)
        let dialled = NetworkAddress(virtual.v4, port: addresses[0].port)
        try await carry.withPlane(to: dialled, snapshot: snapshot, body)
    }

    @Test func aRequestArrivesAsItWasSentWithATraceAndItsAnswerToo() async throws {
        try await withService { plane, entry, listener in
            let client = try TestSocket.connected(to: entry)
            try client.write("GET /a?b=c HTTP/1.1\r\nhOST:  api \r\nX-Odd;: ~\u{e9}\r\n\r\n".replacing(";", with: ""))
            let upstream = try listener.accept()
            let lines = upstream.readHead().components
            #expect(lines.prefix(3) == ["GET /a?b=c HTTP/1.1", "hOST:  api ", "X-Odd: ~\u{e9}"])
            let trace = try #require(lines.dropFirst(3).first)
            #expect(trace.hasPrefix("traceparent: 00-") && trace.utf8.count == 68 && lines.count == 4)
            let answer = "HTTP/1.1 200 Fine\r\nContent-length:5\r\n\r\nhello"
            try upstream.write(answer)
            #expect(client.readText(answer.utf8.count) == answer)
            let live = try #require(try await plane.connections().first)
            #expect(live.wire == .http1)
            client.endOutput()
            #expect(upstream.read() == .end)
            upstream.endOutput()
            #expect(client.read() == .end)
            let decision = try #require(try await carry.decisions(plane, 1).first)
            #expect(decision.wire == "http/1.1" && decision.outcome.ending == .completed)
        }
    }

    @Test func aTraceThatThereIsStays() async throws {
        try await withService { _, entry, listener in
            let client = try TestSocket.connected(to: entry)
            let request =
                "GET / HTTP/1.1\r\nhost: a\r\nTraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n"
            try client.write(request)
            #expect(try listener.accept().readText(request.utf8.count) == request)
        }
    }

    @Test func aConnectionServesManyRequestsOverOneUpstream() async throws {
        try await withService { plane, entry, listener in
            let client = try TestSocket.connected(to: entry)
            try client.write(.get("/0"))
            let upstream = try listener.accept()
            for number in 0..<100 {
                if number > 0 { try client.write(.get("/\(number)")) }
                #expect(upstream.readHead().hasPrefix("GET /\(number) "))
                try upstream.write(.ok("answer \(number)"))
                #expect(client.readText(String.ok("answer \(number)").utf8.count) == .ok("answer \(number)"))
            }
            var totals = RequestTotals()
            for delta in try await plane.takeRequestDeltas() { totals.add(delta) }
            // On one host, the caller's daemon is the callee's too.
            #expect(Set(totals.rows.keys.map(\.perspective)) == [.caller, .callee] && totals.rows.count == 2)
            for (series, row) in totals.rows {
                #expect(row.effective.count == 100 && row.effective.failures == 0)
                #expect(series.source == "web.service" && series.service == "api")
            }
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await withService { _, entry, listener in
            let client = try TestSocket.connected(to: entry)
            try client.write(String.get("/1") + .post("/2", "body") + .get("/3"))
            let upstream = try listener.accept()
            #expect(upstream.readHead().hasPrefix("GET /1 "))
            // The next one is sent when this one is through.
            try upstream.write(.ok("one"))
            #expect(upstream.readHead().hasPrefix("POST /2 "))
            #expect(upstream.readText(4) == "body")
            try upstream.write(.ok("two"))
            #expect(upstream.readHead().hasPrefix("GET /3 "))
            try upstream.write(.ok("three"))
            let all = String.ok("one") + .ok("two") + .ok("three")
            #expect(client.readText(all.utf8.count) == all)
        }
    }

    @Test(arguments: [
        ("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"),
        ("GET / HTTP/1.1\r\nhost: a\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET / HTTP/1.1\r\nhost: a\r\n\r\n", "HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n"),
        (
            "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
            "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx"
        ),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\nx: y\r\n\r\n"
        ),
    ])
    func messagesOfAllKindsKeepTheirBytesAndTheConnection(_ request: String, _ response: String) async throws {
        try await withService { _, entry, listener in
            let client = try TestSocket.connected(to: entry)
            try client.write(request)
            let upstream = try listener.accept()
            let head = upstream.readHead()
            let body = request.split(separator: "\r\n\r\n", maxSplits: 1).dropFirst().first ?? ""
            #expect(upstream.readText(body.utf8.count) == String(body))
            #expect(head.components.first == request.components.first)
            try upstream.write(response)
            #expect(client.readText(response.utf8.count) == response)
            try client.write(.get("/next"))
            #expect(upstream.readHead().hasPrefix("GET /next "))
        }
    }

    @Test func aClientThatWaitsForContinueGetsIt() async throws {
        try await withService { _, entry, listener in
            let client = try TestSocket.connected(to: entry)
            try client.write("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n")
            let upstream = try listener.accept()
            #expect(upstream.readHead().contains("expect: 100-continue"))
            try upstream.write("HTTP/1.1 100 Continue\r\n\r\n")
            #expect(client.readHead() == "HTTP/1.1 100 Continue\r\n\r\n")
            try client.write("data")
            #expect(upstream.readText(4) == "data")
            try upstream.write(.ok("stored"))
            #expect(client.readText(String.ok("stored").utf8.count) == .ok("stored"))
        }
    }

    @Test func afterAnUpgradeBothSidesAreOpaque() async throws {
        try await withService { plane, entry, listener in
            let client = try TestSocket.connected(to: entry)
            try client.write("GET /chat HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
            let upstream = try listener.accept()
            _ = upstream.readHead()
            // The first frame comes with the head.
            try upstream.write("HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nGET x")
            #expect(client.readHead().hasPrefix("HTTP/1.1 101 "))
            #expect(client.readText(5) == "GET x")
            try client.write("POST bad\n\n")
            #expect(upstream.readText(10) == "POST bad\n\n")
            client.endOutput()
            #expect(upstream.read() == .end)
            try upstream.write("last")
            upstream.endOutput()
            #expect(client.readText(4) == "last")
            #expect(client.read() == .end)
            let decision = try #require(try await carry.decisions(plane, 1).first)
            #expect(decision.outcome.ending == .completed)
        }
    }

    @Test func aBodyThatEndsWithTheConnectionIsWholeAndTheConnectionEnds() async throws {
        try await withService { _, entry, listener in
            let client = try TestSocket.connected(to: entry)
            try client.write(.get("/"))
            let upstream = try listener.accept()
            _ = upstream.readHead()
            let body = String(repeating: "b", count: 300_000)
            let received = Blocking.start { client.readAll() }
            try upstream.write("HTTP/1.0 200 OK\r\n\r\n" + body)
            upstream.endOutput()
            let (bytes, end) = await received.value
            #expect(bytes == Array(("HTTP/1.0 200 OK\r\n\r\n" + body).utf8) && end == .end)
        }
    }

    @Test func bigBodiesGoBothWays() async throws {
        try await withService { plane, entry, listener in
            let client = try TestSocket.connected(to: entry)
            let size = 20_000_000
            let upload = [UInt8](repeating: 3, count: size)
            let sent = Blocking.start {
                try? client.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: \(size)\r\n\r\n")
                try? client.write(upload)
            }
            let upstream = try listener.accept()
            _ = upstream.readHead()
            #expect(upstream.read(count: size) == upload)
            await sent.value
            let answered = Blocking.start {
                try? upstream.write("HTTP/1.1 200 OK\r\ncontent-length: \(size)\r\n\r\n")
                try? upstream.write(upload)
            }
            #expect(client.readHead().hasPrefix("HTTP/1.1 200 "))
            #expect(client.read(count: size) == upload)
            await answered.value
            let live = try #require(try await plane.connections().first)
            #expect(live.bytesOut > size && live.bytesIn > size)
        }
    }

    @Test func theEndOfAnIdleServerConnectionIsNotTheClients() async throws {
        try await withService { _, entry, listener in
            let client = try TestSocket.connected(to: entry)
            try client.write(.get("/"))
            let upstream = try listener.accept()
            _ = upstream.readHead()
            try upstream.write(.ok("x"))
            #expect(client.readText(String.ok("x").utf8.count) == .ok("x"))
            upstream.endOutput()
            #expect(upstream.read() == .end)
            try client.write(.post("/again", "z"))
            let next = try listener.accept()
            #expect(next.readHead().hasPrefix("POST /again "))
        }
    }

    @Test func otherProtocolsAreNotTouched() async throws {
        try await withService { plane, entry, listener in
            // Server first, then client first with what begins like a method.
            let greeted = try TestSocket.connected(to: entry)
            let greeter = try listener.accept()
            try greeter.write("220 ready\r\n")
            #expect(greeted.readText(11) == "220 ready\r\n")
            try greeted.write("GET / HTTP/1.1\r\n\r\n")
            #expect(greeter.readText(18) == "GET / HTTP/1.1\r\n\r\n")
            let other = try TestSocket.connected(to: entry)
            try other.write("*1\r\n$4\r\nPING\r\n")
            #expect(try listener.accept().readText(14) == "*1\r\n$4\r\nPING\r\n")
            let wires = try await plane.connections().map(\.wire)
            #expect(wires == [.opaque, .opaque])
            let counted = try await plane.detections()
            #expect(counted.kinds.values.reduce(0, +) == 2)
        }
    }
}

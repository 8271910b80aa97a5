import Glibc
import Testing
import WeftCatalog
import WeftCore
import WeftProxy
import WeftTransport

/// Requests of real clients to real servers on loopback, through a data plane that knows both as a service of the mesh.
/// What goes wrong on the way of a request, who is told, and what is tried again.
extension HTTPCarryTests {
    @Test func whatIsNoResponseIsABadGateway() async throws {
        try await withService { _, entry, listener in
            let client = try TestSocket.connected(to: entry)
            try client.write(.post("/", "x"))
            let upstream = try listener.accept()
            _ = upstream.readHead()
            try upstream.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab")
            let head = client.readHead()
            #expect(head.hasPrefix("HTTP/1.1 502 ") && head.contains("weft-flags: upstream-protocol-error\r\n"))
            // A last byte of the request may be on its way; the end is a reset all the same.
            #expect(upstream.readAll().end == .reset)
        }
    }

    enum Ambiguity: String, CaseIterable {
        case bareLineFeed, twoHosts, twoFramings, longHead

        var request: String {
            switch self {
            case .bareLineFeed: "GET / HTTP/1.1\nhost: a\n\n"
            case .twoHosts: "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n"
            case .twoFramings:
                "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
            case .longHead: "GET / HTTP/1.1\r\nhost: a\r\nx: " + String(repeating: "y", count: 70_000) + "\r\n\r\n"
            }
        }

        var status: UInt16 { self == .longHead ? 431 : 400 }
    }

    @Test(arguments: Ambiguity.allCases)
    func aRequestThatIsAmbiguousNeverReachesTheApplication(_ ambiguity: Ambiguity) async throws {
        try await withService { plane, entry, listener in
            let client = try TestSocket.connected(to: entry)
            try client.write(ambiguity.request)
            let head = client.readHead()
            #expect(head.hasPrefix("HTTP/1.1 \(ambiguity.status) ") && head.contains("server: weft\r\n"))
            #expect(head.contains("connection: close\r\n"))
            let upstream = try listener.accept()
            #expect(upstream.readAll().bytes.isEmpty)
            client.endOutput()
            let decision = try #require(try await carry.requests(plane).first)
            #expect(decision.request?.status == ambiguity.status)
            #expect(head.contains("weft-decision: \(decision.id)\r\n"))
        }
    }

    @Test func aResponseThatBreaksOffIsAResetForTheClient() async throws {
        try await withService { plane, entry, listener in
            let client = try TestSocket.connected(to: entry)
            try client.write(.get("/"))
            let upstream = try listener.accept()
            _ = upstream.readHead()
            try upstream.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
            #expect(client.readHead().hasPrefix("HTTP/1.1 200 "))
            #expect(client.readText(4) == "half")
            upstream.endOutput()
            #expect(client.read() == .reset)
            let decision = try #require(try await carry.requests(plane).first)
            #expect(decision.request?.flag == "upstream-reset" && decision.outcome.side == .destination)
        }
    }

    @Test func aServerThatIsNotThereIsExplained() async throws {
        let server = try TestSocket.listener().1
        let snapshot = MeshSnapshot(localServices: [try .api(at: server)])
        try await carry.withPlane(to: server, snapshot: snapshot) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            try client.write(.get("/"))
            let head = client.readHead()
            #expect(head.hasPrefix("HTTP/1.1 503 ") && head.contains("weft-flags: connect-failed\r\n"))
            let decision = try #require(try await carry.requests(plane).first)
            #expect(head.contains("weft-decision: \(decision.id)\r\n"))
            #expect(decision.request?.line == "GET /" && decision.request?.flag == "connect-failed")
        }
    }

    @Test(arguments: ["GET", "POST"])
    func arequestThatReachesNoEndpointGoesToAnother(_ method: String) async throws {
        let (listener, good) = try TestSocket.listener()
        let gone = NetworkAddress(.v4(0x7f00_0002), port: good.port)
        try await withEndpoints([good, gone]) { plane, entry in
            for number in 0..<20 {
                let client = try TestSocket.connected(to: entry)
                try client.write("\(method) /\(number) HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi")
                let upstream = try listener.accept()
                #expect(upstream.readHead().hasPrefix("\(method) /\(number) "))
                #expect(upstream.readText(2) == "hi")
                try upstream.write(.ok("done"))
                #expect(client.readText(String.ok("done").utf8.count) == .ok("done"))
            }
            // Some have met the one that is not there; from then on it was left alone for a while.
            let tried = try await carry.requests(plane)
            #expect(tried.allSatisfy { $0.request?.status == 200 && $0.request?.tries == 2 })
        }
    }

    @Test func aBrokenRequestIsRepeatedOnlyWhereThatIsSafe() async throws {
        let (first, one) = try TestSocket.listener()
        let (second, two) = try TestSocket.listener(at: NetworkAddress(.v4(0x7f00_0002), port: one.port))
        let servers = [first, second]
        try await withEndpoints([one, two]) { plane, entry in
            for method in ["PUT", "POST"] {
                let client = try TestSocket.connected(to: entry)
                try client.write("\(method) / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody")
                let (met, upstream) = try TestSocket.acceptAny(servers)
                _ = upstream.readHead()
                #expect(upstream.readText(4) == "body")
                try upstream.reset()
                if method == "PUT" {
                    let (again, other) = try TestSocket.acceptAny(servers)
                    #expect(again != met)
                    #expect(other.readHead().hasPrefix("PUT / "))
                    #expect(other.readText(4) == "body")
                    try other.write(.ok("twice"))
                    #expect(client.readText(String.ok("twice").utf8.count) == .ok("twice"))
                } else {
                    #expect(client.readHead().hasPrefix("HTTP/1.1 502 "))
                }
            }
            let flags = try await carry.requests(plane).map { $0.request?.flag }
            #expect(flags == ["upstream-reset", nil])
        }
    }

    @Test func theFirstRequestStandsAtTheDoorLikeAnyOther() async throws {
        try await withService { plane, entry, listener in
            var policy = ServicePolicy()
            policy.rate = Rate(1, per: .seconds(3600))
            var policies = ServicePolicies()
            policies.update([try #require(ServiceName("api")): policy])
            plane.publish(policies)
            let first = try TestSocket.connected(to: entry)
            try first.write(.get("/1"))
            let upstream = try listener.accept()
            _ = upstream.readHead()
            try upstream.write(.ok("x"))
            #expect(first.readText(String.ok("x").utf8.count) == .ok("x"))
            // Another connection, which may be on another loop: the rate is that of the host.
            let second = try TestSocket.connected(to: entry)
            try second.write(.get("/2"))
            let head = second.readHead()
            #expect(head.hasPrefix("HTTP/1.1 429 ") && head.contains("weft-flags: rate-limited\r\n"))
            #expect(head.contains("retry-after: "))
        }
    }

    @Test func whenWeftStopsRequestsAreAnsweredAndConnectionsEndInOrder() async throws {
        // One loop: that the idle connection has ended says then that the busy one's loop drains too.
        try await withService(loops: 1) { plane, entry, listener in
            let idle = try TestSocket.connected(to: entry)
            try idle.write(.get("/idle"))
            let first = try listener.accept()
            _ = first.readHead()
            try first.write(.ok("x"))
            #expect(idle.readText(String.ok("x").utf8.count) == .ok("x"))
            let busy = try TestSocket.connected(to: entry)
            try busy.write(.get("/busy"))
            let second = try listener.accept()
            _ = second.readHead()
            // On threads of their own: draining needs one of those that tests share.
            let idleEnd = Blocking.start {
                defer { idle.endOutput() }
                return idle.read()
            }
            let answer = Blocking.start {
                defer { busy.endOutput() }
                return busy.readAll()
            }
            async let drained: Void = plane.drain(deadline: .now + .seconds(8))
            #expect(await idleEnd.value == .end)
            try second.write(.ok("last"))
            let (bytes, end) = await answer.value
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 200 ") && text.contains("connection: close\r\n") && end == .end)
            #expect(text.hasSuffix("\r\n\r\nlast"))
            try await drained
        }
    }
}

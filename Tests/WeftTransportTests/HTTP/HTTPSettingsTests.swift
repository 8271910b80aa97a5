import Testing
import WeftCatalog
import WeftCore
import WeftProxy
import WeftTransport

/// What a service's owner, or a host's configuration, says about who gets a request and what is spoken.
@Suite(.blocking) struct HTTPSettingsTests {
    private let carry = CarryTests()
    private let http = HTTPCarryTests()

    /// Runs `body` before so many endpoints of one service, under a policy.
    private func withEndpoints(
        _ count: Int,
        _ change: (inout ServicePolicy) -> Void,
        _ body: (DataPlane, NetworkAddress, [TestSocket]) async throws -> Void
    ) async throws {
        let (first, address) = try TestSocket.listener()
        var (listeners, addresses) = ([first], [address])
        for index in 1..<UInt32(count) {
            let other = NetworkAddress(.v4(0x7f00_0001 + index), port: address.port)
            listeners.append(try TestSocket.listener(at: other).0)
            addresses.append(other)
        }
        try await http.withEndpoints(addresses) { plane, entry in
            var policy = ServicePolicy()
            change(&policy)
            var policies = ServicePolicies()
            policies.update([try #require(ServiceName("api")): policy])
            plane.publish(policies)
            try await body(plane, entry, listeners)
        }
    }

    /// Which endpoint answers a request on a connection of its own.
    private func answerer(of request: String, at entry: NetworkAddress, _ listeners: [TestSocket]) throws -> Int {
        let client = try TestSocket.connected(to: entry)
        try client.write(request)
        // The connection itself may have been on its way to another one, which hears nothing.
        for _ in listeners.indices {
            let (met, upstream) = try TestSocket.acceptAny(listeners)
            guard upstream.readHead().hasPrefix("GET ") else { continue }
            try upstream.write(.ok("x"))
            #expect(client.readText(String.ok("x").utf8.count) == .ok("x"))
            return met
        }
        throw TestError("nobody was asked")
    }

    private static func get(_ user: String) -> String { "GET / HTTP/1.1\r\nhost: api\r\nX-User:  \(user) \r\n\r\n" }

    @Test func requestsWithTheSameValueGoToTheSameEndpoint() async throws {
        try await withEndpoints(4) {
            $0.affinity = .field("x-user")
        } _: { _, entry, listeners in
            var places: [String: Set<Int>] = [:]
            for _ in 0..<3 {
                for user in (0..<12).map({ "user-\($0)" }) {
                    places[user, default: []].insert(try answerer(of: Self.get(user), at: entry, listeners))
                }
            }
            #expect(places.values.allSatisfy { $0.count == 1 }, "\(places)")
            #expect(Set(places.values.flatMap { $0 }).count > 1, "\(places)")
        }
    }

    @Test func requestsOfOneConnectionGoWhereEachBelongs() async throws {
        try await withEndpoints(3) {
            $0.affinity = .field("x-user")
        } _: { _, entry, listeners in
            let users = (0..<6).map { "user-\($0)" }
            var places: [String: Int] = [:]
            for user in users { places[user] = try answerer(of: Self.get(user), at: entry, listeners) }
            let client = try TestSocket.connected(to: entry)
            var open: [Int: TestSocket] = [:]
            for user in users + users.reversed() {
                try client.write(Self.get(user))
                let place = try #require(places[user])
                var head = ""
                while head.isEmpty {
                    // The connection itself was dialled before it was known where its first request belongs.
                    if let upstream = open[place] { head = upstream.readHead() }
                    guard head.isEmpty else { break }
                    let (met, upstream) = try TestSocket.acceptAny(listeners)
                    open[met] = upstream
                }
                #expect(head.contains("X-User:  \(user) \r\n"))
                try open[place]?.write(.ok(user))
                #expect(client.readText(String.ok(user).utf8.count) == .ok(user))
            }
        }
    }

    @Test func requestsOfOneSourceGoToTheSameEndpoint() async throws {
        try await withEndpoints(4) {
            $0.affinity = .source
        } _: { _, entry, listeners in
            let places = try (0..<12).map { _ in try answerer(of: .get("/"), at: entry, listeners) }
            #expect(Set(places).count == 1, "\(places)")
        }
    }

    @Test func nearEndpointsArePreferred() async throws {
        try await withEndpoints(3) {
            $0.prefersNear = true
        } _: { plane, entry, listeners in
            var distances: [NodeName: Duration] = [:]
            for index in listeners.indices {
                distances[try #require(NodeName("node\(index)"))] = .milliseconds(index == 1 ? 1 : 40)
            }
            plane.publish(distances: distances)
            let places = try (0..<20).map { _ in try answerer(of: .get("/"), at: entry, listeners) }
            #expect(places.allSatisfy { $0 == 1 }, "\(places)")
            // They moved.
            for (node, distance) in distances { distances[node] = .milliseconds(41) - distance }
            plane.publish(distances: distances)
            let later = try (0..<20).map { _ in try answerer(of: .get("/"), at: entry, listeners) }
            #expect(later.allSatisfy { $0 != 1 }, "\(later)")
        }
    }

    /// Runs `body` before a service that declares what it speaks.
    private func withService(
        declaring hint: String,
        _ body: (DataPlane, NetworkAddress, TestSocket) async throws -> Void
    ) async throws {
        let (listener, server) = try TestSocket.listener()
        let snapshot = MeshSnapshot(localServices: [try .api(at: server, declaring: hint)])
        try await carry.withPlane(to: server, snapshot: snapshot) { try await body($0, $1, listener) }
    }

    @Test(arguments: ["tcp", "tls"]) func whatIsDeclaredAsBytesIsCarriedAsBytes(hint: String) async throws {
        try await withService(declaring: hint) { plane, entry, listener in
            let client = try TestSocket.connected(to: entry)
            // A line that may become a request, and never does.
            try client.write("GET")
            let upstream = try listener.accept()
            #expect(upstream.readText(3) == "GET")
            try client.write(" / HTTP/1.1\r\nhost: a\r\n\r\n")
            #expect(upstream.readHead() == " / HTTP/1.1\r\nhost: a\r\n\r\n")
            client.endOutput()
            upstream.endOutput()
            #expect(client.read() == .end)
            try await eventually("a detection") {
                try await plane.detections().kinds.contains { $0.key.found == "opaque" && $0.key.reason == .declared }
            }
        }
    }

    @Test func whatIsDeclaredAsHTTPIsNothingElse() async throws {
        try await withService(declaring: "http") { _, entry, listener in
            let strange = try TestSocket.connected(to: entry)
            try strange.write([0, 1, 2, 3] + Array("\r\n\r\n".utf8))
            #expect(strange.readHead().hasPrefix("HTTP/1.1 400 "))
            let client = try TestSocket.connected(to: entry)
            try client.write(.get("/"))
            // What the other one dialled says nothing.
            var upstream = try listener.accept()
            while !upstream.readHead().hasPrefix("GET / ") { upstream = try listener.accept() }
            try upstream.write(.ok("x"))
            #expect(client.readText(String.ok("x").utf8.count) == .ok("x"))
        }
    }

    /// Three clients wait in vain for weft to see what they speak; the fourth one waits for nothing.
    @Test func nobodyWaitsForLongWhereWaitingWasInVain() async throws {
        let (listener, server) = try TestSocket.listener()
        let snapshot = MeshSnapshot(localServices: [try .api(at: server)])
        try await carry.withPlane(to: server, snapshot: snapshot, loops: 1) { plane, entry in
            for _ in 0...LearnedProtocols.waitsMin {
                let client = try TestSocket.connected(to: entry)
                try client.write("RUOK")
                #expect(try listener.accept().readText(4) == "RUOK")
            }
            let reasons = try await plane.detections().kinds.map { ($0.key.reason, $0.value) }
            #expect(reasons.contains { $0 == (.time, UInt64(LearnedProtocols.waitsMin)) }, "\(reasons)")
            #expect(reasons.contains { $0 == (.learned, 1) }, "\(reasons)")
        }
    }
}

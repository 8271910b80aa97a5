import Testing
import WeftCatalog
import WeftCore
import WeftTransport

/// Connections to services of the mesh: by virtual address and at a peer's own address.
extension CarryTests {
    @Test func aVirtualAddressLeadsToAnEndpointOfThePeer() async throws {
        let (listener, server) = try TestSocket.listener()
        let snapshot = MeshSnapshot.peers([try .api(server, on: "peer")])
        let service = try #require(snapshot.services.first)
        let virtual = try #require(service.virtualAddress)
        let dialled = NetworkAddress(virtual.v4, port: server.port)
        try await withPlane(to: dialled, snapshot: snapshot) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            let upstream = try listener.accept()
            try client.write(Array("hello".utf8))
            #expect(upstream.read() == .bytes(Array("hello".utf8)))
            let live = try #require(try await plane.connections().first)
            #expect(live.path == .peer && live.service == service.name)
            #expect(live.destination.address == dialled)
            client.endOutput()
            upstream.endOutput()
            let decision = try #require(try await decisions(plane, 1).first)
            #expect(decision.path == .peer && decision.service == service.name)
        }
    }

    @Test func endpointsBehindAVirtualAddressTakeTurns() async throws {
        let (first, firstAddress) = try TestSocket.listener()
        // The same port at another loopback address.
        let secondAddress = NetworkAddress(.v4(0x7f00_0002), port: firstAddress.port)
        let (second, _) = try TestSocket.listener(at: secondAddress)
        let snapshot = MeshSnapshot.peers([try .api(firstAddress, on: "one"), try .api(secondAddress, on: "two")])
        let virtual = try #require(snapshot.services.first?.virtualAddress)
        let dialled = NetworkAddress(virtual.v4, port: firstAddress.port)
        try await withPlane(to: dialled, snapshot: snapshot) { plane, entry in
            // The two loops take turns by themselves: of three connections two are on one loop.
            let clients = try (0..<3).map { _ in try TestSocket.connected(to: entry) }
            let upstreams = [try first.accept(), try second.accept()]
            #expect(Set(try upstreams.map { try $0.localAddress }) == [firstAddress, secondAddress])
            #expect(try await plane.connections().count <= clients.count)
        }
    }

    @Test func aPeersOwnAddressIsRecognised() async throws {
        // TEST-NET-1: nobody answers there, and the decision is made before the dial ends.
        let dialled = try #require(NetworkAddress("192.0.2.7:8080"))
        var settings = Self.settings()
        settings.connectTimeout = .milliseconds(200)
        try await withPlane(to: dialled, settings: settings, snapshot: .peers([try .api(dialled, on: "peer")])) {
            plane,
            entry in
            let client = try TestSocket.connected(to: entry)
            let decision = try #require(try await decisions(plane, 1).first)
            #expect(decision.path == .peer && decision.service?.text == "api")
            #expect(decision.destination.address == dialled && decision.outcome.isFailure)
            #expect(client.read() == .reset)
        }
    }
}

import NIOCore
import NIOHTTP2
import NIOPosix
import Testing
import WeftCatalog
import WeftCore
import WeftProxy
import WeftTransport

/// A data plane between HTTP/2 peers on loopback.
struct HTTP2Rig {
    let plane: DataPlane
    let entry: NetworkAddress
    let group: MultiThreadedEventLoopGroup
    let servers: [HTTP2Server]

    func client(settings: HTTP2Settings = []) async throws -> HTTP2Peer {
        try await HTTP2Peer.connected(to: entry, on: group, settings: settings)
    }

    /// The stream that a server of the rig was asked for, and which server that was.
    func call() async throws -> (server: Int, call: HTTP2Call) {
        try await soon("a stream") {
            for (index, server) in servers.enumerated() {
                if let call = server.takeCall() { return (index, call) }
            }
            return nil
        }
    }

    /// With a service of this host.
    static func withService(
        _ planeSettings: DataPlaneSettings = CarryTests.settings(),
        settings: HTTP2Settings = [],
        _ body: (HTTP2Rig) async throws -> Void
    ) async throws {
        try await withGroup { group in
            let server = try await HTTP2Server.start(on: group, settings: settings)
            let snapshot = MeshSnapshot(localServices: [try .api(at: server.address)])
            let carry = CarryTests()
            try await carry.withPlane(to: server.address, settings: planeSettings, snapshot: snapshot) { plane, entry in
                try await body(HTTP2Rig(plane: plane, entry: entry, group: group, servers: [server]))
            }
        }
    }

    /// With a service that has so many endpoints, and as many more that are not there.
    static func withEndpoints(
        _ count: Int,
        missing: Int = 0,
        settings: HTTP2Settings = [],
        _ body: (HTTP2Rig) async throws -> Void
    ) async throws {
        try await withGroup { group in
            var servers = [try await HTTP2Server.start(on: group, settings: settings)]
            let port = servers[0].address.port
            let addresses = (0..<UInt32(count + missing)).map {
                NetworkAddress(.v4(0x7f00_0001 + $0), port: port)
            }
            for address in addresses[1..<max(1, count)] {
                servers.append(try await HTTP2Server.start(on: group, at: address, settings: settings))
            }
            if count == 0 { try await servers.removeFirst().stop() }
            let endpoints = try addresses.enumerated().map { try Endpoint.api($1, on: "node\($0)") }
            let snapshot = MeshSnapshot.peers(endpoints)
            let virtual = try #require(snapshot.services.first?.virtualAddress)
            let dialled = NetworkAddress(virtual.v4, port: port)
            try await CarryTests().withPlane(to: dialled, snapshot: snapshot) { plane, entry in
                try await body(HTTP2Rig(plane: plane, entry: entry, group: group, servers: servers))
            }
        }
    }

    private static func withGroup(_ body: (MultiThreadedEventLoopGroup) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        do {
            try await body(group)
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    /// Decisions about requests, newest first; waits for the first.
    func requests() async throws -> [Decision] {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            let requests = try await plane.decisions(last: 100).filter { $0.request != nil }
            if !requests.isEmpty { return requests }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TestError("no decision about a request after 10 s")
    }
}

extension [(String, String)] {
    static func get(_ path: String) -> [(String, String)] {
        [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "api")]
    }

    static func post(_ path: String, _ more: [(String, String)] = []) -> [(String, String)] {
        [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "api")] + more
    }

    static func grpc(_ path: String) -> [(String, String)] {
        .post(path, [("te", "trailers"), ("content-type", "application/grpc")])
    }
}

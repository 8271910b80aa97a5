import NIOCore
import Testing
import WeftCore

@testable import WeftTransport

/// What a hostile client gets.
extension TunnelTests.ServerTests {
    /// What a hostile client sends after its SETTINGS, and how the tunnel's end is counted.
    @Test(arguments: [
        Abuse("pings", 600, RawFrame(kind: .ping, payload: [UInt8](repeating: 0, count: 8))),
        Abuse("settings", 600, .settings()),
        Abuse("priorities", 600, RawFrame(kind: .priority, stream: 1, payload: [0, 0, 0, 3, 1])),
        Abuse("empty data", 200, .data(1, [])),
        Abuse("window updates", 1200, RawFrame(kind: .windowUpdate, payload: RawFrame.bytes(1))),
        Abuse(
            "endless headers",
            20,
            RawFrame(kind: .continuation, stream: 3, payload: [0]),
            first: .headers(3, [(":method", "CONNECT")], flags: 0)
        ),
        Abuse("window overflow", 2, RawFrame(kind: .windowUpdate, payload: RawFrame.bytes(0x7fff_ffff))),
        Abuse("data on a stream that never was", 1, .data(99, [1])),
        Abuse("oversized frame", 1, .data(1, [UInt8](repeating: 0, count: 70_000))),
        Abuse(
            "oversized headers",
            1,
            .connect(
                3,
                "a:1",
                [("x", String(repeating: "a", count: 65_000)), ("y", String(repeating: "b", count: 1000))]
            )
        ),
    ])
    func abuseEndsTheTunnel(abuse: Abuse) async throws {
        try await withPeer { scene in
            let application = try await connect(scene)
            if let first = abuse.first { try await scene.peer.send(first) }
            // The server may close in the middle of it.
            try? await scene.peer.send([RawFrame](repeating: abuse.frame, count: abuse.count))
            try await scene.peer.expectClosed()
            #expect(application.read() == .reset)
            try await eventually("counted") { try await failure(scene)["violation"] == 1 }
        }
    }

    struct Abuse: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let count: Int
        let frame: RawFrame
        let first: RawFrame?

        init(_ name: String, _ count: Int, _ frame: RawFrame, first: RawFrame? = nil) {
            testDescription = name
            self.count = count
            self.frame = frame
            self.first = first
        }
    }

    @Test func rapidResetsEndTheTunnel() async throws {
        try await withPeer { scene in
            // Each would cost a dial: they go to a listener whose backlog takes them.
            var frames: [RawFrame] = []
            for index in 0..<600 {
                frames += [
                    .connect(UInt32(2 * index + 1), "\(scene.application)"), .reset(UInt32(2 * index + 1), 8),
                ]
            }
            try? await scene.peer.send(frames)
            try await scene.peer.expectClosed()
            #expect(try await failure(scene)["violation"] == 1)
            #expect(scene.peer.frames.contains { $0.kind == .goAway && $0.code == 11 })
        }
    }

    @Test func silentClientIsDeclaredDead() async throws {
        try await withPeer {
            $0.limits.pingInterval = .milliseconds(20)
            $0.limits.pingTimeout = .seconds(1)
        } _: { scene in
            try await scene.peer.expectClosed()
            #expect(try await failure(scene) == ["ping-timeout": 1])
        }
    }

    @Test func pingsAreAnswered() async throws {
        try await withPeer { scene in
            try await scene.peer.send(RawFrame(kind: .ping, payload: [1, 2, 3, 4, 5, 6, 7, 8]))
            let answer = try await scene.peer.expect { $0.kind == .ping && $0.flags == 1 }
            #expect(answer.payload == [1, 2, 3, 4, 5, 6, 7, 8])
        }
    }

    // MARK: A server's ends, seen by our client

    @Test func endAndResetWithoutErrorIsACleanEnd() async throws {
        try await RawServer.with { server in
            var options = TunnelRig.Options()
            options.node = server.address
            options.application = NetworkAddress(.loopbackV4, port: 9)
            try await TunnelRig.with(options) { rig in
                let client = try TestSocket.connected(to: rig.entry)
                let peer = try await server.greeted()
                try await peer.expect { $0.kind == .headers }
                let chunk = RawFrame.data(1, [UInt8](repeating: 3, count: 16000))
                try await peer.send([.headers(1, [(":status", "200")])] + [RawFrame](repeating: chunk, count: 100))
                try await peer.send(.data(1, [], end: true), .reset(1, 0))
                let (bytes, end) = client.readAll()
                #expect(bytes.count == 1_600_000)
                #expect(end == .end)
                client.endOutput()
                try await eventually("completed") {
                    try await rig.onClient { $0.outcomes.map(\.ending) } == [.completed]
                }
            }
        }
    }

    @Test(arguments: [0, 8, 10, 2] as [UInt32])
    func resetWithoutEndIsAReset(code: UInt32) async throws {
        try await RawServer.with { server in
            var options = TunnelRig.Options()
            options.node = server.address
            options.application = NetworkAddress(.loopbackV4, port: 9)
            try await TunnelRig.with(options) { rig in
                let client = try TestSocket.connected(to: rig.entry)
                let peer = try await server.greeted()
                try await peer.expect { $0.kind == .headers }
                try await peer.send(.headers(1, [(":status", "200")]), .data(1, [1, 2]), .reset(1, code))
                #expect(client.readAll().end == .reset)
            }
        }
    }

    @Test func nothingIsSentBeforeTheAnswer() async throws {
        try await RawServer.with { server in
            var options = TunnelRig.Options()
            options.node = server.address
            options.application = NetworkAddress(.loopbackV4, port: 9)
            try await TunnelRig.with(options) { rig in
                let client = try TestSocket.connected(to: rig.entry)
                try client.write([1, 2, 3])
                client.endOutput()
                let peer = try await server.greeted()
                let asked = try await peer.expect { $0.kind == .headers }
                #expect(!asked.isEnd)
                #expect(peer.headers(1) == [":method": "CONNECT", ":authority": "127.0.0.1:9"])
                try await peer.send(RawFrame(kind: .ping, payload: [UInt8](repeating: 0, count: 8)))
                try await peer.expect { $0.kind == .ping && $0.flags == 1 }
                #expect(!peer.frames.contains { $0.kind == .data })
                try await peer.send(.headers(1, [(":status", "200")]))
                try await peer.expect { $0.kind == .data && $0.isEnd }
                #expect(peer.frames.filter { $0.kind == .data }.flatMap(\.payload) == [1, 2, 3])
            }
        }
    }
}

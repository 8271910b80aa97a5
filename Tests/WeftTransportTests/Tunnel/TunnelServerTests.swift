import NIOCore
import NIOPosix
import Synchronization
import Testing
import WeftCore
import WeftProxy

@testable import WeftTransport

extension TunnelTests {
    /// What a server answers to a client that speaks frame by frame: hbone.md sections 5, 6, 8 and 12.
    @Suite struct ServerTests {
        struct Scene {
            let rig: TunnelRig
            let peer: RawPeer
            let listener: TestSocket
            let application: NetworkAddress
        }

        /// Runs `body` with a raw client whose SETTINGS were answered.
        func withPeer(
            _ change: (inout TunnelRig.Options) -> Void = { _ in },
            settings: [(UInt16, UInt32)] = [],
            _ body: (Scene) async throws -> Void
        ) async throws {
            let (listener, application) = try TestSocket.listener(backlog: 1024)
            var options = TunnelRig.Options()
            options.limits.tick = .milliseconds(10)
            options.limits.farewellPause = .seconds(60)
            change(&options)
            try await TunnelRig.with(options) { rig in
                let peer = try await RawPeer.client(to: rig.node, on: rig.group, settings: settings)
                try await peer.expect("SETTINGS") { $0.kind == .settings && $0.flags == 0 }
                try await peer.send(.settingsAnswer)
                try await body(Scene(rig: rig, peer: peer, listener: listener, application: application))
            }
        }

        /// Opens a stream and gives the application's side of it.
        func connect(_ scene: Scene, stream: UInt32 = 1) async throws -> TestSocket {
            try await scene.peer.send(.connect(stream, "\(scene.application)"))
            #expect(try await scene.peer.status(stream) == "200")
            return try scene.listener.accept()
        }

        func failure(_ scene: Scene) async throws -> [String: UInt64] {
            try await scene.rig.onServer { $0.server.counters.failures }
        }

        // MARK: Answers

        @Test func bareConnectIsAnsweredWithTwoHundredAndStaysOpen() async throws {
            try await withPeer { scene in
                let application = try await connect(scene)
                let answer = try await scene.peer.expect { $0.kind == .headers }
                #expect(!answer.isEnd)
                #expect(scene.peer.headers(1) == [":status": "200"])
                try await scene.peer.send(.data(1, [1, 2, 3]))
                #expect(application.read() == .bytes([1, 2, 3]))
                try application.write([4])
                #expect(try await scene.peer.expect { $0.kind == .data }.payload == [4])
            }
        }

        @Test func answerWaitsForTheApplication() async throws {
            try await withPeer { scene in
                try await scene.peer.send(.connect(1, "127.0.0.1:1"))
                #expect(try await scene.peer.status(1) == "503")
                #expect(scene.peer.headers(1)?["weft-reason"] == "refused")
                #expect(try await scene.peer.expect { $0.kind == .headers }.isEnd)
            }
        }

        @Test func junkInHeadersIsIgnored() async throws {
            try await withPeer { scene in
                let junk = [
                    ("baggage", ",,=,="), ("forwarded", "for=\"\""), ("traceparent", "00-zz"), ("x-anything", "\u{e4}"),
                ]
                try await scene.peer.send(.connect(1, "\(scene.application)", junk))
                #expect(try await scene.peer.status(1) == "200")
            }
        }

        @Test(arguments: [
            ("10.9.9.9:80", "400"), ("nonsense", "400"), ("127.0.0.1", "400"), ("127.0.0.1:0", "400"),
            ("127.0.0.1:99999", "400"), ("[::1]:80", "400"), ("127.0.0.1:15008", "503"), ("127.0.0.1:15001", "503"),
            ("name.svc:80", "503"),
        ])
        func badAuthoritiesAreRefused(authority: String, status: String) async throws {
            try await withPeer { scene in
                try await scene.peer.send(.connect(1, authority))
                #expect(try await scene.peer.status(1) == status)
                #expect(try await scene.peer.expect { $0.kind == .headers && $0.stream == 1 }.isEnd)
                _ = try await connect(scene, stream: 3)
            }
        }

        @Test func otherMethodsAreRefusedWithoutHurtingOthers() async throws {
            try await withPeer { scene in
                let application = try await connect(scene)
                try await scene.peer.send(
                    .headers(3, [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a")])
                )
                #expect(try await scene.peer.status(3) == "400")
                // A CONNECT with a path is malformed: that stream is reset, and nothing else.
                try await scene.peer.send(
                    .headers(5, [(":method", "CONNECT"), (":scheme", "https"), (":path", "/"), (":authority", "a:1")])
                )
                let reset = try await scene.peer.expect { $0.kind == .reset && $0.stream == 5 }
                #expect(reset.code == 1)
                try await scene.peer.send(.data(1, [7]))
                #expect(application.read() == .bytes([7]))
            }
        }

        @Test func denialNamesItsRule() async throws {
            try await withPeer {
                $0.decide = { $0.peer.identity.account == "client" ? .deny(rule: "api allow", node: "b") : .allow }
            } _: { scene in
                try await scene.peer.send(.connect(1, "\(scene.application)"))
                #expect(try await scene.peer.status(1) == "401")
                #expect(scene.peer.headers(1)?["weft-denied-by"] == "api allow")
                #expect(scene.peer.headers(1)?["weft-node"] == "b")
            }
        }

        @Test func excessStreamsAreRefusedAndTheRestLive() async throws {
            try await withPeer {
                $0.limits.streamsAccepted = 3
            } _: { scene in
                let eager = try await RawPeer.client(to: scene.rig.node, on: scene.rig.group)
                try await eager.send((0..<5).map { .connect(UInt32(2 * $0 + 1), "\(scene.application)") })
                for stream: UInt32 in [7, 9] {
                    #expect(try await eager.expect { $0.kind == .reset && $0.stream == stream }.code == 7)
                }
                for stream: UInt32 in [1, 3, 5] { #expect(try await eager.status(stream) == "200") }
                #expect(!eager.isClosed)
            }
        }

        // MARK: Ends

        @Test func connectThatEndsItsSideAtOnce() async throws {
            try await withPeer { scene in
                try await scene.peer.send(.connect(1, "\(scene.application)", end: true))
                #expect(try await scene.peer.status(1) == "200")
                let application = try scene.listener.accept()
                #expect(application.read() == .end)
                try application.write([1])
                application.endOutput()
                try await scene.peer.expect { $0.kind == .data && $0.isEnd }
                #expect(scene.peer.frames.filter { $0.kind == .data }.flatMap(\.payload) == [1])
                #expect(!scene.peer.frames.contains { $0.kind == .reset })
            }
        }

        @Test func resetOfTheApplicationIsConnectError() async throws {
            try await withPeer { scene in
                let application = try await connect(scene)
                try application.reset()
                #expect(try await scene.peer.expect { $0.kind == .reset }.code == 10)
            }
        }

        @Test(arguments: [0, 8, 10] as [UInt32])
        func resetOfTheStreamIsAResetForTheApplication(code: UInt32) async throws {
            try await withPeer { scene in
                let application = try await connect(scene)
                try await scene.peer.send(.reset(1, code))
                #expect(application.read() == .reset)
            }
        }

        @Test func endOfTheApplicationWaitsForTheClientAndThenCancels() async throws {
            try await withPeer {
                $0.halfCloseTimeout = .milliseconds(50)
            } _: { scene in
                let application = try await connect(scene)
                application.endOutput()
                try await scene.peer.expect { $0.kind == .data && $0.isEnd }
                #expect(try await scene.peer.expect { $0.kind == .reset }.code == 8)
                #expect(application.read() == .reset)
            }
        }

        @Test func lostConnectionIsAResetForTheApplication() async throws {
            try await withPeer { scene in
                let application = try await connect(scene)
                try await scene.peer.close()
                #expect(application.read() == .reset)
                try await eventually("no tunnel") { try await scene.rig.onServer { $0.server.load.tunnels } == 0 }
            }
        }

        @Test func dataThatTheWindowHoldsBackStillArrivesBeforeTheEnd() async throws {
            // A client with a stream window of 1000 bytes: the end may not overtake what waits for it.
            try await withPeer(settings: [(4, 1000)]) { scene in
                let application = try await connect(scene)
                try application.write([UInt8](repeating: 5, count: 3000))
                application.endOutput()
                func received() -> Int {
                    scene.peer.frames.filter { $0.kind == .data }.reduce(0) { $0 + $1.payload.count }
                }
                try await eventually("the window's worth") { received() == 1000 }
                #expect(!scene.peer.frames.contains { $0.kind == .reset || $0.isEnd })
                try await scene.peer.send(RawFrame(kind: .windowUpdate, stream: 1, payload: RawFrame.bytes(5000)))
                try await scene.peer.expect { $0.kind == .data && $0.isEnd }
                #expect(received() == 3000)
                #expect(!scene.peer.frames.contains { $0.kind == .data && $0.payload.isEmpty && !$0.isEnd })
            }
        }

        // MARK: Windows

        @Test func windowsAreWideAndOpenedByHalves() async throws {
            try await withPeer { scene in
                let settings = try await scene.peer.expect { $0.kind == .settings && $0.flags == 0 }
                #expect(settings.payload.count.isMultiple(of: 6))
                #expect(setting(4, of: settings) == 4 << 20)
                #expect(setting(3, of: settings) == 200)
                #expect(setting(6, of: settings) == 64 << 10)
                let first = try await scene.peer.expect { $0.kind == .windowUpdate && $0.stream == 0 }
                #expect(first.code == 16 << 20 - 65535)
                let application = try await connect(scene)
                let reading = Blocking.start { application.readAll().bytes.count }
                let chunk = RawFrame.data(1, [UInt8](repeating: 1, count: 16384))
                for _ in 0..<16 { try await scene.peer.send([RawFrame](repeating: chunk, count: 10)) }
                try await scene.peer.expect { $0.kind == .windowUpdate && $0.stream == 1 }
                try await scene.peer.send(.data(1, [], end: true))
                #expect(await reading.value == 160 * 16384)
                #expect(scene.peer.frames.filter { $0.kind == .windowUpdate && $0.stream == 1 }.count == 1)
            }
        }

        @Test func windowIsNotOpenedForAReaderThatStalls() async throws {
            try await withPeer { scene in
                let application = try await connect(scene)
                let chunk = RawFrame.data(1, [UInt8](repeating: 1, count: 16384))
                // The whole window: some of it is taken by the kernel's buffers, the rest stays here.
                for _ in 0..<16 { try await scene.peer.send([RawFrame](repeating: chunk, count: 16)) }
                let other = try await connect(scene, stream: 3)
                try await scene.peer.send(.data(3, [9]))
                #expect(other.read() == .bytes([9]))
                try await scene.peer.send(.data(1, [], end: true))
                #expect(application.readAll().bytes.count == 256 * 16384)
            }
        }

        private func setting(_ number: UInt16, of frame: RawFrame) -> Int? {
            for start in stride(from: 0, to: frame.payload.count, by: 6) {
                let bytes = frame.payload[start..<start + 6].map(Int.init)
                if bytes[0] << 8 | bytes[1] == Int(number) { return bytes[2...].reduce(0) { $0 << 8 | $1 } }
            }
            return nil
        }

        // MARK: Drain

        @Test func drainSaysFarewellTwiceAndLetsStreamsEnd() async throws {
            try await withPeer { scene in
                let application = try await connect(scene)
                try await scene.rig.onServer { $0.server.drain() }
                try await scene.peer.expect { $0.kind == .goAway && $0.last == 0x7fff_ffff && $0.code == 0 }
                let ping = try await scene.peer.expect { $0.kind == .ping && $0.flags == 0 }
                // One that was on its way is refused, and may be tried elsewhere.
                try await scene.peer.send(.connect(3, "\(scene.application)"))
                let refused = try await scene.peer.expect { $0.kind == .reset && $0.stream == 3 }
                #expect(refused.code == 7)
                try await scene.peer.send(RawFrame(kind: .ping, flags: 1, payload: ping.payload))
                try await scene.peer.expect { $0.kind == .goAway && $0.last == 1 }
                try await scene.peer.send(.data(1, [1]))
                #expect(application.read() == .bytes([1]))
                #expect(!scene.peer.isClosed)
                application.endOutput()
                try await scene.peer.send(.data(1, [], end: true))
                try await scene.peer.expectClosed()
            }
        }

        @Test func drainedServerTakesNoNewClients() async throws {
            try await withPeer { scene in
                try await scene.rig.onServer { $0.server.drain() }
                #expect(try await scene.rig.failureOfOpen() != nil)
            }
        }
    }
}

import Testing
import WeftCore
import WeftProxy

@testable import WeftTransport

extension TunnelTests {
    /// weft's server against Envoy as the originating peer: hbone.md appendix C.
    @Suite struct EnvoyClientTests {
        /// Of a tunnel that does not come about Envoy makes a FIN, or a RST when its client has said something.
        private static let ends: [TestSocket.ReadResult] = [.end, .reset]

        struct Scene {
            let rig: TunnelRig
            let envoy: Envoy
            let listener: TestSocket

            func connect() async throws -> (client: TestSocket, application: TestSocket) {
                let client = try TestSocket.connected(to: envoy.address)
                return (client, try listener.accept())
            }

            /// What a client hears that says nothing.
            func ask() throws -> TestSocket.ReadResult { try TestSocket.connected(to: envoy.address).read() }

            func server<Value: Sendable>(_ value: @escaping @Sendable (ServerNode) throws -> Value) async throws
                -> Value
            {
                try await rig.onServer(value)
            }
        }

        func withEnvoy(
            as name: String = "client",
            _ values: [String: String] = [:],
            _ change: (inout TunnelRig.Options) -> Void = { _ in },
            _ body: (Scene) async throws -> Void
        ) async throws {
            let (listener, application) = try TestSocket.listener()
            var options = TunnelRig.Options()
            change(&options)
            try await TunnelRig.with(options) { rig in
                try await Envoy.originating(as: name, to: rig.node, authority: application, values) { envoy in
                    try await body(Scene(rig: rig, envoy: envoy, listener: listener))
                }
            }
        }

        @Test func bytesGoBothWaysOfWhomEnvoySaysItIs() async throws {
            try await withEnvoy { scene in
                let (client, application) = try await scene.connect()
                try application.write(Array("220 ready".utf8))
                #expect(client.read() == .bytes(Array("220 ready".utf8)))
                try client.write(Array("hello".utf8))
                #expect(application.read() == .bytes(Array("hello".utf8)))
                let request = try await scene.server { $0.requests.first }
                #expect(request?.peer.identity == TunnelPKI.identity("client"))
                #expect(request?.headers.contains { $0.name == "baggage" } == true)
            }
        }

        @Test func clientEndsFirstAndStillGetsTheWholeAnswer() async throws {
            try await withEnvoy { scene in
                let (client, application) = try await scene.connect()
                try client.write(Array("question".utf8))
                client.endOutput()
                #expect(application.readAll().bytes == Array("question".utf8))
                let answer = (0..<9_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
                let received = Blocking.start { client.readAll() }
                try application.write(answer)
                application.endOutput()
                let (bytes, end) = await received.value
                #expect(bytes == answer)
                #expect(end == .end)
            }
        }

        @Test func serverEndsFirstAndStillGetsTheWholeUpload() async throws {
            try await withEnvoy { scene in
                let (client, application) = try await scene.connect()
                application.endOutput()
                #expect(client.read() == .end)
                let upload = [UInt8](repeating: 9, count: 9_000_000)
                let received = Blocking.start { application.readAll() }
                try client.write(upload)
                client.endOutput()
                let (bytes, end) = await received.value
                #expect(bytes == upload)
                #expect(end == .end)
            }
        }

        @Test func downloadThatEndsWithItsConnectionIsWholeEachTime() async throws {
            try await withEnvoy { scene in
                let answer = [UInt8](repeating: 3, count: 2_000_000)
                for _ in 0..<10 {
                    let (client, application) = try await scene.connect()
                    let received = Blocking.start { client.readAll() }
                    try application.write(answer)
                    application.endOutput()
                    let (bytes, end) = await received.value
                    #expect(bytes == answer)
                    #expect(end == .end)
                    client.endOutput()
                    #expect(application.read() == .end)
                }
                #expect(try await scene.server { $0.server.counters.handshakes } == 1)
            }
        }

        @Test func resetsGoThrough() async throws {
            try await withEnvoy { scene in
                let (client, application) = try await scene.connect()
                try client.write([1])
                #expect(application.read() == .bytes([1]))
                try client.reset()
                #expect(application.read() == .reset)

                let (second, other) = try await scene.connect()
                try second.write([1])
                #expect(other.read() == .bytes([1]))
                try other.reset()
                // Of RST_STREAM(CONNECT_ERROR) Envoy makes a FIN.
                #expect(Self.ends.contains(second.read()))
            }
        }

        @Test func refusalsAreTheEndForItsClient() async throws {
            try await withEnvoy([:]) {
                $0.decide = { _ in .deny(rule: "api allow", node: "b") }
            } _: { scene in
                let heard = try scene.ask()
                #expect(Self.ends.contains(heard))
            }
            try await withEnvoy(["AUTHORITY": "127.0.0.1:1"]) { scene in
                let heard = try scene.ask()
                #expect(Self.ends.contains(heard))
            }
        }

        @Test func ourLimitOfStreamsIsKept() async throws {
            try await withEnvoy([:]) {
                $0.limits.streamsAccepted = 2
            } _: { scene in
                // The first alone: Envoy sends more than it may until it has seen SETTINGS.
                var pairs = [try await scene.connect()]
                for _ in 0..<4 { pairs.append(try await scene.connect()) }
                for (index, pair) in pairs.enumerated() {
                    try pair.client.write([UInt8(index)])
                    #expect(pair.application.read() == .bytes([UInt8(index)]))
                }
                #expect(try await scene.server { $0.server.load.tunnels } == 3)
            }
        }

        @Test func drainLetsItsTunnelFinish() async throws {
            try await withEnvoy { scene in
                let (client, application) = try await scene.connect()
                try await scene.server { $0.server.drain() }
                try await eventually("Envoy has heard") {
                    try scene.envoy.statistic("cluster.hbone.upstream_cx_close_notify") == 1
                }
                try client.write([1])
                #expect(application.read() == .bytes([1]))
                client.endOutput()
                #expect(application.read() == .end)
                application.endOutput()
                #expect(client.read() == .end)
                try await eventually("no tunnel") { try await scene.server { $0.server.load.tunnels } == 0 }
            }
        }

        @Test(arguments: [("foreign", "wrong-trust-domain"), ("rogue", "unknown-authority")])
        func envoyThatDoesNotBelongIsRefusedByName(name: String, reason: String) async throws {
            try await withEnvoy(as: name) { scene in
                let heard = try scene.ask()
                #expect(Self.ends.contains(heard))
                #expect(try await scene.server { $0.server.counters.failures } == [reason: 1])
                #expect(try await scene.server { $0.requests.isEmpty })
            }
        }

        @Test func envoyThatExpectsSomebodyElseIsCounted() async throws {
            try await withEnvoy(["PEER": TunnelPKI.identity("intruder").description]) { scene in
                let heard = try scene.ask()
                #expect(Self.ends.contains(heard))
                try await eventually("counted") {
                    try await scene.server { $0.server.counters.failures.values.reduce(0, +) } == 1
                }
            }
        }

        @Test func deathOfEnvoyIsAResetForTheApplication() async throws {
            try await withEnvoy { scene in
                let (client, application) = try await scene.connect()
                try client.write([1])
                #expect(application.read() == .bytes([1]))
                try scene.envoy.signal("KILL")
                #expect(application.read() == .reset)
                _ = client
            }
        }
    }
}

import Testing
import WeftCore
import WeftProxy

@testable import WeftTransport

extension TunnelTests {
    /// weft's pool against Envoy as the terminating peer: hbone.md appendix B. What Envoy does in each case is measured in
    /// hbone.md, sections 5 to 9.
    @Suite struct EnvoyServerTests {
        /// A process of ours on either side of an Envoy.
        struct Scene {
            let rig: TunnelRig
            let envoy: Envoy
            let listener: TestSocket

            /// A client's connection through the tunnel, and the application's side of it.
            func connect() async throws -> (client: TestSocket, application: TestSocket) {
                let client = try TestSocket.connected(to: rig.entry)
                return (client, try listener.accept())
            }
        }

        func withEnvoy(
            as name: String = "server",
            _ values: [String: String] = [:],
            _ change: @escaping (inout TunnelRig.Options) -> Void = { _ in },
            _ body: (Scene) async throws -> Void
        ) async throws {
            let (listener, application) = try TestSocket.listener()
            try await Envoy.terminating(as: name, values) { envoy in
                var options = TunnelRig.Options()
                options.node = envoy.address
                options.application = application
                change(&options)
                try await TunnelRig.with(options) { rig in
                    try await body(Scene(rig: rig, envoy: envoy, listener: listener))
                }
            }
        }

        @Test func bytesGoBothWays() async throws {
            try await withEnvoy { scene in
                let (client, application) = try await scene.connect()
                try application.write(Array("220 ready".utf8))
                #expect(client.read() == .bytes(Array("220 ready".utf8)))
                let data = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
                for (from, to) in [(client, application), (application, client)] {
                    let sending = Blocking.start { (try? from.write(data)) != nil }
                    #expect(to.read(count: data.count) == data)
                    #expect(await sending.value)
                }
                #expect(try await scene.rig.onClient { $0.pool.counters.handshakes } == 1)
            }
        }

        @Test func clientEndsFirstAndStillGetsTheAnswer() async throws {
            try await withEnvoy { scene in
                let (client, application) = try await scene.connect()
                try client.write(Array("question".utf8))
                client.endOutput()
                #expect(application.readAll().bytes == Array("question".utf8))
                // Less than a stream's window: of more, Envoy may lose the end.
                let answer = [UInt8](repeating: 7, count: 1_000_000)
                let received = Blocking.start { client.readAll() }
                try application.write(answer)
                application.endOutput()
                let (bytes, end) = await received.value
                #expect(bytes == answer)
                #expect(end == .end)
            }
        }

        /// Envoy ends the stream with END_STREAM and RST_STREAM(NO_ERROR) and takes nothing more.
        @Test func serverEndsFirst() async throws {
            try await withEnvoy { scene in
                let (client, application) = try await scene.connect()
                try application.write(Array("goodbye".utf8))
                application.endOutput()
                let (bytes, end) = client.readAll()
                #expect(bytes == Array("goodbye".utf8))
                #expect(end == .end)
            }
        }

        @Test func resetOfTheApplicationIsAResetForTheClient() async throws {
            try await withEnvoy { scene in
                let (client, application) = try await scene.connect()
                try client.write([1])
                #expect(application.read() == .bytes([1]))
                try application.reset()
                #expect(client.read() == .reset)
            }
        }

        @Test func resetOfTheClientEndsTheApplicationsConnection() async throws {
            try await withEnvoy { scene in
                let (client, application) = try await scene.connect()
                try client.write([1])
                #expect(application.read() == .bytes([1]))
                try client.reset()
                // Of a stream's reset Envoy makes a FIN.
                #expect([.end, .reset].contains(application.read()))
            }
        }

        @Test func bodyOfARefusalIsIgnoredAndTheTunnelServesOn() async throws {
            try await withEnvoy { scene in
                let closed = NetworkAddress(.loopbackV4, port: 1)
                #expect(try await scene.rig.failureOfOpen(closed) == .refused(status: 503, because: nil))
                let (client, application) = try await scene.connect()
                try client.write([1])
                #expect(application.read() == .bytes([1]))
                #expect(try await scene.rig.onClient { $0.pool.counters.handshakes } == 1)
            }
        }

        @Test(arguments: ["foreign", "rogue"])
        func clientThatDoesNotBelongIsRefused(name: String) async throws {
            try await withEnvoy([:]) {
                $0.source = name
            } _: { scene in
                guard case .identityRefused? = try await scene.rig.failureOfOpen() else {
                    throw TestError("Envoy took it")
                }
            }
        }

        @Test func clientWithoutCertificateIsRefused() async throws {
            try await withEnvoy([:]) {
                $0.clientTrust = { $0.showsNothing = true }
            } _: { scene in
                guard case .identityRefused? = try await scene.rig.failureOfOpen() else {
                    throw TestError("Envoy took it")
                }
            }
        }

        @Test func envoyThatIsSomebodyElseIsRefused() async throws {
            try await withEnvoy(as: "intruder") { scene in
                let (server, intruder) = (TunnelPKI.identity("server"), TunnelPKI.identity("intruder"))
                let failure = try await scene.rig.failureOfOpen()
                #expect(failure == .identityMismatch(expected: server, presented: intruder))
                // What the log has: both names.
                let words = try #require(failure?.description)
                #expect(words.contains(server.description) && words.contains(intruder.description))
            }
        }

        @Test func itsLimitOfStreamsIsKept() async throws {
            try await withEnvoy(["STREAMS": "2"]) { scene in
                let opened = try await OpenedStreams(scene.rig)
                try await opened.ask(5)
                try await eventually("five streams") { try await opened.counts().successes == 5 }
                #expect(try await scene.rig.onClient { $0.pool.load.tunnels } == 3)
                #expect(try await opened.counts().failures.isEmpty)
            }
        }

        @Test func itsPingsAreAnswered() async throws {
            try await withEnvoy(["PING_INTERVAL": "0.1s", "PING_TIMEOUT": "2s"]) { scene in
                let (client, application) = try await scene.connect()
                try await Task.sleep(for: .seconds(3))
                try client.write([1])
                #expect(application.read() == .bytes([1]))
                #expect(try await scene.rig.onClient { $0.pool.counters.handshakes } == 1)
            }
        }

        /// Envoy says farewell with the next answer on a connection, once all its threads have heard.
        @Test func farewellKeepsOldTunnelsAndMovesNewOnes() async throws {
            try await withEnvoy { scene in
                let (client, application) = try await scene.connect()
                try scene.envoy.ask("POST", "/healthcheck/fail")
                var later: [(client: TestSocket, application: TestSocket)] = []
                try await eventually("another tunnel") {
                    later.append(try await scene.connect())
                    return try await scene.rig.onClient { $0.pool.counters.handshakes } >= 2
                }
                for (n, pair) in ([(client, application)] + later).enumerated() {
                    try pair.client.write([UInt8(n)])
                    #expect(pair.application.read() == .bytes([UInt8(n)]))
                }
            }
        }

        @Test func deathOfEnvoyIsAResetAndThatOfAPausedOneIsNoticed() async throws {
            try await withEnvoy([:]) {
                $0.limits.pingInterval = .milliseconds(100)
                $0.limits.pingTimeout = .seconds(3)
                $0.limits.tick = .milliseconds(20)
            } _: { scene in
                let first = try await scene.connect()
                try first.client.write([1])
                #expect(first.application.read() == .bytes([1]))
                try scene.envoy.signal("STOP")
                #expect(first.client.read() == .reset)
                try scene.envoy.signal("CONT")
                let second = try await scene.connect()
                try second.client.write([2])
                #expect(second.application.read() == .bytes([2]))
                try scene.envoy.signal("KILL")
                #expect(second.client.read() == .reset)
            }
        }
    }
}

import NIOSSL
import Testing
import WeftCore
import WeftProxy

@testable import WeftTransport

extension TunnelTests {
    /// Who is let in, and what the others are told: hbone.md sections 2 and 3.
    @Suite struct HandshakeTests {
        /// Opens one stream between nodes that differ from good ones by `change`.
        func failure(
            _ change: (inout TunnelRig.Options) -> Void,
            server check: (TunnelServerCounters) -> Bool = { _ in true }
        ) async throws -> TunnelFailure? {
            let (listener, application) = try TestSocket.listener()
            var options = TunnelRig.Options()
            options.application = application
            change(&options)
            var failure: TunnelFailure?
            try await TunnelRig.with(options) { rig in
                failure = try await rig.failureOfOpen()
                try await eventually("counted by the server") { try await check(rig.onServer { $0.server.counters }) }
                #expect(try await rig.onServer { $0.requests.count } == (failure == nil ? 1 : 0))
            }
            _ = listener
            return failure
        }

        @Test func goodIdentitiesMeet() async throws {
            #expect(try await failure({ _ in }, server: { $0.handshakes == 1 && $0.failures.isEmpty }) == nil)
        }

        @Test(arguments: [("foreign", "wrong-trust-domain"), ("rogue", "unknown-authority")])
        func clientsThatDoNotBelongAreRefused(source: String, name: String) async throws {
            let failure = try await failure(
                { $0.source = source },
                server: { $0.failures[name] == 1 && $0.handshakes == 0 }
            )
            guard case .identityRefused = failure else { throw TestError("\(String(describing: failure))") }
            #expect(failure?.isIdentity == true)
        }

        @Test func clientWithoutCertificateIsRefused() async throws {
            let failure = try await failure(
                { $0.clientTrust = { $0.showsNothing = true } },
                server: { $0.failures["handshake"] == 1 && $0.handshakes == 0 }
            )
            guard case .identityRefused = failure else { throw TestError("\(String(describing: failure))") }
        }

        @Test func oldTLSIsRefused() async throws {
            let failure = try await failure(
                {
                    $0.clientTrust = {
                        $0.minimumVersion = .tlsv12
                        $0.maximumVersion = .tlsv12
                    }
                },
                server: { $0.failures["handshake"] == 1 }
            )
            #expect(failure == .handshake(reason: "alert-protocol-version"))
        }

        @Test func serverThatIsSomebodyElseIsNamed() async throws {
            let failure = try await failure { $0.serverTrust = { $0.serverName = "intruder" } }
            #expect(
                failure
                    == .identityMismatch(
                        expected: TunnelPKI.identity("server"),
                        presented: TunnelPKI.identity("intruder")
                    )
            )
        }

        @Test(arguments: [("rogue", "unknown-authority"), ("foreign", "wrong-trust-domain")])
        func serversThatDoNotBelongAreRefused(name: String, reason: String) async throws {
            let failure = try await failure { $0.serverTrust = { $0.serverName = name } }
            guard case .peerRefused(let refusal) = failure else { throw TestError("\(String(describing: failure))") }
            #expect(refusal.name == reason)
        }

        @Test func nameThatIsAskedForChoosesTheCertificate() async throws {
            let failure = try await failure {
                $0.serverTrust = { $0.serverName = "intruder" }
                $0.clientTrust = { $0.usesSNI = true }
            }
            #expect(failure == nil)
        }

        @Test func sourceWithoutCertificateDoesNotDial() async throws {
            #expect(try await failure { $0.source = "nobody" } == .noCertificate(TunnelPKI.identity("nobody")))
        }

        @Test func closedPortIsUnreachable() async throws {
            let (listener, address) = try TestSocket.listener()
            _ = consume listener
            #expect(try await failure { $0.node = NetworkAddress(address.ip, port: 1) } == .unreachable(.refused))
        }

        @Test func serverThatSaysNothingTakesTooLong() async throws {
            let (listener, silent) = try TestSocket.listener()
            let failure = try await failure {
                $0.node = silent
                $0.limits.openTimeout = .milliseconds(200)
            }
            // On a machine that is very busy the time can be over before TCP is.
            #expect(failure == .timedOut(.handshake) || failure == .timedOut(.connect))
            _ = listener
        }

        @Test func serverWithoutSettingsIsNotConnected() async throws {
            try await RawServer.with { server in
                let failure = try await failure {
                    $0.node = server.address
                    $0.limits.openTimeout = .seconds(2)
                }
                #expect(failure == .timedOut(.settings))
            }
        }

        @Test func closeAfterTheHandshakeIsAnIdentityError() async throws {
            try await RawServer.with { server in
                let closing = Task {
                    try await server.peer().expect { $0.kind == .settings }; try await server.peer().close()
                }
                let failure = try await failure { $0.node = server.address }
                #expect(failure == .identityRefused(reason: "closed"))
                try await closing.value
            }
        }

        @Test func clientThatSaysNothingIsClosed() async throws {
            var options = TunnelRig.Options()
            options.limits.openTimeout = .milliseconds(100)
            try await TunnelRig.with(options) { rig in
                let client = try TestSocket.connected(to: rig.node)
                #expect(client.read() == .end)
                #expect(try await rig.onServer { $0.server.counters.failures["connect-timeout"] } == 1)
            }
        }

        @Test func reasonsOfTLSHaveShortNames() {
            #expect(tlsReason(NIOSSLError.uncleanShutdown) == "closed")
            #expect(tlsReason(NIOSSLError.handshakeFailed(.sslError([.eofDuringHandshake]))) == "closed")
        }
    }
}

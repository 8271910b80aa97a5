import Crypto
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization
import Testing
import WeftCore
import WeftIdentity
import X509

/// A client that resumes sessions, as Envoy and openssl do: each of its connections is checked all the same, because
/// `IdentitySnapshot.serverContext` makes a new context each time.
@Suite struct ResumptionTests {
    @Test(arguments: [false, true])
    func everyConnectionIsChecked(_ sharesContext: Bool) async throws {
        let forge = try Forge(now: OpenSSLTests.now)
        var prod = TestMesh(authority: forge.authority, now: OpenSSLTests.now)
        let snapshot = try TLSTests.Hosts.snapshot("server-1", [], &prod)
        let key = P256.Signing.PrivateKey()
        let client = try MeshCertificate(der: der(forge.signed(Forge.Plan(), key: key)))
        let files = try PEMFiles(root: [prod.authority.root], chain: [client])
        try files.write("key", key.pemRepresentation)

        let shared = try snapshot.serverContext(forServerName: nil)
        let log = Log()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let context = sharesContext ? shared : try snapshot.serverContext(forServerName: nil)
                    let callback = snapshot.verifier.callback(for: .client, clock: { OpenSSLTests.now }) { verdict in
                        log.verdicts.withLock { $0.append(verdict) }
                    }
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLServerHandler(context: context, customVerificationCallback: callback), Greeter(log),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        defer { server.close(promise: nil) }
        let port = try #require(server.localAddress?.port)
        let session = files.output("session")
        let arguments = [
            "s_client", "-connect", "127.0.0.1:\(port)", "-tls1_3", "-alpn", "h2", "-cert", files.path("leaf"), "-key",
            files.path("key"), "-CAfile", files.path("root"), "-verify_return_error", "-ign_eof",
        ]
        #expect(try files.run(arguments + ["-sess_out", session]) == 0)
        #expect(try files.run(arguments + ["-sess_in", session]) == 0)
        #expect(log.completed.withLock { $0 } == 2)
        let names = try log.verdicts.withLock { $0 }.map { try $0.get().identity.account }
        // With one context for both, the second connection is resumed and nobody looks at its certificate.
        #expect(names == (sharesContext ? ["api"] : ["api", "api"]))
    }
}

/// What the server saw.
private final class Log: Sendable {
    let verdicts = Mutex<[PeerVerifier.Verdict]>([])
    let completed = Mutex(0)
}

/// Says a word after the handshake, which carries the session tickets along, and closes.
private final class Greeter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let log: Log

    init(_ log: Log) { self.log = log }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted? = event as? TLSUserEvent else { return }
        log.completed.withLock { $0 += 1 }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "welcome\n")), promise: nil)
        context.close(promise: nil)
    }
}

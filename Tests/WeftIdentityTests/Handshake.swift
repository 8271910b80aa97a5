import NIOCore
import NIOEmbedded
import NIOSSL
import NIOTLS
import WeftCore
import WeftIdentity

/// Two ends of one TLS connection in memory, run until neither has anything more to say.
final class Handshake {
    private(set) var atClient: PeerVerifier.Verdict?
    private(set) var atServer: PeerVerifier.Verdict?
    private(set) var pinned: Result<MeshCertificate, PeerRefusal>?
    private(set) var errors: [any Error] = []
    /// What ALPN chose at the client and at the server, of those whose handshake ended well.
    private(set) var protocols: [String] = []
    private(set) var versions: [TLSVersion] = []
    private let client = EmbeddedChannel()
    private let server = EmbeddedChannel()

    init(
        client clientContext: NIOSSLContext,
        server serverContext: NIOSSLContext,
        serverName: String?,
        expecting: Set<SpiffeID>? = nil,
        verifiers: (client: PeerVerifier, server: PeerVerifier)? = nil,
        pin: JoinPin? = nil,
        now: WallTime
    ) throws {
        let clientHandler: NIOSSLClientHandler
        if let pin {
            clientHandler = try NIOSSLClientHandler(
                context: clientContext,
                serverHostname: serverName,
                customVerificationCallback: pin.callback(clock: { now }, completion: { self.pinned = $0 })
            )
        } else if let verifiers {
            let callback = verifiers.client.callback(
                for: .server,
                expecting: expecting,
                clock: { now },
                completion: { self.atClient = $0 }
            )
            clientHandler = try NIOSSLClientHandler(
                context: clientContext,
                serverHostname: serverName,
                customVerificationCallback: callback
            )
        } else {
            clientHandler = try NIOSSLClientHandler(context: clientContext, serverHostname: serverName)
        }
        let serverHandler: NIOSSLServerHandler
        if let verifiers {
            let callback = verifiers.server.callback(
                for: .client,
                clock: { now },
                completion: { self.atServer = $0 }
            )
            serverHandler = NIOSSLServerHandler(context: serverContext, customVerificationCallback: callback)
        } else {
            serverHandler = NIOSSLServerHandler(context: serverContext)
        }
        let watchers = (client: Watcher(), server: Watcher())
        try server.pipeline.syncOperations.addHandlers([serverHandler, watchers.server])
        try client.pipeline.syncOperations.addHandlers([clientHandler, watchers.client])
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 15008)
        server.connect(to: address, promise: nil)
        client.connect(to: address, promise: nil)
        exchange()
        collect(clientHandler, watchers.client)
        collect(serverHandler, watchers.server)
    }

    deinit {
        _ = try? client.finish(acceptAlreadyClosed: true)
        _ = try? server.finish(acceptAlreadyClosed: true)
    }

    private func collect(_ handler: NIOSSLHandler, _ watcher: Watcher) {
        errors += watcher.errors
        guard watcher.isCompleted else { return }
        protocols.append(watcher.chosen ?? "")
        if let version = handler.tlsVersion { versions.append(version) }
    }

    /// Carries bytes between the two until both are silent. An error ends a side, and is in `errors`.
    private func exchange() {
        var isBusy = true
        while isBusy {
            isBusy = false
            for (from, to) in [(client, server), (server, client)] {
                from.embeddedEventLoop.run()
                while let bytes = try? from.readOutbound(as: ByteBuffer.self) {
                    isBusy = true
                    // What goes wrong at the other end is seen by its watcher.
                    _ = try? to.writeInbound(bytes)
                    to.embeddedEventLoop.run()
                }
            }
        }
    }

    /// Sends text from the client and gives what came out at the server.
    func echo(_ text: String) throws -> String? {
        client.writeAndFlush(ByteBuffer(string: text), promise: nil)
        exchange()
        return try server.readInbound(as: ByteBuffer.self).map { String(buffer: $0) }
    }
}

/// Keeps what the TLS handler before it tells.
private final class Watcher: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private(set) var errors: [any Error] = []
    private(set) var isCompleted = false
    private(set) var chosen: String?

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent {
            isCompleted = true
            chosen = negotiated
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { errors.append(error) }
}

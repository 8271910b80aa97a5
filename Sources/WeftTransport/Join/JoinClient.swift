package import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
package import WeftCore
package import WeftIdentity

/// Whom the client takes for a host of the mesh.
package enum JoinTrust: Sendable {
    /// A host whose chain ends at the root that a token pins.
    case pin(JoinPin)
    /// A host of the mesh that this host is in already.
    case verifier(PeerVerifier)
}

/// What the join service of another host answered, and who that was.
package struct JoinReply: Sendable {
    package let bytes: [UInt8]
    /// With `.pin`: the root's certificate, which `JoinGrant.accept` asks for.
    package let root: MeshCertificate?
    package let peer: VerifiedPeer
    /// What the peer presented, the leaf first.
    package let chain: [MeshCertificate]

    package init(bytes: [UInt8], root: MeshCertificate?, peer: VerifiedPeer, chain: [MeshCertificate]) {
        self.bytes = bytes
        self.root = root
        self.peer = peer
        self.chain = chain
    }
}

/// Asks the join services of other hosts: one message, one answer, over TLS 1.3 without a certificate of this host's.
///
/// Nothing is said before the other has proved to be a host of the mesh. Exchanges are rare (a join, a renewal every
/// fortnight), so each has a thread of its own for as long as it takes.
package struct JoinClient: Sendable {
    /// For TCP alone, and for everything.
    package static let connectTimeout = Duration.seconds(5)
    package static let timeout = Duration.seconds(10)

    private let dialMark: UInt32?
    private let logger: Logger
    private let clock: @Sendable () -> WallTime
    private let timeout: Duration

    /// - Parameter dialMark: SO_MARK of the dials, so that they are not captured; nil leaves them unmarked.
    package init(dialMark: UInt32?, logger: Logger) {
        self.init(dialMark: dialMark, logger: logger, clock: { WallTime.now() }, timeout: Self.timeout)
    }

    /// With another clock than the host's, and another patience.
    package init(
        dialMark: UInt32?,
        logger: Logger,
        clock: @escaping @Sendable () -> WallTime,
        timeout: Duration
    ) {
        self.dialMark = dialMark
        self.logger = logger
        self.clock = clock
        self.timeout = timeout
    }

    /// One exchange; ends after ten seconds at most.
    ///
    /// `@concurrent` for the reason that `Gossip` gives.
    @concurrent package func ask(
        _ message: [UInt8],
        at address: NetworkAddress,
        trust: JoinTrust
    ) async throws(JoinClientError) -> JoinReply {
        guard message.count <= JoinFrame.requestBytesMax(of: message) else { throw .requestTooLong(message.count) }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let result: Result<JoinReply, JoinClientError>
        do {
            result = .success(try await start(message, at: address, trust: trust, on: group.next()).get())
        } catch {
            result = .failure(error as? JoinClientError ?? .tlsFailed(address, reason: tlsReason(error)))
        }
        // Fails only for a group that has been shut down already.
        try? await group.shutdownGracefully()
        if case .failure(let failure) = result {
            logger.debug("join exchange failed", metadata: ["address": "\(address)", "reason": "\(failure)"])
        }
        return try result.get()
    }

    private func start(
        _ message: [UInt8],
        at address: NetworkAddress,
        trust: JoinTrust,
        on eventLoop: any EventLoop
    ) throws -> EventLoopFuture<JoinReply> {
        let context = try JoinPin.clientContext()
        let target = try SocketAddress(address)
        let promise = eventLoop.makePromise(of: JoinReply.self)
        let (clock, timeout) = (self.clock, self.timeout)
        var bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.nanoseconds(min(Self.connectTimeout, timeout).wholeNanoseconds))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let question = JoinQuestion(
                        message,
                        at: address,
                        trust: trust,
                        clock: clock,
                        timeout: timeout,
                        promise: promise
                    )
                    try channel.pipeline.syncOperations.addHandlers([try question.security(context), question])
                }
            }
        if let dialMark {
            bootstrap = bootstrap.channelOption(
                .socketOption(.init(rawValue: SocketOption.mark.name)),
                value: Int(dialMark)
            )
        }
        bootstrap.connect(to: target).whenFailure { error in
            promise.fail(JoinClientError.unreachable(address, Outcome(dialError: error).ending))
        }
        return promise.futureResult
    }
}

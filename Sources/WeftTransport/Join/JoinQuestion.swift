internal import NIOCore
internal import NIOSSL
internal import NIOTLS
internal import WeftCore
internal import WeftIdentity

/// The client's end of one exchange with a join service: looks at who answers, asks, reads, and is gone.
///
/// The last handler of the pipeline TLS ► JoinQuestion. From the moment that TCP stands it answers its promise, exactly
/// once; a dial that fails is the bootstrap's to report.
final class JoinQuestion: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case securing
        case asked
        case over
    }

    /// Who the other is, by what it presented.
    private struct Verdict {
        let root: MeshCertificate?
        let peer: VerifiedPeer
        let chain: [MeshCertificate]
    }

    private let message: [UInt8]
    private let address: NetworkAddress
    private let trust: JoinTrust
    private let clock: () -> WallTime
    private let timeout: Duration
    private let promise: EventLoopPromise<JoinReply>
    private var phase = Phase.securing
    private var verdict: Result<Verdict, PeerRefusal>?
    private var reader = JoinFrameReader(.answer)
    private var deadline: Scheduled<Void>?

    init(
        _ message: [UInt8],
        at address: NetworkAddress,
        trust: JoinTrust,
        clock: @escaping () -> WallTime,
        timeout: Duration,
        promise: EventLoopPromise<JoinReply>
    ) {
        self.message = message
        self.address = address
        self.trust = trust
        self.clock = clock
        self.timeout = timeout
        self.promise = promise
    }

    /// The TLS handler that asks this one whom to trust.
    func security(_ context: NIOSSLContext) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(
            context: context,
            serverHostname: ServerName.join.text,
            customVerificationCallback: { presented, answer in
                self.verdict = Result { () throws(PeerRefusal) in try self.judge(presented) }
                answer.succeed((try? self.verdict?.get()) == nil ? .failed : .certificateVerified)
            }
        )
    }

    private func judge(_ presented: [NIOSSLCertificate]) throws(PeerRefusal) -> Verdict {
        guard presented.count <= JoinPin.certificatesMax else { throw .malformed("\(presented.count) certificates") }
        var chain: [MeshCertificate] = []
        for certificate in presented {
            guard let der = try? certificate.toDERBytes(), let read = try? MeshCertificate(der: der) else {
                throw .malformed("a certificate")
            }
            chain.append(read)
        }
        let bytes = chain.map(\.der)
        switch trust {
        case .pin(let pin):
            let (root, peer) = try pin.verify(bytes, now: clock())
            return Verdict(root: root, peer: peer, chain: chain)
        case .verifier(let verifier):
            let peer = try verifier.verify(
                bytes,
                as: .server,
                now: clock(),
                certificatesMax: JoinPin.certificatesMax
            )
            // As with a pin: a workload's key does not make a host.
            guard peer.identity.node != nil else { throw .unexpected(peer.identity) }
            return Verdict(root: nil, peer: peer, chain: chain)
        }
    }

    // MARK: The exchange

    func channelActive(context: ChannelHandlerContext) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(timeout.wholeNanoseconds)) {
            let step: JoinClientError.Step = if case .securing = self.phase { .handshake } else { .answer }
            self.fail(.timedOut(self.address, step), context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent, case .securing = phase else { return }
        // A handshake that asked nobody whom it is with has no peer.
        guard (try? verdict?.get()) != nil else {
            return fail(.tlsFailed(address, reason: "unverified"), context)
        }
        guard negotiated == JoinPin.applicationProtocol else { return fail(.notJoinService(address), context) }
        phase = .asked
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: JoinFrame.encode(message))), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .asked = phase else { return }
        do throws(JoinFrameError) {
            guard let answer = try reader.receive(unwrapInboundIn(data).readableBytesView) else { return }
            succeed(answer, context)
        } catch {
            switch error {
            case .tooLong(let count): fail(.answerTooLong(address, count), context)
            case .empty, .trailing: fail(.malformedAnswer(address), context)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(lost(tlsReason(error)), context)
    }

    func channelInactive(context: ChannelHandlerContext) { fail(lost("closed"), context) }

    /// What it means that the connection broke.
    private func lost(_ reason: String) -> JoinClientError {
        switch (phase, verdict) {
        case (.securing, .failure(let refusal)?): .peerRefused(address, refusal)
        case (.securing, _): .tlsFailed(address, reason: reason)
        case (.asked, _), (.over, _): .noAnswer(address)
        }
    }

    // MARK: The end

    private func succeed(_ answer: [UInt8], _ context: ChannelHandlerContext) {
        guard case .success(let verdict)? = verdict else { return fail(lost("unverified"), context) }
        end(context)
        promise.succeed(
            JoinReply(bytes: answer, root: verdict.root, peer: verdict.peer, chain: verdict.chain)
        )
    }

    private func fail(_ failure: JoinClientError, _ context: ChannelHandlerContext) {
        if case .over = phase { return }
        end(context)
        promise.fail(failure)
    }

    private func end(_ context: ChannelHandlerContext) {
        phase = .over
        deadline?.cancel()
        deadline = nil
        context.closeBeneathTLS()
    }
}

extension ChannelHandlerContext {
    /// Closes without TLS's farewell, for whose answer the peer could let us wait.
    func closeBeneathTLS() {
        let beneath = try? pipeline.syncOperations.context(handlerType: NIOSSLHandler.self)
        (beneath ?? self).close(mode: .all, promise: nil)
    }
}

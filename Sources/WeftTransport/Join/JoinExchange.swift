internal import NIOCore
internal import NIOSSL
internal import NIOTLS
internal import WeftCore
internal import WeftIdentity

/// The server's end of one exchange: reads one request, lets the service answer it, and is gone.
///
/// The last handler of the pipeline TLS ► JoinExchange, on its channel's loop.
final class JoinExchange: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Why there was no answer.
    enum Failure: String {
        case tls
        /// The client did not name the protocol.
        case notJoin = "not-join"
        case timedOut = "timed-out"
        case malformed
        /// There are long requests enough already.
        case busy
        /// The client left before it had the answer.
        case closed
        /// The service did not want to answer.
        case unanswered
    }

    private enum Phase {
        case securing
        case reading
        case answering(Task<Void, Never>)
        case writing
        /// The answer is with TLS; only the farewell is left.
        case answered
        case over
    }

    private let remote: NetworkAddress
    private let server: JoinServer
    private var place: JoinPlace?
    private var phase = Phase.securing
    private var reader = JoinFrameReader(.request)
    private var context: ChannelHandlerContext?
    private var deadline: Scheduled<Void>?

    init(with remote: NetworkAddress, place: JoinPlace, server: JoinServer) {
        self.remote = remote
        self.place = place
        self.server = server
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        deadline = context.eventLoop.assumeIsolated().scheduleTask(
            in: .nanoseconds(server.limits.timeout.wholeNanoseconds)
        ) { self.fail(.timedOut) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(.closed)
        self.context = nil
    }

    // MARK: The request

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent, case .securing = phase else { return }
        guard negotiated == JoinPin.applicationProtocol else { return fail(.notJoin) }
        phase = .reading
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch phase {
        case .reading: break
        // One request is all that a connection is for.
        case .answering, .writing: return fail(.malformed)
        case .securing, .answered, .over: return
        }
        do throws(JoinFrameError) {
            let request = try reader.receive(unwrapInboundIn(data).readableBytesView)
            guard !reader.isLong || place?.takeLong() == true else { return fail(.busy) }
            if let request { pass(request, context.eventLoop) }
        } catch {
            fail(.malformed)
        }
    }

    private func pass(_ request: [UInt8], _ eventLoop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let task = Task { [server, remote, place] in
            let answer = await server.answer(request, from: remote)
            // Held until here: a service that is slow keeps its place although the client is gone.
            withExtendedLifetime(place) {}
            eventLoop.execute { bound.value.reply(answer) }
        }
        reader = JoinFrameReader(.request)
        phase = .answering(task)
    }

    // MARK: The answer

    private func reply(_ answer: [UInt8]) {
        guard case .answering = phase, let context else { return }
        guard !answer.isEmpty, answer.count <= JoinFrame.answerBytesMax else { return fail(.unanswered) }
        phase = .writing
        let bytes = ByteBuffer(bytes: JoinFrame.encode(answer))
        context.writeAndFlush(wrapOutboundOut(bytes)).assumeIsolated().whenComplete { result in
            if case .success = result { self.finish() } else { self.fail(.closed) }
        }
    }

    /// TLS says its farewell behind the answer. Clients that do not return it are cut off at the deadline.
    private func finish() {
        guard case .writing = phase else { return }
        phase = .answered
        server.countAnswer()
        context?.close(promise: nil)
    }

    // MARK: The end

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .securing = phase { fail(.tls) } else { fail(.closed) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .securing = phase { fail(.tls) } else { fail(.closed) }
    }

    /// Ends the connection now, whatever it has come to.
    private func fail(_ failure: Failure) {
        switch phase {
        case .over: return
        case .answered: break
        case .answering(let task):
            task.cancel()
            server.count(failure)
        case .securing, .reading, .writing: server.count(failure)
        }
        phase = .over
        deadline?.cancel()
        deadline = nil
        place = nil
        context?.closeBeneathTLS()
    }
}

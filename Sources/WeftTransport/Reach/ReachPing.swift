internal import NIOCore
internal import WeftCore
internal import WeftGossip

/// Sends gossip pings from a connected UDP socket until one is answered. The only handler of its channel.
///
/// With keys each ping goes out encrypted, and in clear text as well where that may be what the other understands. The
/// number in it is random: an answer with that number comes from somebody who saw it.
final class ReachPing: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = ByteBuffer

    /// Datagrams get lost; how often one is sent within the time.
    private static let tries: Int64 = 4

    private let codecs: [PacketCodec]
    private let listener: PacketCodec
    private let sequence = SequenceNumber(UInt32.random(in: 1 ... .max))
    private let timeout: Duration
    private let promise: EventLoopPromise<ReachOutcome>
    private var sending: Scheduled<Void>?
    private var deadline: Scheduled<Void>?
    /// What the kernel told of a datagram that was sent.
    private var refusal: ReachOutcome?
    private var isDone = false

    init(security: WireSecurity, timeout: Duration, promise: EventLoopPromise<ReachOutcome>) {
        var sealed = security
        sealed.mode = .only
        var clear = security
        clear.mode = .have
        let forms = security.keyring.isEmpty ? [clear] : security.hearsClearText ? [sealed, clear] : [sealed]
        codecs = forms.map { PacketCodec(security: $0) }
        // A port that answers in clear text is open, whatever this host would make of it otherwise.
        var lenient = security
        lenient.mode = .send
        listener = PacketCodec(security: lenient)
        self.timeout = timeout
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(timeout.wholeNanoseconds)) {
            self.finish(self.refusal ?? .silent, context)
        }
        send(context)
    }

    private func send(_ context: ChannelHandlerContext) {
        let ping = MemberlistMessage.ping(Ping(sequence: sequence, node: "", source: nil)).encoded()
        var random = SystemRandomNumberGenerator()
        for codec in codecs {
            for datagram in codec.encode([ping], checksum: false, using: &random) {
                context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: datagram)), promise: nil)
            }
        }
        context.flush()
        let pause = TimeAmount.nanoseconds(timeout.wholeNanoseconds / Self.tries)
        sending = context.eventLoop.assumeIsolated().scheduleTask(in: pause) { self.send(context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var (messages, drops): ([MemberlistMessage], [WireError]) = ([], [])
        listener.decode(Array(unwrapInboundIn(data).data.readableBytesView), into: &messages, drops: &drops)
        let isAnswered = messages.contains { message in
            if case .ack(let ack) = message { ack.sequence == sequence } else { false }
        }
        if isAnswered { finish(.open, context) }
    }

    /// Kept for the end: weftd may just be starting there.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { refusal = ReachOutcome(error) }

    func channelInactive(context: ChannelHandlerContext) { finish(refusal ?? .unreachable, context) }

    private func finish(_ outcome: ReachOutcome, _ context: ChannelHandlerContext) {
        guard !isDone else { return }
        isDone = true
        sending?.cancel()
        deadline?.cancel()
        context.close(promise: nil)
        promise.succeed(outcome)
    }
}

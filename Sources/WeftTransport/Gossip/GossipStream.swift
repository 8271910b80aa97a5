internal import NIOCore
internal import WeftCore
internal import WeftGossip

/// The handler of one TCP exchange: reads one message, writes one message, and is gone (serf-protocol.md section 4).
///
/// The last handler of its pipeline, on the gossip loop. Reports to the core exactly once: the message, or why there is
/// none.
final class GossipStream: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let id: StreamID
    private let loop: GossipLoop
    private var decoder: StreamDecoder
    /// What is sent first on a stream that this host dialled.
    private var opening: [UInt8]?
    private let expectsReply: Bool
    private var context: ChannelHandlerContext?
    private var deadline: Scheduled<Void>?
    /// Bytes that have come so far.
    private var receivedBytes = 0
    /// Those of a message that is not complete yet, as counted in `GossipLoop.streamBytes`.
    private var heldBytes = 0
    private var isReported = false

    /// A stream that this host dialled, or with `opening` nil one that was accepted.
    init(_ id: StreamID, loop: GossipLoop, opening: [UInt8]?, expectsReply: Bool, deadline: Instant) {
        self.id = id
        self.loop = loop
        self.decoder = loop.node.streamDecoder(for: id)
        self.opening = opening
        self.expectsReply = expectsReply
        self.deadline = loop.eventLoop.assumeIsolated().scheduleTask(
            deadline: .uptimeNanoseconds(deadline.nanoseconds)
        ) { self.fail(.timedOut) }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        guard let opening else { return }
        self.opening = nil
        let sent = context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: opening)))
        guard !expectsReply else { return }
        isReported = true
        sent.assumeIsolated().whenComplete { _ in self.loop.closeStream(self.id) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isReported else { return }
        let buffer = unwrapInboundIn(data)
        receivedBytes += buffer.readableBytes
        guard hold(receivedBytes) else { return fail(.timedOut) }
        do throws(WireError) {
            if let message = try decoder.receive(buffer.readableBytesView) { report(message) }
        } catch {
            fail(.malformed, error)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { fail(.closed) }
    }

    func channelInactive(context: ChannelHandlerContext) { fail(.closed) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(.closed) }

    /// Counts what is waiting. False when all streams together would hold too much.
    private func hold(_ count: Int) -> Bool {
        loop.streamBytes += count - heldBytes
        heldBytes = count
        return loop.streamBytes <= GossipLoop.streamBytesMax
    }

    private func report(_ message: StreamMessage) {
        isReported = true
        _ = hold(0)
        loop.streamReceived(message, byteCount: receivedBytes, on: id)
    }

    /// Ends the exchange without its message. The core may still want to answer with an error.
    func fail(_ failure: StreamFailure, _ error: WireError? = nil) {
        guard !isReported else { return }
        isReported = true
        _ = hold(0)
        loop.streamFailed(id, failure, error)
    }

    // MARK: What the core wants

    func write(_ bytes: [UInt8]) {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
    }

    /// Closes once everything is sent; NIO sends what was written before it closes its side. The peer reads to the end
    /// of the message and closes, or is cut off at the deadline.
    func finish() {
        isReported = true
        _ = hold(0)
        guard let context else { return end() }
        context.channel.close(mode: .output).assumeIsolated().whenComplete { _ in self.end() }
    }

    /// Closes at once.
    func abandon() {
        isReported = true
        end()
    }

    private func end() {
        deadline?.cancel()
        deadline = nil
        context?.close(promise: nil)
    }
}

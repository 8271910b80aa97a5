internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import WeftCore
internal import WeftProxy

/// The handler of one of a connection's two channels: it translates what the channel reports and does nothing else.
///
/// The last (and only) handler of its pipeline. Reading is never automatic: `Connection` asks for bytes when the other
/// leg can take them.
final class Leg: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let side: RelayMachine.Leg
    /// Cleared when the channel is gone, which breaks the cycle between the two.
    var connection: Connection?
    private(set) var context: ChannelHandlerContext?
    /// A read is due as soon as the other leg is writable again.
    var isReadHeld = false
    /// FIN arrived.
    var isInputEnded = false
    /// FIN is with the kernel.
    var isOutputEnded = false
    /// weft is closing, or has closed, the channel; what it reports from now on is of no interest.
    var isClosing = false

    init(_ side: RelayMachine.Leg) { self.side = side }

    /// The socket while the channel is open.
    var socket: RawSocket? {
        guard let context else { return nil }
        return try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            RawSocket($0)
        }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.connection = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        if side == .client { connection?.run() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection?.received(data, count: unwrapInboundIn(data).readableBytes, from: self)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        connection?.readCompleted(from: self)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { connection?.becameWritable(self) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { connection?.inputEnded(self) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connection?.failed(self, error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection?.becameInactive(self)
    }
}

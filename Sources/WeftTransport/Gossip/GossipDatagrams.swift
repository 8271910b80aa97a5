internal import NIOCore
internal import WeftCore

/// The handler of a UDP socket: hands each datagram to the gossip loop, and flushes once for all that came together.
final class GossipDatagrams: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let loop: GossipLoop

    init(_ loop: GossipLoop) { self.loop = loop }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let source = NetworkAddress(envelope.remoteAddress) else { return }
        loop.datagramReceived(Array(envelope.data.readableBytesView), from: source)
    }

    func channelReadComplete(context: ChannelHandlerContext) { loop.flush() }

    /// ICMP errors of datagrams that were sent (a host that is gone) come up here and are no reason to stop.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

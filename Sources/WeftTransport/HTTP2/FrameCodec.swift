internal import NIOCore
internal import NIOEmbedded
internal import NIOHTTP2

/// The HTTP/2 library's frame machine without a socket: bytes in and frames out, frames in and bytes out.
///
/// The library's handler lives in a channel's pipeline, and a leg may be a stream of a tunnel, which is none. So the
/// handler gets a channel of its own: NIO's embedded one, which is plain code on the thread that calls it. The handler
/// sets no timers and makes no promises, so nothing ever waits for the embedded event loop.
struct FrameCodec {
    private let channel = EmbeddedChannel()
    private let gatherer = Gatherer()
    private let handler: NIOHTTP2Handler

    /// - Parameters:
    ///   - frames: takes what arrives; it is the last handler.
    ///   - written: hears of frames as they leave. It must not write to this codec then.
    init(
        mode: NIOHTTP2Handler.ParserMode,
        limits: HTTP2Limits,
        frames: any ChannelInboundHandler,
        written: any NIOHTTP2FrameDelegate
    ) {
        handler = NIOHTTP2Handler(
            mode: mode,
            frameDelegate: written,
            connectionConfiguration: limits.connectionConfiguration(as: mode),
            streamConfiguration: limits.streamConfiguration
        )
        let pipeline = channel.pipeline.syncOperations
        do {
            try pipeline.addHandlers([gatherer, handler, frames])
            // Makes the channel active; the address means nothing.
            channel.connect(to: try SocketAddress(ipAddress: "::1", port: 0), promise: nil)
        } catch {
            preconditionFailure("a new pipeline takes handlers: \(error)")
        }
    }

    func receive(_ bytes: ByteBuffer) { channel.pipeline.syncOperations.fireChannelRead(NIOAny(bytes)) }

    func write(_ frame: HTTP2Frame) { channel.pipeline.syncOperations.write(NIOAny(frame), promise: nil) }

    func readCompleted() { channel.pipeline.syncOperations.fireChannelReadComplete() }

    /// DATA is held back while the leg is full.
    func setWritable(_ isWritable: Bool) {
        guard channel.isWritable != isWritable else { return }
        channel.isWritable = isWritable
        channel.pipeline.syncOperations.fireChannelWritabilityChanged()
    }

    /// Takes over what is gathered, and calls `sink` early when it is much.
    func flush(into sink: @escaping (ByteBuffer) -> Void) {
        gatherer.sink = sink
        channel.pipeline.syncOperations.flush()
        gatherer.sink = nil
        gatherer.release(into: sink)
    }

    /// Not to be called from within `frames`.
    func close() {
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
    }
}

/// Gathers everything that is written until the next flush in one buffer: HTTP/2 writes a frame's head and its bytes
/// apart.
private final class Gatherer: ChannelOutboundHandler {
    typealias OutboundIn = IOData

    /// So much goes out without waiting for the rest: the leg must have a chance to say that it is full.
    private static let bytesMax = 128 * 1024

    private var pending = ByteBuffer()
    var sink: ((ByteBuffer) -> Void)?

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .byteBuffer(let bytes) = unwrapOutboundIn(data) else {
            preconditionFailure("HTTP/2 writes bytes, never files")
        }
        pending.writeImmutableBuffer(bytes)
        if let sink, pending.readableBytes >= Self.bytesMax { release(into: sink) }
    }

    func flush(context: ChannelHandlerContext) {}

    func release(into sink: (ByteBuffer) -> Void) {
        guard pending.readableBytes > 0 else { return }
        let bytes = pending
        pending = ByteBuffer()
        sink(bytes)
    }
}

internal import NIOCore

/// Gathers everything that one turn of the event loop writes to a tunnel, so that it leaves in one TLS write.
///
/// HTTP/2 writes a frame's head and its bytes apart, and flushes for each stream; without the gate every one of those
/// would be a TLS record and a system call of its own (design.md section 8: 57 against 33 µs of CPU for a request). Sits
/// between TLS and HTTP/2. Bytes are copied once, into one buffer that is used again.
final class FlushGate: ChannelOutboundHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = ByteBuffer

    /// So much goes out without waiting for the end of the turn: the channel must have a chance to say that it is full.
    private static let bytesMax = 128 * 1024
    /// A buffer that has grown beyond is not kept.
    private static let keptMax = 256 * 1024

    private var pending = ByteBuffer()
    private var promises: [EventLoopPromise<Void>] = []
    private var isScheduled = false
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        pending = ByteBuffer()
        for promise in promises { promise.fail(ChannelError.ioOnClosedChannel) }
        promises = []
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .byteBuffer(var bytes) = unwrapOutboundIn(data) else {
            preconditionFailure("HTTP/2 writes bytes, never files")
        }
        pending.writeBuffer(&bytes)
        if let promise { promises.append(promise) }
        if pending.readableBytes >= Self.bytesMax { release(context) }
    }

    func flush(context: ChannelHandlerContext) {
        guard !isScheduled else { return }
        isScheduled = true
        // Tasks of a turn run after its reads.
        context.eventLoop.assumeIsolated().execute {
            self.isScheduled = false
            if let context = self.context { self.release(context) }
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        release(context)
        context.close(mode: mode, promise: promise)
    }

    private func release(_ context: ChannelHandlerContext) {
        guard pending.readableBytes > 0 else { return }
        let bytes = pending
        let promises = self.promises
        self.promises = []
        // TLS has copied the bytes when flush returns, and the storage is this gate's alone again.
        pending = ByteBuffer()
        context.write(wrapOutboundOut(bytes), promise: promises.joined(on: context.eventLoop))
        context.flush()
        reuse(bytes)
    }

    /// Unless more was written meanwhile, or the buffer is too large to keep.
    private func reuse(_ bytes: consuming ByteBuffer) {
        guard pending.readableBytes == 0, bytes.capacity <= Self.keptMax else { return }
        pending = bytes
        pending.clear()
    }
}

extension [EventLoopPromise<Void>] {
    /// One promise that keeps them all; nil for none.
    fileprivate func joined(on eventLoop: any EventLoop) -> EventLoopPromise<Void>? {
        guard !isEmpty else { return nil }
        let promise = eventLoop.makePromise(of: Void.self)
        for each in self { promise.futureResult.cascade(to: each) }
        return promise
    }
}

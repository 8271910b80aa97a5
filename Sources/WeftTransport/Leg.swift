internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import WeftCore
internal import WeftProxy

/// A TCP socket as one end of a relay: the handler of its channel, which translates what the channel reports.
///
/// The last (and only) handler of its pipeline. Reading is never automatic: the relay asks for bytes when the other
/// leg can take them.
final class Leg: ChannelInboundHandler, RelayLeg {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let side: RelayMachine.Leg
    /// Cleared when the channel is gone, which breaks the cycle between the two.
    var owner: (any LegOwner)?
    /// Called once, when the channel is active.
    var whenActive: (() -> Void)?
    private(set) var context: ChannelHandlerContext?
    var isInputEnded = false
    /// FIN is with the kernel.
    private var isOutputEnded = false
    /// weft is closing, or has closed, the channel; what it reports from now on is of no interest.
    private var isClosing = false

    init(_ side: RelayMachine.Leg) { self.side = side }

    /// The socket while the channel is open.
    var socket: RawSocket? {
        guard let context else { return nil }
        return try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            RawSocket($0)
        }
    }

    // MARK: What the channel reports

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.owner = nil
        self.whenActive = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        let whenActive = self.whenActive
        self.whenActive = nil
        whenActive?()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        owner?.received(unwrapInboundIn(data), from: self)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !isClosing { owner?.readCompleted(from: self) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { owner?.becameWritable(self) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent, !isClosing { owner?.inputEnded(self) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !isClosing { owner?.failed(self, .reset) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard !isClosing else { return }
        isClosing = true
        if isOutputEnded, !isInputEnded {
            // NIO closes a channel whose output we ended as soon as its FIN arrives, and reports only that.
            owner?.inputEnded(self)
        } else {
            owner?.failed(self, .reset)
        }
    }

    // MARK: What the relay asks for

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func write(_ bytes: ByteBuffer) { context?.write(wrapOutboundOut(bytes), promise: nil) }

    func flush() { context?.flush() }

    func read() {
        if !isClosing { context?.read() }
    }

    /// A leg that has had its peer's FIN is closed with its own.
    func endOutput() {
        afterFlush {
            guard let context = self.context, !self.isClosing else { return }
            // From here on an orderly end is the truth, also if weftd dies.
            do { try self.socket?.setAbortOnClose(false) } catch {
                self.owner?.failed(self, .reset)
                return
            }
            self.isOutputEnded = true
            let owner = self.owner
            if self.isInputEnded {
                self.isClosing = true
                context.close(mode: .all, promise: nil)
            } else {
                context.close(mode: .output, promise: nil)
            }
            owner?.outputEnded(self)
        }
    }

    /// What the other side had sent before its own reset still arrives.
    func abort(_ ending: Ending) {
        guard let context, !isClosing else { return }
        isClosing = true
        // A reader that has stalled must not keep the connection: after this it is cut.
        let deadline = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(5)) {
            self.closeAborting(context)
        }
        afterFlush {
            deadline.cancel()
            self.closeAborting(context)
        }
    }

    func close() {
        guard !isClosing else { return }
        isClosing = true
        context?.close(mode: .all, promise: nil)
    }

    private func closeAborting(_ context: ChannelHandlerContext) {
        // An end that was already sent cannot be taken back; the option then fails or does nothing, and both are right.
        try? socket?.setAbortOnClose(true)
        context.close(mode: .all, promise: nil)
    }

    /// Calls back when everything written is with the kernel: at once if it is already, never if the leg breaks before
    /// (which reports itself).
    private func afterFlush(_ body: @escaping () -> Void) {
        guard let context else { return }
        let pending = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
        if pending == 0 {
            body()
            return
        }
        context.writeAndFlush(NIOAny(ByteBuffer())).assumeIsolated().whenSuccess(body)
    }
}

internal import Glibc
internal import Logging
internal import NIOCore

/// Holds back accept() while weftd is at its limit of connections or the process is out of descriptors.
///
/// New connections then wait in the listener's backlog, where the kernel keeps them. Sits at the head of a listening
/// channel's pipeline, on its loop.
final class AcceptGate: ChannelDuplexHandler {
    typealias InboundIn = Channel
    typealias OutboundIn = Never

    /// How often a held gate looks again.
    private static let retryInterval = TimeAmount.milliseconds(50)

    private let budget: ConnectionBudget
    private let logger: Logger
    private var isHeld = false
    /// Set by a failed accept: the next look happens after the interval even if the budget has room.
    private var mustWait = false

    init(budget: ConnectionBudget, logger: Logger) {
        self.budget = budget
        self.logger = logger
    }

    func read(context: ChannelHandlerContext) {
        if isHeld { return }
        guard mustWait || budget.isExhausted else {
            context.read()
            return
        }
        mustWait = false
        isHeld = true
        budget.gatePaused()
        logger.warning("accepting paused: connection limit or descriptors exhausted")
        scheduleRetry(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError else {
            context.fireErrorCaught(error)
            return
        }
        logger.warning("accept failed", metadata: ["error": "\(error)"])
        // A client that gave up in the backlog is no reason to wait; the rest are shortages.
        mustWait = error.errnoCode != ECONNABORTED
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isHeld {
            isHeld = false
            budget.gateResumed()
        }
        context.fireChannelInactive()
    }

    private func scheduleRetry(_ context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.retryInterval) {
            guard self.isHeld else { return }
            if self.budget.isExhausted {
                self.scheduleRetry(context)
                return
            }
            self.isHeld = false
            self.budget.gateResumed()
            self.logger.notice("accepting resumed")
            context.read()
        }
    }
}

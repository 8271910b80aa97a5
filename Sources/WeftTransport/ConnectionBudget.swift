internal import Synchronization

/// How many connections are open over all loops, and how many may be. Touched once at the start and once at the end of a
/// connection, never on the byte path.
package final class ConnectionBudget: Sendable {
    private let used = Atomic<Int>(0)
    private let limit: Atomic<Int>
    private let pauses = Atomic<UInt64>(0)
    private let pausedGates = Atomic<Int>(0)

    package init(limit: Int) {
        self.limit = Atomic(limit)
    }

    package var open: Int { used.load(ordering: .relaxed) }

    package var isExhausted: Bool { used.load(ordering: .relaxed) >= limit.load(ordering: .relaxed) }

    /// Whether a listener has stopped accepting for now.
    package var isPaused: Bool { pausedGates.load(ordering: .relaxed) > 0 }

    /// Times that a listener stopped accepting.
    package var pauseCount: UInt64 { pauses.load(ordering: .relaxed) }

    package func setLimit(_ value: Int) { limit.store(value, ordering: .relaxed) }

    func opened() { used.wrappingAdd(1, ordering: .relaxed) }

    func closed() { used.wrappingSubtract(1, ordering: .relaxed) }

    func gatePaused() {
        pauses.wrappingAdd(1, ordering: .relaxed)
        pausedGates.wrappingAdd(1, ordering: .relaxed)
    }

    func gateResumed() { pausedGates.wrappingSubtract(1, ordering: .relaxed) }
}

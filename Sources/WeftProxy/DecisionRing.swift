package import WeftCore

/// The last finished connections of one event loop, in a fixed amount of memory: the oldest gives way.
package struct DecisionRing: Sendable {
    private var slots: [Decision] = []
    private var next = 0
    private let capacity: Int

    /// `capacity` below 1 is raised to 1.
    package init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    package mutating func append(_ decision: Decision) {
        if slots.count < capacity {
            slots.append(decision)
        } else {
            slots[next] = decision
        }
        next = (next + 1) % capacity
    }

    /// Up to `count` decisions, newest first.
    package func last(_ count: Int) -> [Decision] {
        let wanted = min(max(0, count), slots.count)
        return (0..<wanted).map { slots[(next - 1 - $0 + capacity) % capacity] }
    }
}

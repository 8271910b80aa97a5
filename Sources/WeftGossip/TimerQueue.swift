internal import WeftCore

/// Everything that waits for a time, earliest first; of equal times, the one set first.
///
/// Timers are not cancelled: one whose reason has gone is skipped when it comes up (`GossipNode.isDue`), which is cheaper
/// than finding it in the heap. Each reason sets few timers, so the heap stays about as small as what it is for.
struct TimerQueue: Sendable {
    private var heap: [Entry] = []
    private var lastNumber: UInt64 = 0

    /// What happens at a time.
    enum Timer: Sendable, Equatable {
        case probe
        case probeTimeout(SequenceNumber)
        case probeEnd(SequenceNumber)
        case relayedPing(SequenceNumber)
        case gossip
        case pushPull
        case suspicion(MemberName)
        case reap
        case reconnect
        case seeds
        case queueCheck
        case query(QueryKey)
        case leave(LeaveStep)
        case prune(MemberName)
    }

    /// How many timers are set, needless ones included.
    var count: Int { heap.count }

    /// The earliest timer.
    var first: (deadline: Instant, timer: Timer)? { heap.first.map { ($0.deadline, $0.timer) } }

    mutating func set(_ timer: Timer, at deadline: Instant) {
        lastNumber += 1
        heap.append(Entry(deadline: deadline, number: lastNumber, timer: timer))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child] < heap[parent] else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child] < heap[least] {
                least = child
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    mutating func removeAll() { heap = [] }

    private struct Entry: Sendable, Comparable {
        let deadline: Instant
        let number: UInt64
        let timer: Timer

        static func < (left: Entry, right: Entry) -> Bool {
            (left.deadline, left.number) < (right.deadline, right.number)
        }

        static func == (left: Entry, right: Entry) -> Bool { left.number == right.number }
    }
}

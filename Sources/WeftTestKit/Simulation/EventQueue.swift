package import WeftCore

/// Events in the order of their times; of equal times, the one added first. A binary heap of small entries; the events
/// themselves stay where they are.
package struct EventQueue<Event> {
    private var heap: [Entry] = []
    private var slots: [Event?] = []
    private var freeSlots: [Int] = []
    private var lastNumber: UInt64 = 0

    package init() {}

    /// How many events wait.
    package var count: Int { heap.count }

    /// When the next event is due; nil when none waits.
    package var nextTime: Instant? { heap.first?.time }

    /// Adds an event.
    package mutating func add(_ event: Event, at time: Instant) {
        lastNumber += 1
        let slot = keep(event)
        heap.append(Entry(time: time, number: lastNumber, slot: slot))
        raise(heap.count - 1)
    }

    /// Takes the next event out.
    package mutating func removeFirst() -> (time: Instant, event: Event)? {
        guard let first = heap.first, let event = slots[first.slot] else { return nil }
        slots[first.slot] = nil
        freeSlots.append(first.slot)
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            lower(0)
        }
        return (first.time, event)
    }

    private mutating func keep(_ event: Event) -> Int {
        guard let slot = freeSlots.popLast() else {
            slots.append(event)
            return slots.count - 1
        }
        slots[slot] = event
        return slot
    }

    private mutating func raise(_ start: Int) {
        var child = start
        let entry = heap[child]
        while child > 0 {
            let parent = (child - 1) / 2
            guard entry < heap[parent] else { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = entry
    }

    private mutating func lower(_ start: Int) {
        var parent = start
        let entry = heap[parent]
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < entry else { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = entry
    }

    private struct Entry: Comparable {
        let time: Instant
        let number: UInt64
        let slot: Int

        static func < (left: Entry, right: Entry) -> Bool {
            left.time == right.time ? left.number < right.number : left.time < right.time
        }
    }
}

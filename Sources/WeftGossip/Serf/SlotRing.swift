/// Remembers what was seen at each of the last Lamport times, to tell repeated events and queries (section 8.7).
///
/// Slot = time modulo the number of slots, as in Serf, so that both forget the same things. On top of that the items of a
/// time and the bytes in all are bounded: a sender that repeats one time for ever must not fill our memory.
struct SlotRing<Item: Equatable & Sendable>: Sendable {
    private let slotCount: Int
    private let byteLimit: Int
    /// Empty until the first item: most simulated nodes never see one.
    private var slots: [Slot?] = []
    private var byteCount = 0
    /// Items before this time are refused.
    private(set) var minimumTime: LamportTime = 0

    struct Slot: Sendable {
        let time: LamportTime
        fileprivate(set) var items: [Item]
        fileprivate(set) var byteCount: Int
    }

    /// What becomes of an item.
    enum Admission: Sendable, Equatable {
        case new
        case duplicate
        case tooOld
        /// Too much has come at one time.
        case full
    }

    init(slotCount: Int, byteLimit: Int) {
        self.slotCount = max(1, slotCount)
        self.byteLimit = byteLimit
    }

    /// The slots in use, in the order of the ring.
    var used: [Slot] { slots.compactMap { $0 } }

    /// Refuses everything before a time from now on.
    mutating func ignore(before time: LamportTime) { minimumTime = max(minimumTime, time) }

    /// Remembers an item, unless it is known or too old. `clock` is the current time, the item's own witnessed already.
    mutating func admit(_ item: Item, at time: LamportTime, clock: LamportTime, byteCount size: Int) -> Admission {
        let window = UInt64(slotCount)
        guard time >= minimumTime, clock.value <= window || time.value >= clock.value - window else { return .tooOld }
        if slots.isEmpty { slots = Array(repeating: nil, count: slotCount) }
        let index = Int(time.value % window)
        if let slot = slots[index], slot.time == time {
            if slot.items.contains(item) { return .duplicate }
            guard slot.items.count < Self.itemsPerSlot else { return .full }
        } else {
            byteCount -= slots[index]?.byteCount ?? 0
            slots[index] = Slot(time: time, items: [], byteCount: 0)
        }
        slots[index]?.items.append(item)
        slots[index]?.byteCount += size
        byteCount += size
        evict()
        return .new
    }

    /// Items of one time. A large pool may well have a hundred nodes that announce something at the same time.
    private static var itemsPerSlot: Int { 1024 }

    /// Forgets the oldest times while there is too much, and refuses them from then on, as they could not be told from
    /// new ones.
    private mutating func evict() {
        while byteCount > byteLimit {
            let oldest = slots.indices.filter { slots[$0] != nil }.min { before($0, $1) }
            guard let oldest, let slot = slots[oldest] else { return }
            byteCount -= slot.byteCount
            slots[oldest] = nil
            ignore(before: slot.time.next)
        }
    }

    private func before(_ left: Int, _ right: Int) -> Bool {
        (slots[left]?.time ?? 0) < (slots[right]?.time ?? 0)
    }
}

internal import WeftCore

/// News that waits to be sent a limited number of times each (memberlist's TransmitLimitedQueue, section 6.6).
///
/// The order is: fewest transmits first, then longest, then newest. A fetch goes through it once and takes what fits, so
/// fresh news leaves first and small messages fill the gaps that long ones leave.
struct BroadcastQueue: Sendable {
    /// The messages in sending order. Only what decides it, without references: every datagram moves a part of this
    /// around, and under heavy loss there is one for each member of a large pool.
    private var order: [Place] = []
    /// The messages themselves, by the slot that their place names; nil where none is. There are as many slots as messages
    /// ever waited at once.
    private var entries: [Entry?] = []
    private var freeSlots: [Int32] = []
    /// The slot of the message about a name; never iterated.
    private var slots: [MemberName: Int32] = [:]
    private var lastNumber: UInt64 = 0

    /// How many messages wait.
    var count: Int { order.count }

    var isEmpty: Bool { order.isEmpty }

    /// Adds a message. One that is already queued about the same subject is dropped for it; without a subject nothing
    /// is. `source` is where it was heard, and need not be told. Returns a ticket for `contains`.
    @discardableResult
    mutating func add(
        _ message: [UInt8],
        kind: MessageKind,
        about subject: MemberName? = nil,
        heardFrom source: NetworkAddress? = nil
    ) -> Ticket {
        if let subject { remove(about: subject) }
        lastNumber += 1
        let slot = freeSlots.popLast() ?? Int32(entries.count)
        let place = Place(transmits: 0, length: Int32(message.count), number: lastNumber, slot: slot)
        let entry = Entry(subject: subject, source: source, kind: kind, message: message, place: place)
        if Int(slot) < entries.count { entries[Int(slot)] = entry } else { entries.append(entry) }
        if let subject { slots[subject] = slot }
        insert(place)
        return Ticket(number: lastNumber)
    }

    /// Whether the message of a ticket still has to be sent. Linear: for the one or two messages that a leave awaits.
    func contains(_ ticket: Ticket) -> Bool { order.contains { $0.number == ticket.number } }

    /// The ticket of the message about a subject.
    func ticket(about subject: MemberName) -> Ticket? { entry(about: subject).map { Ticket(number: $0.place.number) } }

    /// Takes the messages for one datagram, each costing its length + `overhead`, while they fit in `budget`, and counts
    /// one transmit for each. Messages that have been sent `limit` times leave the queue. What the recipient is sure to
    /// know already is passed over, and so is sent to somebody else instead.
    mutating func fetch(
        for recipient: Recipient? = nil,
        budget: inout Int,
        overhead: Int,
        limit: Int,
        maximumCount: Int,
        _ take: (MessageKind, [UInt8]) -> Void
    ) {
        var index = 0
        var taken: [Int] = []
        while index < order.count, taken.count < maximumCount {
            let free = budget - overhead
            guard free > 0 else { break }
            guard order[index].length <= free else {
                index = firstFitting(free, inTierOf: index)
                continue
            }
            if let entry = entries[Int(order[index].slot)], !entry.isKnown(to: recipient) {
                take(entry.kind, entry.message)
                budget -= overhead + entry.message.count
                taken.append(index)
            }
            index += 1
        }
        requeue(taken, limit: limit)
    }

    /// Drops the most transmitted messages beyond `depth`. Returns how many went.
    @discardableResult
    mutating func prune(to depth: Int) -> Int {
        let surplus = max(0, order.count - depth)
        for place in order.suffix(surplus) { forget(place) }
        order.removeLast(surplus)
        return surplus
    }

    /// Who a datagram is for.
    struct Recipient: Sendable {
        let address: NetworkAddress
        /// Nil when only the address is known.
        let name: MemberName?
    }

    /// Names one message of the queue.
    struct Ticket: Sendable, Equatable {
        fileprivate let number: UInt64
    }
}

extension BroadcastQueue {
    private struct Entry: Sendable {
        let subject: MemberName?
        let source: NetworkAddress?
        let kind: MessageKind
        let message: [UInt8]
        /// Where it stands in `order`.
        var place: Place

        /// The recipient told us, or it is the one that announced itself. Accusations always go to the accused.
        func isKnown(to recipient: Recipient?) -> Bool {
            guard let recipient else { return false }
            return source == recipient.address || kind == .alive && subject != nil && subject == recipient.name
        }
    }

    /// Where a message stands: before all that are greater.
    private struct Place: Sendable, Comparable {
        var transmits: Int32
        let length: Int32
        let number: UInt64
        /// Where the message is; it does not decide the order.
        let slot: Int32

        static func < (left: Place, right: Place) -> Bool {
            if left.transmits != right.transmits { return left.transmits < right.transmits }
            if left.length != right.length { return left.length > right.length }
            return left.number > right.number
        }
    }

    /// The first place from `index` on that is short enough within the tier of equal transmits, else the next tier.
    private func firstFitting(_ length: Int, inTierOf index: Int) -> Int {
        let transmits = order[index].transmits
        return partitionPoint(from: index) { $0.transmits > transmits || $0.length <= length }
    }

    /// The first position that fulfils a condition which stays true from there on.
    private func partitionPoint(from start: Int, _ condition: (Place) -> Bool) -> Int {
        var low = start
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if condition(order[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private func entry(about subject: MemberName) -> Entry? { slots[subject].flatMap { entries[Int($0)] } }

    private mutating func insert(_ place: Place) { order.insert(place, at: partitionPoint(from: 0) { place < $0 }) }

    private mutating func remove(about subject: MemberName) {
        guard let place = entry(about: subject)?.place else { return }
        let index = partitionPoint(from: 0) { !($0 < place) }
        precondition(index < order.count && order[index] == place, "a queued message was lost")
        order.remove(at: index)
        forget(place)
    }

    /// Takes the places at these ascending positions out, and those below the limit back in one tier further down.
    private mutating func requeue(_ positions: [Int], limit: Int) {
        guard let first = positions.first else { return }
        let sent = positions.map { order[$0] }
        var target = first
        for (number, position) in positions.enumerated() {
            let end = number + 1 < positions.count ? positions[number + 1] : order.count
            for index in (position + 1)..<end {
                order[target] = order[index]
                target += 1
            }
        }
        order.removeLast(sent.count)
        for var place in sent {
            place.transmits += 1
            entries[Int(place.slot)]?.place = place
            if place.transmits < limit { insert(place) } else { forget(place) }
        }
    }

    /// Lets the message go that had this place.
    private mutating func forget(_ place: Place) {
        if let subject = entries[Int(place.slot)]?.subject { slots[subject] = nil }
        entries[Int(place.slot)] = nil
        freeSlots.append(place.slot)
    }
}

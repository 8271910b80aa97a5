internal import WeftCore

/// News that waits to be sent a limited number of times each (memberlist's TransmitLimitedQueue, section 6.6).
///
/// The order is: fewest transmits first, then longest, then newest. A fetch goes through it once and takes what fits, so
/// fresh news leaves first and small messages fill the gaps that long ones leave.
struct BroadcastQueue: Sendable {
    /// Messages that are so far unsent often enough, in sending order.
    private var entries: [Entry] = []
    /// Where the message about a name is; never iterated.
    private var places: [MemberName: Entry.Order] = [:]
    private var lastNumber: UInt64 = 0

    /// How many messages wait.
    var count: Int { entries.count }

    var isEmpty: Bool { entries.isEmpty }

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
        let order = Entry.Order(transmits: 0, length: message.count, number: lastNumber)
        insert(Entry(order: order, subject: subject, source: source, kind: kind, message: message))
        return Ticket(number: lastNumber)
    }

    /// Whether the message of a ticket still has to be sent. Linear: for the one or two messages that a leave awaits.
    func contains(_ ticket: Ticket) -> Bool { entries.contains { $0.order.number == ticket.number } }

    /// The ticket of the message about a subject.
    func ticket(about subject: MemberName) -> Ticket? { places[subject].map { Ticket(number: $0.number) } }

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
        while index < entries.count, taken.count < maximumCount {
            let free = budget - overhead
            guard free > 0 else { break }
            guard entries[index].order.length <= free else {
                index = firstFitting(free, inTierOf: index)
                continue
            }
            guard !entries[index].isKnown(to: recipient) else {
                index += 1
                continue
            }
            take(entries[index].kind, entries[index].message)
            budget -= overhead + entries[index].order.length
            taken.append(index)
            index += 1
        }
        requeue(taken, limit: limit)
    }

    /// Drops the most transmitted messages beyond `depth`. Returns how many went.
    @discardableResult
    mutating func prune(to depth: Int) -> Int {
        let surplus = max(0, entries.count - depth)
        for entry in entries.suffix(surplus) { forget(entry) }
        entries.removeLast(surplus)
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
        var order: Order
        let subject: MemberName?
        let source: NetworkAddress?
        let kind: MessageKind
        let message: [UInt8]

        /// The recipient told us, or it is the one that announced itself. Accusations always go to the accused.
        func isKnown(to recipient: Recipient?) -> Bool {
            guard let recipient else { return false }
            return source == recipient.address || kind == .alive && subject != nil && subject == recipient.name
        }

        struct Order: Sendable, Comparable {
            var transmits: Int
            let length: Int
            let number: UInt64

            static func < (left: Order, right: Order) -> Bool {
                if left.transmits != right.transmits { return left.transmits < right.transmits }
                if left.length != right.length { return left.length > right.length }
                return left.number > right.number
            }
        }
    }

    /// The first entry from `index` on that is short enough within the tier of equal transmits, else the next tier.
    private func firstFitting(_ length: Int, inTierOf index: Int) -> Int {
        let transmits = entries[index].order.transmits
        return partitionPoint(from: index) { $0.transmits > transmits || $0.length <= length }
    }

    /// The first position whose order fulfils a condition that stays true from there on.
    private func partitionPoint(from start: Int, _ condition: (Entry.Order) -> Bool) -> Int {
        var low = start
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if condition(entries[middle].order) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private mutating func insert(_ entry: Entry) {
        if let subject = entry.subject { places[subject] = entry.order }
        entries.insert(entry, at: partitionPoint(from: 0) { entry.order < $0 })
    }

    private mutating func remove(about subject: MemberName) {
        guard let order = places.removeValue(forKey: subject) else { return }
        let index = partitionPoint(from: 0) { !($0 < order) }
        precondition(index < entries.count && entries[index].order == order, "a queued message was lost")
        entries.remove(at: index)
    }

    /// Takes the entries at these ascending positions out, and those below the limit back in one tier further down.
    private mutating func requeue(_ positions: [Int], limit: Int) {
        guard let first = positions.first else { return }
        let sent = positions.map { entries[$0] }
        var next = positions.makeIterator()
        var skipped = next.next()
        var target = first
        for index in first..<entries.count {
            if index == skipped {
                skipped = next.next()
            } else {
                entries.swapAt(target, index)
                target += 1
            }
        }
        entries.removeLast(entries.count - target)
        for var entry in sent {
            entry.order.transmits += 1
            if entry.order.transmits < limit { insert(entry) } else { forget(entry) }
        }
    }

    private mutating func forget(_ entry: Entry) {
        if let subject = entry.subject { places[subject] = nil }
    }
}

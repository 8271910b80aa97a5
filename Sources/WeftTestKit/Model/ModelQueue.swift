/// Memberlist's transmit-limited queue as its documentation tells it: fewest transmits first, then longest, then newest;
/// each message leaves after `limit` transmits; news about a member replaces older news about it.
struct ModelQueue: Sendable {
    private var entries: [Entry] = []
    /// Never iterated.
    private var bySubject: [Int32: Key] = [:]
    private var lastNumber: UInt64 = 0

    private struct Key: Comparable, Sendable {
        var transmits: Int
        let length: Int
        let number: UInt64

        static func < (left: Key, right: Key) -> Bool {
            (left.transmits, right.length, right.number) < (right.transmits, left.length, left.number)
        }
    }

    private struct Entry: Sendable {
        var key: Key
        let message: ModelMessage
    }

    var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ message: ModelMessage) {
        if let subject = message.subject, let key = bySubject[subject] { entries.remove(at: place(of: key)) }
        lastNumber += 1
        insert(Entry(key: Key(transmits: 0, length: message.byteCount, number: lastNumber), message: message))
    }

    /// Takes what fits into the budget, and counts a transmit for each message.
    mutating func take(budget: Int, limit: Int) -> [ModelMessage] {
        var free = budget
        var taken: [Int] = []
        for index in entries.indices where free > Self.smallest {
            let cost = entries[index].message.byteCount + 2
            guard cost <= free else { continue }
            free -= cost
            taken.append(index)
        }
        let sent = taken.map { entries[$0] }
        for index in taken.reversed() { entries.remove(at: index) }
        for var entry in sent {
            entry.key.transmits += 1
            if entry.key.transmits < limit {
                insert(entry)
            } else if let subject = entry.message.subject {
                bySubject[subject] = nil
            }
        }
        return sent.map { $0.message }
    }

    /// No message is shorter, its length field included.
    private static let smallest = 35

    private mutating func insert(_ entry: Entry) {
        if let subject = entry.message.subject { bySubject[subject] = entry.key }
        entries.insert(entry, at: place(of: entry.key))
    }

    private func place(of key: Key) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

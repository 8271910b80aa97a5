/// A table of at most `capacity` entries for one event loop, in which forgetting never loses anything: an entry gives way
/// only when the owner says that it is as good as new. A key that finds no such place shares the overflow entry with
/// others in the same plight, so that a stranger who comes with many keys can never push out those that are in use.
///
/// The usual alternative, least recently used, is unfair here: a caller that is limited could be freed of its past by
/// anybody who makes enough noise, and a flood of new keys would evict everybody who is quiet for a moment.
///
/// A search for a place looks at `scanMax` entries, from where the last search stopped, so that each entry is looked at in
/// turn and no insertion takes long. With a hint, finding an entry again is one comparison of keys and no hashing.
struct BoundedTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private static var scanMax: Int { 16 }

    private struct Slot: Sendable {
        var key: Key?
        var value: Value
    }

    /// The first slot is the overflow entry, which has no key.
    private var slots: [Slot]
    private var places: [Key: Int] = [:]
    private var hand = 1
    private let capacity: Int
    /// How often a key had to share the overflow entry.
    private(set) var overflows: UInt64 = 0

    /// `capacity` below 1 is raised to 1.
    init(capacity: Int, overflow: Value) {
        self.capacity = max(1, capacity)
        slots = [Slot(key: nil, value: overflow)]
    }

    /// Entries with a key.
    var count: Int { places.count }

    /// Slots in use and once used, the overflow entry among them; what `place` gives is below it.
    var slotCount: Int { slots.count }

    /// Whose entry is at a place; nil for the overflow entry.
    func key(at place: Int) -> Key? { slots[place].key }

    subscript(place: Int) -> Value {
        get { slots[place].value }
        set { slots[place].value = newValue }
    }

    /// Changes a value where it lies.
    mutating func update<Result>(_ place: Int, _ body: (inout Value) -> Result) -> Result { body(&slots[place].value) }

    /// Where the entry of `key` is; it is made if there is none.
    ///
    /// - Parameter hint: what the last search for this key left; a wrong one costs a search and nothing else.
    mutating func place(
        of key: Key,
        hint: inout TableHint,
        isForgettable: (Value) -> Bool,
        make: () -> Value
    ) -> Int {
        if hint.place < slots.count, slots[hint.place].key == key { return hint.place }
        guard let found = places[key] ?? claim(key, isForgettable, make) else {
            overflows &+= 1
            return 0
        }
        hint.place = found
        return found
    }

    private mutating func claim(_ key: Key, _ isForgettable: (Value) -> Bool, _ make: () -> Value) -> Int? {
        if slots.count <= capacity {
            slots.append(Slot(key: key, value: make()))
            places[key] = slots.count - 1
            return slots.count - 1
        }
        for _ in 0..<min(Self.scanMax, capacity) {
            let place = hand
            hand = hand == capacity ? 1 : hand + 1
            guard isForgettable(slots[place].value) else { continue }
            if let old = slots[place].key { places[old] = nil }
            slots[place] = Slot(key: key, value: make())
            places[key] = place
            return place
        }
        return nil
    }
}

/// Where a key was found last. Kept by whoever asks for the same key again and again, such as a connection for its tenant.
package struct TableHint: Sendable {
    fileprivate(set) var place = 0

    package init() {}
}

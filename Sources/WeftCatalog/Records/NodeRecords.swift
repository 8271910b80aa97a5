internal import WeftCore

/// What is known of one host's records: a set that only learns.
///
/// **State.** For each key the entry with the greatest version that anybody told of, and a floor: up to it the set is
/// complete, so that a key without an entry has none. Removals are entries too ("tombstones"), but only above the
/// floor; below it absence says the same, and so they do not pile up.
///
/// **Merging** two states A and B, the floor of A being the lower: the floor becomes B's; A's entries up to B's floor go
/// unless B has them; of what is left the greatest version of each key stays, and between equal versions the greater
/// bytes. That is commutative, associative and idempotent whatever the entries say, so no order, loss or repetition of
/// messages can keep two hosts apart that have heard the same. A change by itself is a state with floor 0.
struct NodeRecords: Sendable, Equatable {
    /// One key's state in one version.
    struct Entry: Sendable, Equatable {
        let version: UInt64
        let content: RecordContent
        /// Of version and content together.
        let hash: UInt64

        init(version: UInt64, content: RecordContent) {
            self.init(version: version, content: content, encoded: content.encoded)
        }

        /// `encoded` is what `content` was decoded from.
        init(version: UInt64, content: RecordContent, encoded: [UInt8]) {
            self.version = version
            self.content = content
            var number: [UInt8] = []
            number.append(number: version, bytes: 8)
            self.hash = StableHash(number + encoded, purpose: 9).value
        }

        /// How a seal names the entry.
        var mark: UInt32 { UInt32(truncatingIfNeeded: hash) }

        var isLive: Bool { content.record != nil }
    }

    /// Live records that a host may publish.
    static let servicesMax = 1000
    /// Entries kept for a host, tombstones included. Beyond, the lowest versions go: of all that were ever merged those
    /// with the greatest versions stay, so that the bound does not depend on the order either.
    static let entriesMax = 2 * servicesMax

    /// Up to this version the set is complete and has no tombstones.
    private(set) var floor: UInt64
    private(set) var entries: [ServiceRecord.Key: Entry] = [:]
    /// The sum of the live entries' hashes.
    private(set) var hash: UInt64 = 0
    /// The greatest version that was merged.
    private(set) var version: UInt64
    private(set) var liveCount = 0

    init(floor: UInt64 = 0) {
        self.floor = floor
        self.version = floor
    }

    var summary: RecordSummary { RecordSummary(version: version, hash: hash) }

    /// By version, then by key.
    var sortedEntries: [Entry] {
        entries.values.sorted { ($0.version, $0.content.key) < ($1.version, $1.content.key) }
    }

    /// Takes one entry of a state with the given floor. True when the set changed.
    @discardableResult
    mutating func merge(_ entry: Entry, ofFloor theirs: UInt64) -> Bool {
        guard entry.version > floor || theirs >= floor, entry.isLive || entry.version > max(floor, theirs) else {
            return false
        }
        if let known = entries[entry.content.key] {
            guard known.version < entry.version || known.isBeaten(by: entry) else { return false }
        }
        set(entry)
        if entries.count > Self.entriesMax { dropLowest() }
        return true
    }

    /// Takes the floor of another state, whose live entries up to there have these marks. Returns the keys that this
    /// removed. Entries of that state come after its floor.
    mutating func raiseFloor(to theirs: UInt64, keeping marks: Set<UInt32>) -> [ServiceRecord.Key] {
        guard theirs > floor else { return [] }
        let gone = entries.filter { $0.value.version <= theirs && !($0.value.isLive && marks.contains($0.value.mark)) }
        for key in gone.keys { remove(key) }
        floor = theirs
        version = max(version, theirs)
        return Array(gone.keys)
    }

    /// The host itself has said that its records at this version are what this set holds: it is complete.
    mutating func confirm() {
        floor = version
        for (key, entry) in entries where !entry.isLive { entries[key] = nil }
    }

    /// Merges a whole state.
    mutating func merge(_ other: NodeRecords) {
        _ = raiseFloor(to: other.floor, keeping: other.marksBelowFloor)
        for entry in other.sortedEntries { merge(entry, ofFloor: other.floor) }
    }

    /// What a seal lists.
    var marksBelowFloor: Set<UInt32> {
        Set(entries.values.lazy.filter { $0.version <= floor }.map(\.mark))
    }

    private mutating func set(_ entry: Entry) {
        remove(entry.content.key)
        entries[entry.content.key] = entry
        version = max(version, entry.version)
        guard entry.isLive else { return }
        hash &+= entry.hash
        liveCount += 1
    }

    private mutating func remove(_ key: ServiceRecord.Key) {
        guard let entry = entries.removeValue(forKey: key), entry.isLive else { return }
        hash &-= entry.hash
        liveCount -= 1
    }

    private mutating func dropLowest() {
        let lowest = entries.values.min { ($0.version, $0.content.key) < ($1.version, $1.content.key) }
        if let lowest { remove(lowest.content.key) }
    }
}

extension NodeRecords.Entry {
    /// Between two entries of one version, which only a forgery or a host's twin makes.
    fileprivate func isBeaten(by other: Self) -> Bool {
        version == other.version && content.encoded.lexicographicallyPrecedes(other.content.encoded)
    }
}

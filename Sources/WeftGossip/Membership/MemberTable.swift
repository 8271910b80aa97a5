internal import OrderedCollections
internal import WeftCore

/// Everybody a node knows, by name, in probe order.
///
/// The order is random and changes when a probe round ends; positions are good for one call only. Counts are kept up to
/// date with each change, so that no tick has to go through the members. Members leave the middle by trading places with
/// the last one: removal costs the same for any size.
struct MemberTable: Sendable {
    private var members: OrderedDictionary<MemberName, MemberRecord>
    /// How many memberlist knows: the "n" of its formulas.
    private(set) var listedCount = 0
    /// How many are alive or suspect to the failure detector.
    private(set) var reachableCount = 0
    /// How many have each Serf status, by its number.
    private var statusCounts = [Int](repeating: 0, count: 5)
    /// The next position to probe.
    private var cursor = 0

    init(expectedCount: Int) { members = OrderedDictionary(minimumCapacity: expectedCount) }

    /// Everybody, whether memberlist, Serf or both know it.
    var count: Int { members.count }

    /// Members that Serf knows, failed and left ones included: the "n" of its formulas.
    var serfCount: Int { members.count - count(of: .none) }

    /// All records in probe order.
    var records: OrderedDictionary<MemberName, MemberRecord>.Values { members.values }

    subscript(name: MemberName) -> MemberRecord? { members[name] }

    /// How many have this Serf status.
    func count(of status: MemberRecord.Status) -> Int { statusCounts[Int(status.rawValue)] }

    /// Adds a member that is unknown so far, at a random position.
    mutating func insert(_ record: MemberRecord, using rng: inout some RandomNumberGenerator) {
        precondition(members[record.identity.name] == nil, "\(record.identity.name) is known already")
        members[record.identity.name] = record
        tally(record, 1)
        let last = members.count - 1
        let place = Int.random(in: 0...last, using: &rng)
        if place != last { members.swapAt(place, last) }
    }

    /// Changes the record of a known member.
    mutating func update(_ name: MemberName, _ change: (inout MemberRecord) -> Void) {
        guard let index = members.index(forKey: name) else { return }
        tally(members.values[index], -1)
        change(&members.values[index])
        tally(members.values[index], 1)
    }

    /// Forgets a member altogether.
    @discardableResult
    mutating func remove(_ name: MemberName) -> MemberRecord? {
        guard let index = members.index(forKey: name) else { return nil }
        let last = members.count - 1
        if index != last { members.swapAt(index, last) }
        let removed = members.removeLast().value
        tally(removed, -1)
        return removed
    }

    /// Members by the state shown to people. Linear.
    func countsByViewState() -> [Member.State: Int] {
        var counts: [Member.State: Int] = [:]
        for state in Member.State.allCases { counts[state] = 0 }
        for record in members.values where record.isMember { counts[record.viewState, default: 0] += 1 }
        return counts
    }

    private mutating func tally(_ record: MemberRecord, _ delta: Int) {
        if record.isListed { listedCount += delta }
        if record.isReachable { reachableCount += delta }
        statusCounts[Int(record.status.rawValue)] += delta
    }
}

// MARK: - Choosing members

extension MemberTable {
    /// The next member to probe, other than `own`. At the end of a round members that have been dead for long are
    /// forgotten, and the order is shuffled (section 6.5). Nil when there is nobody.
    mutating func nextToProbe(
        except own: MemberName,
        forgettingBefore limit: Instant?,
        using rng: inout some RandomNumberGenerator
    ) -> MemberRecord? {
        var begunRounds = 0
        while true {
            if cursor >= members.count {
                // The rest of one round and the whole of the next: nobody was left out.
                guard begunRounds == 0 else { return nil }
                begunRounds += 1
                beginRound(forgettingBefore: limit, using: &rng)
            }
            guard cursor < members.count else { return nil }
            let record = members.values[cursor]
            cursor += 1
            if record.isReachable, record.identity.name != own { return record }
        }
    }

    private mutating func beginRound(forgettingBefore limit: Instant?, using rng: inout some RandomNumberGenerator) {
        if let limit { forget(before: limit) }
        reorder(using: &rng)
    }

    /// Begins a new round in a new order.
    mutating func reorder(using rng: inout some RandomNumberGenerator) {
        cursor = 0
        members.shuffle(using: &rng)
    }

    /// Takes members that have been dead or left since before `limit` out of memberlist's list.
    private mutating func forget(before limit: Instant) {
        guard listedCount > reachableCount else { return }
        let expired = members.values.filter {
            ($0.detected == .dead || $0.detected == .left) && $0.detectedSince < limit
        }
        for record in expired {
            let name = record.identity.name
            if record.isMember { update(name) { $0.detected = .forgotten } } else { remove(name) }
        }
    }

    /// Up to `count` different random members that match. Tries random positions first, which is quick when many
    /// match; else, and in small pools, looks at everybody.
    func sample(
        _ count: Int,
        using rng: inout some RandomNumberGenerator,
        where matches: (MemberRecord) -> Bool
    ) -> [MemberRecord] {
        guard members.count > Self.smallPool else { return sampleAll(count, using: &rng, where: matches) }
        var chosen: [Int] = []
        for _ in 0..<(Self.triesPerMember * count) where chosen.count < count {
            let index = Int.random(in: 0..<members.count, using: &rng)
            if !chosen.contains(index), matches(members.values[index]) { chosen.append(index) }
        }
        guard chosen.count == count else { return sampleAll(count, using: &rng, where: matches) }
        return chosen.map { members.values[$0] }
    }

    /// Up to this many members, looking at everybody costs no more than guessing.
    private static let smallPool = 32
    /// Guesses for each member wanted: with half of the pool matching, failing them all is one in 65,536.
    private static let triesPerMember = 16

    private func sampleAll(
        _ count: Int,
        using rng: inout some RandomNumberGenerator,
        where matches: (MemberRecord) -> Bool
    ) -> [MemberRecord] {
        var candidates = members.values.indices.filter { matches(members.values[$0]) }
        let wanted = min(count, candidates.count)
        for place in 0..<wanted {
            candidates.swapAt(place, Int.random(in: place..<candidates.count, using: &rng))
        }
        return candidates.prefix(wanted).map { members.values[$0] }
    }
}

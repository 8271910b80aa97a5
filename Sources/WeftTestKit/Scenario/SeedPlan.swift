internal import WeftCore
internal import WeftGossip

/// Everything about a run that is decided before it begins, drawn from its seed.
struct SeedPlan {
    let seed: UInt64
    let nodeCount: Int
    /// Which kinds of fault this run has; none at all in one of eight.
    let kinds: [FaultKind]
    let keys: [[UInt8]]
    let label: [UInt8]
    let compression: Bool
    /// Every host's; tests of the checkers make it worse than any that is drawn.
    var timing: GossipTiming
    let timingName: String
    /// How long faults go on.
    let faultTime: Duration
    /// Hosts that run with what stock agents do: no tag `weft`, no seeds.
    let stockLike: Set<Int>
    /// How often something is done in the pool.
    let workInterval: Duration
    /// How often a fault begins.
    let faultInterval: Duration

    init(seed: UInt64, nodeCount: Int?) {
        var random = SeededRandom(seed: seed, part: 3)
        self.seed = seed
        let drawnCount = random.chance(0.75) ? random.number(3...6) : random.number(7...12)
        self.nodeCount = nodeCount ?? drawnCount
        let isQuiet = random.chance(0.125)
        let share = [0.2, 0.4, 0.7][random.number(0...2)]
        let drawnKinds = random.some(of: FaultKind.allCases, share)
        kinds = isQuiet ? [] : drawnKinds
        let key = (0..<[16, 24, 32][random.number(0...2)]).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        keys = random.chance(0.35) ? [key] : []
        label = random.chance(0.15) ? Array("pool".utf8) : []
        compression = random.chance(0.3)
        let isLocal = random.chance(0.5)
        timing = isLocal ? .local : .lan
        timingName = isLocal ? "local" : "lan"
        faultTime = random.duration(.seconds(20)...(.seconds(60)))
        let allStock = random.chance(0.15)
        let drawnStock = random.some(of: Array(0..<self.nodeCount), 0.3)
        stockLike = Set(allStock ? Array(0..<self.nodeCount) : drawnStock)
        workInterval = random.duration(.seconds(1)...(.seconds(5)))
        faultInterval = random.duration(.seconds(2)...(.seconds(10)))
    }

    /// The configuration of one host's node.
    func configuration(of host: Int, tags: Tags) -> GossipConfiguration {
        var configuration = GossipConfiguration(
            name: MemberName(simulatedHost: host),
            advertise: NetworkAddress(simulatedHost: host),
            tags: tags,
            keys: keys
        )
        configuration.label = label
        configuration.compression = compression
        configuration.timing = timing
        if stockLike.contains(host) { configuration.timing.seedInterval = .zero }
        return configuration
    }

    /// The tags of a host's node after so many changes.
    func tags(of host: Int, version: Int) -> Tags {
        var tags: Tags = ["v": "\(version)", "host": "\(host)"]
        if !stockLike.contains(host) { tags[MemberIdentity.weftTag] = "1" }
        return tags
    }

    /// In one line, for people.
    var summary: String {
        let faults = kinds.isEmpty ? "none" : kinds.map(\.rawValue).joined(separator: ", ")
        let security = keys.isEmpty ? "plain" : "AES-\(8 * keys[0].count)"
        let stock = "\(stockLike.count) stock-like"
        return
            "\(nodeCount) nodes (\(stock)), \(timingName), \(security), \(faultTime.inSeconds) s of faults: \(faults)"
    }
}

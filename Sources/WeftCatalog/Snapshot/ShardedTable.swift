internal import WeftCore

/// A dictionary in pieces, for tables of which each snapshot keeps its own version.
///
/// A copy shares everything. Changing a key then copies the spine (one word per shard) and the one shard that the key
/// falls into, and leaves the others shared: with 20,000 entries a change copies about 80 of them instead of all. Swift's
/// arrays and dictionaries do that by themselves when a dictionary per shard lies in an array; this type chooses the
/// shard and counts what was copied.
struct ShardedTable<Key: ShardKey, Value: Sendable>: Sendable {
    /// A power of two. More shards make a larger spine to copy, fewer make larger shards.
    static var shardCount: Int { 256 }

    private var shards = [[Key: Value]](repeating: [:], count: Self.shardCount)
    private(set) var count = 0
    /// Shards that were changed since `startCounting`.
    private(set) var touched: Set<Int> = []

    init() {}

    subscript(key: Key) -> Value? {
        get { shards[Self.shard(of: key)][key] }
        set {
            let shard = Self.shard(of: key)
            touched.insert(shard)
            let before = shards[shard].count
            shards[shard][key] = newValue
            count += shards[shard].count - before
        }
    }

    /// In no order.
    var keys: some Sequence<Key> { shards.lazy.flatMap(\.keys) }

    /// In no order.
    var values: some Sequence<Value> { shards.lazy.flatMap(\.values) }

    /// Forgets which shards were changed.
    mutating func startCounting() { touched = [] }

    private static func shard(of key: Key) -> Int {
        // The high bits of a product depend on all bits of its factors.
        Int(truncatingIfNeeded: (key.shardBits &* 0x9e37_79b9_7f4a_7c15) >> 56) & (shardCount - 1)
    }
}

/// A key that says in which shard it lies: cheaply, as every lookup asks it.
protocol ShardKey: Hashable, Sendable {
    var shardBits: UInt64 { get }
}

extension NetworkAddress: ShardKey {
    var shardBits: UInt64 {
        switch ip {
        case .v4(let bits): UInt64(bits) << 16 | UInt64(port)
        case .v6(let high, let low): (high &* 31 &+ low) &* 31 &+ UInt64(port)
        }
    }
}

extension ServiceName: ShardKey {
    var shardBits: UInt64 { StableHash(text.utf8).value }
}

package import WeftCore

/// Whose retries are counted together: those of one source to one service.
package struct RetryKey: Hashable, Sendable {
    /// The unit, `host`, or the identity of a caller on another host.
    package let source: String
    package let service: ServiceName

    package init(source: String, service: ServiceName) {
        self.source = source
        self.service = service
    }
}

/// The retry budgets of one event loop: how many retries each source may add to a service that is in trouble.
///
/// A budget has two parts. 20 % of the requests of the last 10 s, which each loop counts for itself, as the parts of the
/// loops add up to the part of the host; and a floor of 10 per second, which the loops share (`floors`), as it would
/// otherwise grow with the number of cores. The floor is a reserve of one second's worth, filled at nine tenths of its
/// rate: in any 10 s it gives 10 + 9 x 10 = 100, ten per second exactly. So over any time T from 10 s on, a source sends
/// at most 1.2 x its requests + 10/s x T.
///
/// Bounded: 1024 pairs; further ones share a budget (`BoundedTable`). Used on its loop only; `floors` by all of them.
package struct RetryBudgets: Sendable {
    package static let pairsMax = 1024

    private struct Entry: Sendable {
        var window = RetryWindow()
        /// Names the pair in `floors`.
        let floor: UInt64
    }

    private var table: BoundedTable<RetryKey, Entry>
    private let floors: SharedBuckets
    private let secret: UInt64
    /// Retries that were granted and refused.
    package private(set) var granted: UInt64 = 0
    package private(set) var refused: UInt64 = 0

    /// - Parameters:
    ///   - floors: one for all loops of the daemon.
    ///   - secret: random, and the same for all of them.
    package init(floors: SharedBuckets, secret: UInt64, pairsMax: Int = Self.pairsMax) {
        self.floors = floors
        self.secret = secret
        table = BoundedTable(capacity: pairsMax, overflow: Entry(floor: 1))
    }

    /// How often a pair found no place and shared the common budget.
    package var overflows: UInt64 { table.overflows }

    /// Counts a request when it comes in; its retries do not count again.
    package mutating func countRequest(_ key: RetryKey, hint: inout TableHint, now: Instant) {
        let place = place(of: key, &hint, now)
        table.update(place) { $0.window.countRequest(now: now) }
    }

    /// Whether a retry may be sent; counts it if so.
    package mutating func takeRetry(_ key: RetryKey, hint: inout TableHint, policy: RetryPolicy, now: Instant) -> Bool {
        let place = place(of: key, &hint, now)
        let isPaid = table.update(place) { $0.window.takeRetry(percent: policy.budgetPercent, now: now) }
        let isGranted = isPaid || takeFloor(table[place].floor, policy, now)
        if isGranted { granted += 1 } else { refused += 1 }
        return isGranted
    }

    private func takeFloor(_ key: UInt64, _ policy: RetryPolicy, _ now: Instant) -> Bool {
        let perSecond = policy.floorPerSecond
        // At nine tenths, in whole retries per 10 s.
        guard let rate = Rate(9 * perSecond, per: .seconds(10), burst: perSecond) else { return false }
        return floors.take(key, at: rate, now: now) == nil
    }

    private mutating func place(of key: RetryKey, _ hint: inout TableHint, _ now: Instant) -> Int {
        table.place(
            of: key,
            hint: &hint,
            isForgettable: { $0.window.isEmpty(now: now) },
            make: { Entry(floor: Self.hash(key, secret)) }
        )
    }

    private static func hash(_ key: RetryKey, _ secret: UInt64) -> UInt64 {
        var hash = KeyedHash(secret: secret)
        hash.mix(key.source)
        hash.mix(key.service.text)
        return hash.value
    }
}

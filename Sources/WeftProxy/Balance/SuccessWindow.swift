package import WeftCore

/// Requests of one endpoint over the last 10 seconds, by how they ended.
///
/// Ten counters of a second each, on the clock's own seconds: the window is the running second and the nine before it,
/// so between 9 and 10 s long. No allocation, and nothing to do while no requests come.
package struct SuccessWindow: Sendable {
    private struct Second: Sendable {
        var successes: UInt32 = 0
        var failures: UInt32 = 0
    }

    private static let length = 10

    private var seconds = InlineArray<10, Second>(repeating: Second())
    /// The second that was counted in last; those up to `length` - 1 before it are in the window too.
    private var newest: UInt64 = 0

    package init() {}

    /// Counts a request that ended at `now`.
    package mutating func count(isSuccess: Bool, at now: Instant) {
        advance(to: now)
        let place = Int(newest % UInt64(Self.length))
        if isSuccess { seconds[place].successes &+= 1 } else { seconds[place].failures &+= 1 }
    }

    /// Successes and failures in the window that ends at `now`.
    package func totals(at now: Instant) -> (successes: Int, failures: Int) {
        let last = max(Self.second(of: now), newest)
        var totals = (successes: 0, failures: 0)
        for age in 0..<UInt64(Self.length) where last >= age && last - age <= newest {
            // Seconds between `newest` and `last` were never written: their places hold older ones.
            let second = seconds[Int((last - age) % UInt64(Self.length))]
            totals.successes += Int(second.successes)
            totals.failures += Int(second.failures)
        }
        return totals
    }

    /// Empties the places of the seconds that have passed without a request.
    private mutating func advance(to now: Instant) {
        let second = Self.second(of: now)
        guard second > newest else { return }
        for step in 1...min(second - newest, UInt64(Self.length)) {
            seconds[Int((newest + step) % UInt64(Self.length))] = Second()
        }
        newest = second
    }

    private static func second(of instant: Instant) -> UInt64 { instant.nanoseconds / 1_000_000_000 }
}

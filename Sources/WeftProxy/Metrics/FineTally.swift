/// Outcomes and log-linear latencies of a window.
struct FineTally: Sendable, Equatable {
    private(set) var count: UInt64 = 0
    private(set) var failures: UInt64 = 0
    private var buckets = [UInt64](repeating: 0, count: LatencyScale.fineCount)

    mutating func add(_ delta: TallyDelta) { combine(delta, &+) }

    /// Of what was added before: a delta's `replaced` is a part of its `effective`.
    mutating func subtract(_ delta: TallyDelta) { combine(delta, &-) }

    /// The latency that this part of the requests stayed at or below: the middle of the bucket with the request of rank
    /// ceil(part x count). Nil without requests.
    func quantile(_ part: Double) -> Duration? {
        guard count > 0 else { return nil }
        let rank = max(1, UInt64((part * Double(count)).rounded(.up)))
        var passed: UInt64 = 0
        for (bucket, count) in buckets.enumerated() {
            passed += count
            guard passed >= rank else { continue }
            let range = LatencyScale.range(ofFine: bucket)
            // Latencies were rounded up, so that the bucket begins above the microsecond before.
            return .nanoseconds(max(0, Int64(range.lowerBound + range.upperBound) - 1) * 500)
        }
        return nil
    }

    private mutating func combine(_ delta: TallyDelta, _ combine: (UInt64, UInt64) -> UInt64) {
        for one in delta.cells {
            let (cell, added) = (Int(one.cell), UInt64(one.count))
            if cell < TallyLayout.outcomes {
                count = combine(count, added)
                let outcome = TallyLayout.outcomeNames[cell]
                if isFailure(outcome.response, outcome.flag) { failures = combine(failures, added) }
            } else if cell >= TallyLayout.fine {
                buckets[cell - TallyLayout.fine] = combine(buckets[cell - TallyLayout.fine], added)
            }
        }
    }
}

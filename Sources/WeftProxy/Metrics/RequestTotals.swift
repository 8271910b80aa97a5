/// The request counts of the whole daemon since it started, as `/metrics` shows them: the sum of what the loops gave.
///
/// Bounded as the loops are; counts are never lost, as what has no place is added to a `RequestSeries.other`. On the
/// control side.
package struct RequestTotals: Sendable {
    /// Counts of one series.
    package struct Row: Sendable, Equatable {
        package fileprivate(set) var effective = RequestTally()
        fileprivate var replaced = RequestTally()
        fileprivate var attempts = RequestTally()

        /// What the tries brought.
        package var actual: RequestTally { effective - replaced + attempts }

        fileprivate mutating func merge(_ other: Row) {
            effective.merge(other.effective)
            replaced.merge(other.replaced)
            attempts.merge(other.attempts)
        }
    }

    package private(set) var rows: [RequestSeries: Row] = [:]
    /// Requests that are counted under a `RequestSeries.other` for want of a place, here or on a loop.
    package private(set) var folded: UInt64 = 0
    private let seriesMax: Int

    package init(seriesMax: Int = RequestMetrics.seriesMax) { self.seriesMax = seriesMax }

    /// Adds what a loop gave. The order of loops and of deltas does not matter, but for which series find a place.
    package mutating func add(_ delta: MetricsDelta) {
        folded += delta.folded
        // Sorted, so that the same deltas give the same series a place.
        for one in delta.series.sorted(by: { $0.series < $1.series }) {
            let series = admit(one.series)
            if series != one.series { folded += RequestTally(one.effective).count }
            rows[series, default: Row()].effective.add(one.effective)
            rows[series, default: Row()].replaced.add(one.replaced)
            rows[series, default: Row()].attempts.add(one.attempts)
        }
    }

    /// Rows of series taken together, such as those that differ only in the way that the bytes went.
    package func rows<Group: Hashable>(by group: (RequestSeries) -> Group) -> [Group: Row] {
        var sums: [Group: Row] = [:]
        for (series, row) in rows { sums[group(series), default: Row()].merge(row) }
        return sums
    }

    private func admit(_ series: RequestSeries) -> RequestSeries {
        let other = RequestSeries.other(series.perspective)
        return rows[series] != nil || rows.count < seriesMax || series == other ? series : other
    }
}

/// Outcomes and fixed buckets of one series, added up.
package struct RequestTally: Sendable, Equatable {
    /// One count of each pair of class and flag.
    private var outcomes = [UInt64](repeating: 0, count: TallyLayout.outcomes)
    /// One count of each exact code, of the outcomes without a flag.
    private var exact = [UInt64](repeating: 0, count: ResponseCode.indexCount)
    /// One count more than `LatencyScale.bounds`; not cumulative.
    package private(set) var buckets = [UInt64](repeating: 0, count: LatencyScale.fixedCount)
    /// The sum of all latencies.
    package private(set) var microseconds: UInt64 = 0
    package private(set) var bytesOut: UInt64 = 0
    package private(set) var bytesIn: UInt64 = 0

    init() {}

    init(_ delta: TallyDelta) { add(delta) }

    package var count: UInt64 { outcomes.reduce(0, +) }

    package var failures: UInt64 {
        zip(outcomes, TallyLayout.outcomeNames).reduce(0) { $0 + (isFailure($1.1.response, $1.1.flag) ? $1.0 : 0) }
    }

    /// The outcomes that there were, in a fixed order.
    package var counts: [(response: ResponseClass, flag: ResponseFlag?, count: UInt64)] {
        zip(outcomes, TallyLayout.outcomeNames).filter { $0.0 > 0 }.map { ($0.1.response, $0.1.flag, $0.0) }
    }

    /// The exact codes of the outcomes without a flag, in a fixed order.
    package var codes: [(code: ResponseCode, count: UInt64)] {
        exact.indices.filter { exact[$0] > 0 }.map { (ResponseCode(index: $0), exact[$0]) }
    }

    /// Adds another tally, bytes and exact codes included.
    package mutating func merge(_ other: RequestTally) {
        for code in exact.indices { exact[code] += other.exact[code] }
        (bytesOut, bytesIn) = (bytesOut + other.bytesOut, bytesIn + other.bytesIn)
        self = combined(other, &+)
    }

    mutating func add(_ delta: TallyDelta) {
        for one in delta.cells {
            let cell = Int(one.cell)
            if cell < TallyLayout.fixed {
                outcomes[cell] += UInt64(one.count)
            } else if cell < TallyLayout.codes {
                buckets[cell - TallyLayout.fixed] += UInt64(one.count)
            } else if cell < TallyLayout.fine {
                exact[cell - TallyLayout.codes] += UInt64(one.count)
            }
        }
        microseconds += delta.microseconds
        bytesOut += delta.bytesOut
        bytesIn += delta.bytesIn
    }

    static func + (left: RequestTally, right: RequestTally) -> RequestTally { left.combined(right, &+) }

    /// Of tallies in which `right` is a part of `left`; bytes and exact codes stay, as they are no try's.
    static func - (left: RequestTally, right: RequestTally) -> RequestTally { left.combined(right, &-) }

    private func combined(_ other: RequestTally, _ combine: (UInt64, UInt64) -> UInt64) -> RequestTally {
        var result = self
        for cell in outcomes.indices { result.outcomes[cell] = combine(outcomes[cell], other.outcomes[cell]) }
        for cell in buckets.indices { result.buckets[cell] = combine(buckets[cell], other.buckets[cell]) }
        result.microseconds = combine(microseconds, other.microseconds)
        return result
    }
}

/// Whether an outcome counts against the service: weft gave up on it, or the server failed. What is the client's own fault
/// does not.
func isFailure(_ response: ResponseClass, _ flag: ResponseFlag?) -> Bool {
    flag.map { !$0.isClientFault } ?? response.isFailure
}

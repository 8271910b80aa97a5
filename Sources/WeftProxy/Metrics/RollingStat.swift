package import WeftCore

/// The last seconds of every series, for `weft stat` and `weft top`: success rate, requests per second and quantiles,
/// effective and actual.
///
/// The control side takes what the loops have counted at each tick and closes the tick; the last `ticksMax` closed ones are
/// the window. The data path does nothing for it. A tick holds only cells that changed, so that an idle host keeps nothing.
package struct RollingStat: Sendable {
    private struct Tick: Sendable {
        let began: Instant
        var ended: Instant
        var deltas: [SeriesDelta] = []
    }

    private let ticksMax: Int
    private var closed: [Tick] = []
    private var current: Tick

    /// - Parameter ticksMax: 10 with a tick a second is a window of 10 s.
    package init(ticksMax: Int = 10, now: Instant) {
        self.ticksMax = max(1, ticksMax)
        current = Tick(began: now, ended: now)
    }

    /// Adds what a loop has counted in this tick.
    package mutating func add(_ delta: MetricsDelta) { current.deltas += delta.series }

    /// Ends the tick.
    package mutating func tick(now: Instant) {
        current.ended = now
        closed.append(current)
        if closed.count > ticksMax { closed.removeFirst() }
        current = Tick(began: now, ended: now)
    }

    /// The time that the window covers.
    package var window: Duration {
        guard let first = closed.first, let last = closed.last else { return .zero }
        return last.ended - first.began
    }

    /// One row for each series that had requests in the window, by names alone, sorted.
    package var rows: [SeriesStat] { rows(by: \.named) }

    /// Rows of series taken together, such as all sources of a service.
    package func rows(by group: (RequestSeries) -> RequestSeries) -> [SeriesStat] {
        var sums: [RequestSeries: (effective: FineTally, actual: FineTally)] = [:]
        for delta in closed.lazy.flatMap(\.deltas) {
            let key = group(delta.series)
            var sum = sums[key] ?? (FineTally(), FineTally())
            sum.effective.add(delta.effective)
            sum.actual.add(delta.effective)
            sum.actual.subtract(delta.replaced)
            sum.actual.add(delta.attempts)
            sums[key] = sum
        }
        let seconds = window.inSeconds
        return sums.sorted { $0.key < $1.key }.map { series, sum in
            SeriesStat(
                series: series,
                effective: Stat(sum.effective, seconds: seconds),
                actual: Stat(sum.actual, seconds: seconds)
            )
        }
    }
}

/// What happened to one series in the window.
package struct SeriesStat: Sendable, Equatable {
    package let series: RequestSeries
    /// As clients saw it.
    package let effective: Stat
    /// What each try brought: worse than effective when retries hide something.
    package let actual: Stat
}

/// Rates and quantiles of one kind of count.
package struct Stat: Sendable, Equatable {
    package let count: UInt64
    package let failures: UInt64
    package let perSecond: Double
    /// 0...1; nil without requests.
    package let successRate: Double?
    /// Latencies that half, nine tenths and so on of the requests stayed at or below; nil without requests. Off by 1/32
    /// or 1 µs at most (`LatencyScale`).
    package let p50: Duration?
    package let p90: Duration?
    package let p99: Duration?
    package let p999: Duration?

    init(_ tally: FineTally, seconds: Double) {
        count = tally.count
        failures = tally.failures
        perSecond = seconds > 0 ? Double(tally.count) / seconds : 0
        successRate = tally.count > 0 ? Double(tally.count - tally.failures) / Double(tally.count) : nil
        p50 = tally.quantile(0.5)
        p90 = tally.quantile(0.9)
        p99 = tally.quantile(0.99)
        p999 = tally.quantile(0.999)
    }
}

internal import WeftAPI
internal import WeftCore
internal import WeftProxy

extension StatRow {
    init(_ row: SeriesStat, window: Duration) {
        self.init(
            source: row.series.source,
            sourceTenant: row.series.sourceTenant,
            destination: row.series.destination,
            service: row.series.service,
            protocol: row.series.kind.rawValue,
            perspective: row.series.perspective.rawValue,
            windowSeconds: window.inSeconds,
            effective: StatNumbers(row.effective),
            actual: StatNumbers(row.actual)
        )
    }
}

extension StatNumbers {
    fileprivate init(_ stat: Stat) {
        self.init(
            requests: stat.count,
            failures: stat.failures,
            requestsPerSecond: stat.perSecond,
            successRate: stat.successRate,
            p50Milliseconds: stat.p50?.inMilliseconds,
            p90Milliseconds: stat.p90?.inMilliseconds,
            p99Milliseconds: stat.p99?.inMilliseconds,
            p999Milliseconds: stat.p999?.inMilliseconds
        )
    }
}

extension Duration {
    fileprivate var inMilliseconds: Double { inSeconds * 1000 }
}

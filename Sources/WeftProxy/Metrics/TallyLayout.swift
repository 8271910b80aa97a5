/// How the counts of one series lie in a row of cells.
///
/// ```
/// 0                207            228            311                775
/// ├ class x flag ──┼ fixed ───────┼ exact code ──┼ log-linear ───────┤
/// ```
///
/// Exact codes are of the outcomes without a flag: with one, it says the code.
enum TallyLayout {
    static let outcomes = ResponseClass.indexCount * ResponseFlag.indexCount
    static let fixed = outcomes
    static let codes = fixed + LatencyScale.fixedCount
    static let fine = codes + ResponseCode.indexCount
    static let cells = fine + LatencyScale.fineCount

    static func outcome(_ response: ResponseClass, _ flag: ResponseFlag?) -> Int {
        response.index * ResponseFlag.indexCount + (flag?.index ?? 0)
    }

    /// All pairs of class and flag, in the order of their cells.
    static let outcomeNames: [(response: ResponseClass, flag: ResponseFlag?)] = {
        var names = [(response: ResponseClass, flag: ResponseFlag?)](repeating: (.none, nil), count: outcomes)
        for response in ResponseClass.allCases {
            for flag in [nil] + ResponseFlag.allCases.map(Optional.some) {
                names[outcome(response, flag)] = (response, flag)
            }
        }
        return names
    }()
}

/// One cell and what was added to it.
struct CellCount: Hashable, Sendable {
    let cell: UInt16
    let count: UInt32
}

/// What was added to one row since the last look: only the cells that changed, which are few.
struct TallyDelta: Hashable, Sendable {
    var cells: [CellCount] = []
    /// The sum of the latencies.
    var microseconds: UInt64 = 0
    var bytesOut: UInt64 = 0
    var bytesIn: UInt64 = 0

    var isEmpty: Bool { cells.isEmpty }
}

/// What was added to one series since the last look.
package struct SeriesDelta: Hashable, Sendable {
    package let series: RequestSeries
    /// Requests as clients saw them.
    var effective: TallyDelta
    /// Those of them that are not one try: retried ones, and those that were never sent.
    var replaced: TallyDelta
    /// The tries of these.
    var attempts: TallyDelta
}

/// What one event loop has counted since the last look.
package struct MetricsDelta: Hashable, Sendable {
    package var series: [SeriesDelta] = []
    /// Requests that were counted under a `RequestSeries.other` for want of a place.
    package var folded: UInt64 = 0

    package init() {}
}

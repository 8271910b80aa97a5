internal import WeftCore

/// The request counts of one event loop since they were last taken: written by the data path, taken by the control side
/// about once a second and at each scrape. Touched on its loop only.
///
/// A series is looked up once for a connection; then a record is a few additions in one flat array, without hashing,
/// locks or allocations. 3.1 KB for each series, and 6.2 KB more for those with retries.
///
/// **Effective and actual.** Effective is what clients saw; actual, what each try brought. Most requests are one try, and
/// are counted once for both. For the others the record goes to `replaced` as well, and their tries to `attempts`, so that
/// actual = effective - replaced + attempts, exactly, in every bucket.
package struct RequestMetrics: Sendable {
    /// Series of one loop, besides the two for what comes later (`RequestSeries.other`).
    package static let seriesMax = 1024

    /// Names a series of this loop, for as long as the loop lives.
    package struct SeriesID: Hashable, Sendable {
        fileprivate let index: Int

        /// Whether the series has no place of its own.
        var isOther: Bool { index < RequestSeries.Perspective.allCases.count }
    }

    private struct Row: Sendable {
        let series: RequestSeries
        let effective: Int
        /// Tallies that are made with the first request that needs them.
        var replaced: Int?
        var attempts: Int?
        var isTouched = false
    }

    private struct Sums: Sendable {
        var microseconds: UInt64 = 0
        var bytesOut: UInt64 = 0
        var bytesIn: UInt64 = 0
    }

    /// The first are the `other` ones, one for each perspective.
    private var rows: [Row] = []
    private var places: [RequestSeries: Int] = [:]
    /// A row of `TallyLayout.cells` for each tally.
    private var cells: [UInt32] = []
    private var sums: [Sums] = []
    private var touched: [Int] = []
    private var folded: UInt64 = 0
    private let seriesMax: Int

    package init(seriesMax: Int = Self.seriesMax) {
        self.seriesMax = seriesMax
        for perspective in RequestSeries.Perspective.allCases { addRow(.other(perspective)) }
    }

    /// The place of a series; asked once for each connection and service.
    package mutating func id(of series: RequestSeries) -> SeriesID {
        if let place = places[series] { return SeriesID(index: place) }
        guard places.count < seriesMax else { return SeriesID(index: series.perspective == .caller ? 0 : 1) }
        addRow(series)
        places[series] = rows.count - 1
        return SeriesID(index: rows.count - 1)
    }

    private mutating func addRow(_ series: RequestSeries) { rows.append(Row(series: series, effective: addTally())) }

    /// Counts a request that is over.
    package mutating func record(_ record: RequestRecord, in id: SeriesID) {
        let index = id.index
        if id.isOther { folded &+= 1 }
        if !rows[index].isTouched {
            rows[index].isTouched = true
            touched.append(index)
        }
        let effective = rows[index].effective
        add(record.response, record.flag, record.latency, to: effective)
        if record.flag == nil {
            let code = ResponseCode.index(of: record.status, grpc: record.grpcStatus)
            cells[effective * TallyLayout.cells + TallyLayout.codes + code] &+= 1
        }
        sums[effective].bytesOut &+= record.bytesOut
        sums[effective].bytesIn &+= record.bytesIn
        if record.lastAttempt == nil || record.trail.count > 0 { replace(record, in: index) }
    }

    private mutating func replace(_ record: RequestRecord, in index: Int) {
        let replaced = rows[index].replaced ?? addTally()
        rows[index].replaced = replaced
        add(record.response, record.flag, record.latency, to: replaced)
        let attempts = rows[index].attempts ?? addTally()
        rows[index].attempts = attempts
        for number in 0..<record.trail.count {
            guard let attempt = record.trail[number] else { continue }
            add(attempt.response, attempt.flag, attempt.latency, to: attempts)
        }
        if let latency = record.lastAttempt { add(record.response, record.flag, latency, to: attempts) }
    }

    private mutating func add(_ response: ResponseClass, _ flag: ResponseFlag?, _ latency: Duration, to tally: Int) {
        let first = tally * TallyLayout.cells
        let microseconds = LatencyScale.microseconds(latency)
        cells[first + TallyLayout.outcome(response, flag)] &+= 1
        cells[first + TallyLayout.fixed + LatencyScale.fixed(microseconds)] &+= 1
        cells[first + TallyLayout.fine + LatencyScale.fine(microseconds)] &+= 1
        sums[tally].microseconds &+= microseconds
    }

    private mutating func addTally() -> Int {
        cells.append(contentsOf: repeatElement(0, count: TallyLayout.cells))
        sums.append(Sums())
        return sums.count - 1
    }
}

// MARK: - Taking

extension RequestMetrics {
    /// What was counted since the last call, and starts again at zero. Called on the loop; the result may leave it.
    package mutating func takeDelta() -> MetricsDelta {
        var delta = MetricsDelta()
        delta.folded = folded
        folded = 0
        delta.series.reserveCapacity(touched.count)
        for index in touched {
            let row = rows[index]
            rows[index].isTouched = false
            delta.series.append(
                SeriesDelta(
                    series: row.series,
                    effective: take(row.effective),
                    replaced: take(row.replaced),
                    attempts: take(row.attempts)
                )
            )
        }
        touched.removeAll(keepingCapacity: true)
        return delta
    }

    private mutating func take(_ tally: Int?) -> TallyDelta {
        guard let tally else { return TallyDelta() }
        let first = tally * TallyLayout.cells
        var delta = TallyDelta()
        for cell in 0..<TallyLayout.cells where cells[first + cell] > 0 {
            delta.cells.append(CellCount(cell: UInt16(cell), count: cells[first + cell]))
            cells[first + cell] = 0
        }
        delta.microseconds = sums[tally].microseconds
        (delta.bytesOut, delta.bytesIn) = (sums[tally].bytesOut, sums[tally].bytesIn)
        sums[tally] = Sums()
        return delta
    }
}

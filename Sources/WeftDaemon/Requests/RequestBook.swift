internal import Logging
internal import ServiceLifecycle
internal import WeftConfig
internal import WeftCore
internal import WeftProxy
internal import WeftTransport

/// The requests of the whole daemon: takes what the event loops have counted and recorded, and keeps it for metrics,
/// `weft stat`, `weft tap` and the access log.
actor RequestBook {
    /// Requests that are remembered while somebody taps.
    private static let tappedMax = 2048
    /// How long after the last question recording goes on.
    private static let tapPatience = Duration.seconds(3)
    private static let tapInterval = Duration.milliseconds(200)
    /// What recording for it costs is bounded by what a terminal can show.
    private static let tappedRequests = RecordedRequests(selection: .all, keptMax: 250)

    private let plane: DataPlane
    private var totals = RequestTotals()
    private var recent: RollingStat
    private var log: RequestLog
    private var wanted = RecordedRequests.none

    private var tapped: [Decision] = []
    /// The number of the last of `tapped`.
    private var tapSequence: UInt64 = 0
    private var tapMissed: UInt64 = 0
    private var tapEnd: Instant?

    init(plane: DataPlane, logger: Logger) {
        self.plane = plane
        log = RequestLog(logger: logger)
        recent = RollingStat(now: .now())
    }

    func adopt(_ configuration: Configuration) {
        log.mode = configuration.log.requests
        publishWanted()
    }

    /// Counts since weftd started, up to now.
    func upToDate() async throws -> RequestTotals {
        try await take()
        return totals
    }

    /// The last seconds: what a table shows that is asked for again and again.
    var stat: (rows: [SeriesStat], window: Duration) { (recent.rows, recent.window) }

    /// Once a second.
    func tick() async throws {
        try await take()
        recent.tick(now: .now())
        if let tapEnd, tapEnd < .now() {
            self.tapEnd = nil
            tapped = []
            publishWanted()
        }
        try await takeRecorded()
    }

    private func take() async throws {
        for delta in try await plane.takeRequestDeltas() {
            totals.add(delta)
            recent.add(delta)
        }
    }

    // MARK: Recorded requests

    private func publishWanted() {
        let isLoggingAll = log.wanted.selection == .all
        let wanted = tapEnd == nil || isLoggingAll ? log.wanted : Self.tappedRequests
        guard wanted != self.wanted else { return }
        self.wanted = wanted
        plane.publish(wanted)
    }

    private func takeRecorded() async throws {
        guard wanted.selection != .none else { return }
        let batch = try await plane.takeRecorded()
        log.write(batch)
        guard tapEnd != nil else { return }
        tapSequence += UInt64(batch.decisions.count)
        tapMissed += batch.missed
        tapped += batch.decisions
        if tapped.count > Self.tappedMax { tapped.removeFirst(tapped.count - Self.tappedMax) }
    }

    /// What one question of `weft tap` brings.
    struct Tap: Sendable {
        var decisions: [Decision] = []
        /// To be asked for next.
        var sequence: UInt64 = 0
        /// Requests that went by unseen since weftd records for somebody.
        var missed: UInt64 = 0
    }

    /// The requests behind number `sequence` that pass the filter; waits up to `wait` for the first. Without a number, from
    /// now on.
    func tap(_ filter: TapFilter, after sequence: UInt64?, wait: Duration) async throws -> Tap {
        if tapEnd == nil { tapMissed = 0 }
        tapEnd = .now() + Self.tapPatience + wait
        publishWanted()
        let end = Instant.now() + wait
        var start = sequence ?? tapSequence
        while true {
            try await takeRecorded()
            let fresh = tapped.suffix(Int(min(UInt64(tapped.count), tapSequence - min(start, tapSequence))))
            start = tapSequence
            let found = fresh.filter(filter.matches)
            guard found.isEmpty, Instant.now() < end else {
                return Tap(decisions: found, sequence: start, missed: tapMissed)
            }
            try await Task.sleep(for: Self.tapInterval)
        }
    }
}

/// Turns the pages of the book.
struct RequestBookService: Service {
    private static let interval = Duration.seconds(1)

    let book: RequestBook

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try await book.tick()
                try? await Task.sleep(for: Self.interval)
            }
        }
    }
}

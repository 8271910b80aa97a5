internal import WeftCore

/// Spans that wait to be sent, in batches. A value without a clock: the exporter asks and tells.
///
/// A batch is due when it is full, or when the oldest span has waited for long enough. What cannot be delivered goes
/// back; beyond the bound the oldest are dropped, so that a collector that comes back hears of the present first.
struct SpanQueue {
    static let batchMax = 512
    static let patience = Duration.seconds(5)
    /// Some megabytes at worst.
    static let spansMax = 4096

    private var spans: [Span] = []
    /// Since when the oldest has waited at most; nil when there is none.
    private var since: Instant?
    /// After a failure nothing is due before.
    private var pausedUntil: Instant?
    private(set) var counts = SpanCounts()

    var waiting: Int { spans.count }

    mutating func append(_ more: [Span], now: Instant) {
        guard !more.isEmpty else { return }
        if spans.isEmpty { since = now }
        spans += more
        trim()
    }

    /// Counts spans that never came here: there were too many at once.
    mutating func missed(_ count: UInt64) { counts.dropped += count }

    /// The next batch, if one is due; it is the caller's to deliver, or to give back.
    mutating func next(now: Instant) -> [Span]? {
        guard let since, pausedUntil.map({ $0 <= now }) ?? true else { return nil }
        guard spans.count >= Self.batchMax || now - since >= Self.patience else { return nil }
        return take()
    }

    /// A batch, due or not: for the end.
    mutating func take() -> [Span] {
        let batch = Array(spans.prefix(Self.batchMax))
        spans.removeFirst(batch.count)
        if spans.isEmpty { since = nil }
        return batch
    }

    mutating func delivered(_ count: Int) {
        counts.sent += UInt64(count)
        pausedUntil = nil
    }

    /// The collector will never take these.
    mutating func refused(_ count: Int) { counts.refused += UInt64(count) }

    /// The collector could not be reached, or has no time: they wait for another try.
    mutating func giveBack(_ batch: [Span], now: Instant) {
        spans = batch + spans
        since = since ?? now
        pausedUntil = now + Self.patience
        trim()
    }

    /// Nothing is reported any more.
    mutating func clear() {
        counts.dropped += UInt64(spans.count)
        (spans, since, pausedUntil) = ([], nil, nil)
    }

    private mutating func trim() {
        let excess = spans.count - Self.spansMax
        guard excess > 0 else { return }
        spans.removeFirst(excess)
        counts.dropped += UInt64(excess)
    }
}

/// What became of spans since weftd started.
struct SpanCounts: Sendable, Equatable {
    var sent: UInt64 = 0
    /// By the collector, for good.
    var refused: UInt64 = 0
    /// For want of room: too many at once, or the collector was away for too long.
    var dropped: UInt64 = 0
}

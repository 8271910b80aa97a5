import Testing
import WeftCore

@testable import WeftDaemon

/// Batches by number and by time, with a bound.
@Suite struct SpanQueueTests {
    private static let start = Instant(nanoseconds: 1_000_000_000)

    private static func at(_ seconds: Double) -> Instant { start + .seconds(seconds) }

    /// So many spans, numbered from `first`.
    private static func spans(_ first: UInt64, _ count: Int) throws -> [Span] {
        try (0..<UInt64(count)).map { offset in
            let trace = TraceFacts(traceHigh: 1, traceLow: 1, parent: nil, callerSpan: first + offset, calleeSpan: nil)
            return try #require(Span.all(of: .request(trace: trace), node: "a").first)
        }
    }

    private static func ids(_ batch: [Span]?) -> ClosedRange<UInt64>? {
        guard let ids = batch?.compactMap({ UInt64($0.span.spanId, radix: 16) }), let first = ids.first else {
            return nil
        }
        return first...first + UInt64(ids.count) - 1
    }

    @Test("A batch is due when it is full or the oldest has waited for five seconds")
    func due() throws {
        var queue = SpanQueue()
        #expect(queue.next(now: Self.at(100)) == nil, "an empty one never is")
        queue.append(try Self.spans(1, 10), now: Self.at(0))
        queue.append(try Self.spans(11, 1), now: Self.at(4.9))
        #expect(queue.next(now: Self.at(4.999)) == nil)
        #expect(Self.ids(queue.next(now: Self.at(5))) == 1...11)
        #expect(queue.next(now: Self.at(50)) == nil)
        queue.append(try Self.spans(12, 511), now: Self.at(50))
        #expect(queue.next(now: Self.at(50)) == nil)
        queue.append(try Self.spans(523, 2), now: Self.at(50))
        #expect(Self.ids(queue.next(now: Self.at(50))) == 12...523)
        #expect(queue.next(now: Self.at(54.9)) == nil)
        #expect(Self.ids(queue.next(now: Self.at(55))) == 524...524)
        #expect(queue.waiting == 0)
    }

    @Test("What comes back is sent first, after a pause, and what is delivered ends the pause")
    func comingBack() throws {
        var queue = SpanQueue()
        queue.append(try Self.spans(1, 600), now: Self.at(0))
        let due = queue.next(now: Self.at(0))
        let batch = try #require(due)
        queue.giveBack(batch, now: Self.at(1))
        #expect(queue.waiting == 600 && queue.next(now: Self.at(5.9)) == nil)
        #expect(Self.ids(queue.next(now: Self.at(6))) == 1...512)
        queue.delivered(512)
        #expect(Self.ids(queue.next(now: Self.at(6))) == 513...600)
        queue.refused(88)
        #expect(queue.counts == SpanCounts(sent: 512, refused: 88, dropped: 0))
    }

    @Test("Beyond the bound the oldest are dropped and counted")
    func bound() throws {
        var queue = SpanQueue()
        let all = try Self.spans(1, SpanQueue.spansMax)
        queue.append(all, now: Self.at(0))
        #expect(queue.counts.dropped == 0)
        let due = queue.next(now: Self.at(0))
        let batch = try #require(due)
        queue.append(try Self.spans(5000, 100), now: Self.at(0))
        queue.giveBack(batch, now: Self.at(0))
        #expect(queue.waiting == SpanQueue.spansMax && queue.counts.dropped == 100)
        #expect(Self.ids(queue.next(now: Self.at(5))) == 101...612)
        queue.missed(7)
        queue.clear()
        #expect(queue.waiting == 0)
        #expect(queue.counts == SpanCounts(sent: 0, refused: 0, dropped: 107 + UInt64(SpanQueue.spansMax - 512)))
        #expect(queue.next(now: Self.at(1000)) == nil)
    }
}

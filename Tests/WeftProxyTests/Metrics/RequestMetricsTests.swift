import Testing
import WeftCore

@testable import WeftProxy

/// Counting on a loop and adding up on the control side.
@Suite struct RequestMetricsTests {
    private func record(
        _ response: ResponseClass = .success,
        _ flag: ResponseFlag? = nil,
        after latency: Duration = .milliseconds(3)
    ) -> RequestRecord {
        RequestRecord(response: response, flag: flag, latency: latency, lastAttempt: latency)
    }

    private func totals(_ deltas: MetricsDelta..., seriesMax: Int = RequestMetrics.seriesMax) -> RequestTotals {
        var totals = RequestTotals(seriesMax: seriesMax)
        for delta in deltas { totals.add(delta) }
        return totals
    }

    @Test func aRequestIsCountedByOutcomeLatencyAndBytes() throws {
        var metrics = RequestMetrics()
        let series = RequestSeries.between("web", "api")
        let id = metrics.id(of: series)
        var answered = record(.success, after: .milliseconds(3))
        (answered.bytesOut, answered.bytesIn) = (10, 200)
        for one in [answered, answered, record(.serverError, after: .microseconds(501)), record(.clientError, .denied)]
        {
            metrics.record(one, in: id)
        }
        let row = try #require(totals(metrics.takeDelta()).rows[series])
        let counts = row.effective.counts.map { "\($0.response.rawValue) \($0.flag?.rawValue ?? "-") \($0.count)" }
        #expect(counts == ["2xx - 2", "4xx denied 1", "5xx - 1"])
        #expect(row.effective.count == 4)
        #expect(row.effective.failures == 1)
        #expect(row.effective.microseconds == 3 * 3000 + 501)
        #expect((row.effective.bytesOut, row.effective.bytesIn) == (20, 400))
        // At most 0.5, 1, 2.5 and 5 ms.
        #expect(Array(row.effective.buckets.prefix(5)) == [0, 1, 0, 3, 0])
        #expect(row.effective.buckets.reduce(0, +) == row.effective.count)
        #expect(row.actual == row.effective, "each was one try")
    }

    @Test func whatWasTakenIsGoneAndAnIdleLoopGivesNothing() {
        var metrics = RequestMetrics()
        let id = metrics.id(of: .between("web", "api"))
        #expect(metrics.takeDelta() == MetricsDelta())
        metrics.record(record(), in: id)
        #expect(metrics.takeDelta().series.count == 1)
        #expect(metrics.takeDelta() == MetricsDelta())
        #expect(metrics.id(of: .between("web", "api")) == id, "the place stays")
    }

    @Test func retriesShowInActualAndNotInEffective() throws {
        var metrics = RequestMetrics()
        let series = RequestSeries.between("web", "api")
        let id = metrics.id(of: series)
        var retried = record(.success, after: .milliseconds(40))
        retried.lastAttempt = .milliseconds(2)
        retried.trail.append(AttemptRecord(.status(503), latency: .milliseconds(1)))
        retried.trail.append(AttemptRecord(.connectFailed, latency: .milliseconds(9)))
        var refused = record(.clientError, .rateLimited)
        refused.lastAttempt = nil
        for one in [record(), retried, refused] { metrics.record(one, in: id) }
        let row = try #require(totals(metrics.takeDelta()).rows[series])
        #expect(row.effective.count == 3)
        #expect(row.effective.failures == 0)
        let actual = row.actual.counts.map { "\($0.response.rawValue) \($0.flag?.rawValue ?? "-") \($0.count)" }
        #expect(actual == ["none connect-failed 1", "2xx - 2", "5xx - 1"])
        #expect(row.actual.failures == 2)
        #expect(row.actual.microseconds == 3000 + 2000 + 1000 + 9000)
        #expect(row.actual.buckets.reduce(0, +) == 4)
    }

    @Test func seriesBeyondTheBoundAreCountedTogetherByPerspective() {
        var metrics = RequestMetrics(seriesMax: 2)
        let perspectives: [RequestSeries.Perspective] = [.caller, .callee]
        for number in 0..<5 {
            for perspective in perspectives {
                let id = metrics.id(of: .between("s\(number)", "api", perspective))
                #expect(id.isOther == (number > 0))
                metrics.record(record(), in: id)
            }
        }
        let delta = metrics.takeDelta()
        #expect(delta.folded == 8)
        let sums = totals(delta)
        #expect(sums.folded == 8)
        #expect(sums.rows.count == 4)
        for perspective in perspectives { #expect(sums.rows[.other(perspective)]?.effective.count == 4) }
    }

    /// Several loops, more pairs than places on a loop or in the sum: not a request is lost or counted twice.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func countsAreConserved(seed: UInt64) {
        var rng = SplitMix64(seed: seed)
        var loops = (0..<3).map { _ in RequestMetrics(seriesMax: 8) }
        var totals = RequestTotals(seriesMax: 12)
        var expected: [RequestSeries.Perspective: (count: UInt64, failures: UInt64, tries: UInt64, time: UInt64)] = [:]
        for _ in 0..<2000 {
            let loop = Int.random(in: 0..<3, using: &rng)
            if Int.random(in: 0..<50, using: &rng) == 0 { totals.add(loops[loop].takeDelta()) }
            let perspective: RequestSeries.Perspective = Bool.random(using: &rng) ? .caller : .callee
            let id = loops[loop].id(of: .between("s\(Int.random(in: 0..<20, using: &rng))", "api", perspective))
            let isFailed = Int.random(in: 0..<4, using: &rng) == 0
            var one = record(
                isFailed ? .serverError : .success,
                after: .microseconds(Int.random(in: 1...9999, using: &rng))
            )
            for _ in 0..<Int.random(in: 0...2, using: &rng) {
                one.trail.append(AttemptRecord(.refusedStream, latency: .milliseconds(1)))
            }
            loops[loop].record(one, in: id)
            var sum = expected[perspective] ?? (0, 0, 0, 0)
            sum.count += 1
            sum.failures += isFailed ? 1 : 0
            sum.tries += UInt64(one.trail.count) + 1
            sum.time += LatencyScale.microseconds(one.latency)
            expected[perspective] = sum
        }
        for loop in loops.indices { totals.add(loops[loop].takeDelta()) }
        #expect(totals.rows.count <= 12 + 2)
        #expect(totals.folded > 0)
        for (perspective, sum) in expected {
            let rows = totals.rows.filter { $0.key.perspective == perspective }.map(\.value)
            #expect(rows.reduce(0) { $0 + $1.effective.count } == sum.count)
            #expect(rows.reduce(0) { $0 + $1.effective.failures } == sum.failures)
            #expect(rows.reduce(0) { $0 + $1.effective.microseconds } == sum.time)
            #expect(rows.reduce(0) { $0 + $1.actual.count } == sum.tries)
            #expect(rows.allSatisfy { $0.actual.buckets.reduce(0, +) == $0.actual.count })
        }
        let folded = RequestSeries.Perspective.allCases.reduce(0) {
            $0 + (totals.rows[.other($1)]?.effective.count ?? 0)
        }
        #expect(totals.folded == folded)
    }

    @Test func theOrderOfLoopsDoesNotMatter() {
        var deltas: [MetricsDelta] = []
        for loop in 0..<3 {
            var metrics = RequestMetrics()
            for number in 0...loop { metrics.record(record(), in: metrics.id(of: .between("s\(number)", "api"))) }
            deltas.append(metrics.takeDelta())
        }
        let sums = [[0, 1, 2], [2, 1, 0], [1, 2, 0]].map { order in
            totals(deltas[order[0]], deltas[order[1]], deltas[order[2]])
        }
        #expect(sums.allSatisfy { $0.rows == sums[0].rows })
        #expect((0..<3).map { sums[0].rows[.between("s\($0)", "api")]?.effective.count } == [3, 2, 1])
    }

    @Test func seriesHaveAnOrder() {
        let sorted: [RequestSeries] = [
            .between("a", "api", .callee), .between("a", "api", .caller), .between("b", "api", .callee),
            .between("a", "db", .caller),
        ]
        #expect(Array(sorted.reversed()).sorted() == sorted)
    }
}

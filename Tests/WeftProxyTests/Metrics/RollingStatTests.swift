import Testing
import WeftCore

@testable import WeftProxy

@Suite struct RollingStatTests {
    /// One loop and the window that is fed from it, a tick a second.
    private struct Bench {
        var metrics = RequestMetrics()
        var stat = RollingStat(ticksMax: 3, now: .at(.seconds(100)))
        private var now = Duration.seconds(100)

        mutating func record(
            _ count: Int,
            _ response: ResponseClass = .success,
            in series: RequestSeries = .between("web", "api"),
            after latency: Duration = .milliseconds(8),
            failing failures: [AttemptFailure] = []
        ) {
            var record = RequestRecord(response: response, latency: latency, lastAttempt: latency)
            for failure in failures { record.trail.append(AttemptRecord(failure, latency: .milliseconds(1))) }
            for _ in 0..<count { metrics.record(record, in: metrics.id(of: series)) }
        }

        mutating func tick() {
            stat.add(metrics.takeDelta())
            now += .seconds(1)
            stat.tick(now: .at(now))
        }
    }

    @Test func beforeTheFirstTickThereIsNothing() {
        var bench = Bench()
        bench.record(5)
        bench.stat.add(bench.metrics.takeDelta())
        #expect(bench.stat.rows == [])
        #expect(bench.stat.window == .zero)
    }

    @Test func ratesAndSuccessOfTheWindow() throws {
        var bench = Bench()
        bench.record(30)
        bench.tick()
        bench.record(10, .serverError)
        bench.tick()
        #expect(bench.stat.window == .seconds(2))
        let stat = try #require(bench.stat.rows.first).effective
        #expect((stat.count, stat.failures) == (40, 10))
        #expect(stat.perSecond == 20)
        #expect(stat.successRate == 0.75)
    }

    @Test func whatIsOlderThanTheWindowIsForgotten() {
        var bench = Bench()
        let counts = [7, 20, 0, 5, 0, 0, 0].map { count in
            bench.record(count)
            bench.tick()
            return bench.stat.rows.first?.effective.count
        }
        #expect(counts == [7, 27, 27, 25, 5, 5, nil])
        #expect(bench.stat.window == .seconds(3))
    }

    @Test func aTickMayTakeSeveralDeltas() {
        var bench = Bench()
        for _ in 0..<3 {
            bench.record(4)
            bench.stat.add(bench.metrics.takeDelta())
        }
        bench.tick()
        #expect(bench.stat.rows.first?.effective.count == 12)
    }

    @Test func actualIsWorseWhereRetriesHideFailures() throws {
        var bench = Bench()
        bench.record(90)
        bench.record(10, failing: [.status(503), .connectFailed])
        bench.tick()
        let row = try #require(bench.stat.rows.first)
        #expect(row.effective.successRate == 1)
        #expect((row.actual.count, row.actual.failures) == (120, 20))
        #expect(row.actual.perSecond == 120)
    }

    @Test func quantilesAreOfTheWindow() throws {
        var bench = Bench()
        bench.record(50, after: .milliseconds(1))
        bench.tick()
        bench.record(49, after: .milliseconds(16))
        bench.record(1, after: .seconds(2))
        bench.tick()
        let stat = try #require(bench.stat.rows.first).effective
        for (told, exact) in [
            (stat.p50, Duration.milliseconds(1)), (stat.p90, .milliseconds(16)), (stat.p99, .milliseconds(16)),
            (stat.p999, .seconds(2)),
        ] {
            let told = try #require(told)
            #expect(told > exact * (31.0 / 32) && told < exact * (33.0 / 32))
        }
    }

    @Test func rowsAreSortedAndMayBeTakenTogether() {
        var bench = Bench()
        for (source, service) in [("web", "db"), ("job", "api"), ("web", "api")] {
            bench.record(2, in: .between(source, service))
        }
        bench.tick()
        #expect(bench.stat.rows.map { "\($0.series.source) \($0.series.service)" } == ["job api", "web api", "web db"])
        let byService = bench.stat.rows { .between("any", $0.service) }
        #expect(byService.map(\.effective.count) == [4, 2])
    }
}

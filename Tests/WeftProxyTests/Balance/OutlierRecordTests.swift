import Testing
import WeftCore

@testable import WeftProxy

@Suite struct OutlierRecordTests {
    private let settings = BalanceSettings()

    /// `+` is a success, `-` a failure, one each 100 ms.
    @Test(
        arguments: [
            ("------", nil), ("-------", .consecutiveFailures), ("++++++------", .successRate), ("+++-", nil),
            ("++++-", nil), ("+++--", .successRate), ("++++++++--", nil), ("+++++++---", .successRate),
        ] as [(String, OutlierRecord.Rule?)]
    )
    func rules(_ history: String, _ expected: OutlierRecord.Rule?) {
        var record = OutlierRecord()
        // A success rate is not asked of fewer than five requests: seven failures alone are another rule.
        var settings = self.settings
        if history.allSatisfy({ $0 == "-" }) { settings.successRateRequestsMin = 100 }
        var broken: OutlierRecord.Rule?
        for (index, kind) in history.enumerated() {
            let now = Instant.at(.milliseconds(100 * index))
            if kind == "+" { record.succeeded(at: now) } else { broken = broken ?? record.failed(at: now, settings) }
        }
        #expect(broken == expected)
    }

    @Test func whatIsOlderThanTenSecondsIsForgotten() {
        var record = OutlierRecord()
        for _ in 0..<3 { _ = record.failed(at: .at(.zero), settings) }
        for _ in 0..<3 { record.succeeded(at: .at(.seconds(11))) }
        #expect(record.failed(at: .at(.seconds(11)), settings) == nil, "3 of 4")
        #expect(record.totals(at: .at(.seconds(11))) == (3, 1))
    }

    @Test func ejectionsDoubleUpToAMinuteWithJitter() {
        var random = SplitMix64(seed: 1)
        for (earlier, full) in [(0, 1.0), (1, 2), (2, 4), (5, 32), (6, 60), (40, 60)] {
            var lengths = Set<Duration>()
            for _ in 0..<100 {
                let length = OutlierRecord.length(of: earlier, settings, using: &random)
                #expect(length <= .seconds(full) && length >= .seconds(full * 0.75))
                lengths.insert(length)
            }
            #expect(lengths.count > 90)
        }
    }

    @Test func aMinuteOfGoodConductForgivesEarlierEjections() throws {
        var record = OutlierRecord()
        var random = SplitMix64(seed: 2)
        var now = Instant.at(.zero)
        func ejected() throws -> Duration {
            record.eject(for: .probe, at: now, settings, using: &random)
            guard case .ejected(let until, _) = record.state else { throw Broken() }
            return until - now
        }
        _ = try ejected()
        record.readmit(at: now)
        #expect(try ejected() > .seconds(1))
        record.readmit(at: now)
        now = now + .seconds(61)
        #expect(try ejected() <= .seconds(1))
    }

    private struct Broken: Error {}
}

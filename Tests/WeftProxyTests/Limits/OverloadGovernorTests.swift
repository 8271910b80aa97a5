import Testing
import WeftProxy

@Suite struct OverloadGovernorTests {
    private let limits = OverloadGovernor.Limits(memoryBytes: 1000, cpuCores: 2)

    private func pressures(_ governor: inout OverloadGovernor, _ samples: [(memory: UInt64, cpu: Double)])
        -> [Pressure?]
    {
        samples.map { governor.sampled(OverloadGovernor.Sample(memoryBytes: $0.memory, cpuCores: $0.cpu)) }
    }

    @Test func memoryIsBelievedAtOnce() {
        var governor = OverloadGovernor(limits: limits)
        #expect(pressures(&governor, [(900, 0), (901, 0)]) == [nil, .shedding(percent: 80)])
        #expect(governor.episodes == 1)
    }

    @Test func cpuHasToBeHighThreeTimes() {
        var governor = OverloadGovernor(limits: limits)
        #expect(pressures(&governor, [(0, 2), (0, 2), (0, 1.9), (0, 2), (0, 2)]).allSatisfy { $0 == nil })
        #expect(pressures(&governor, [(0, 2)]) == [.shedding(percent: 80)])
    }

    @Test func itGoesDownByAFactorToAFloor() {
        var governor = OverloadGovernor(limits: limits)
        let high = Array(repeating: (memory: UInt64(1000), cpu: 0.0), count: 15)
        let percents = pressures(&governor, high).map { pressure in
            if case .shedding(let percent)? = pressure { percent } else { 0 }
        }
        #expect(percents == [80, 64, 51, 40, 32, 25, 20, 16, 12, 9, 7, 5, 0, 0, 0])
    }

    @Test func betweenTheMarksNothingChanges() {
        var governor = OverloadGovernor(limits: limits)
        _ = pressures(&governor, [(950, 0)])
        #expect(pressures(&governor, [(850, 0), (800, 0), (0, 1.7), (0, 1.9)]).allSatisfy { $0 == nil })
        #expect(governor.pressure == .shedding(percent: 80))
        #expect(pressures(&governor, [(799, 1.69)]) == [.shedding(percent: 85)])
    }

    @Test func itRecoversInSteps() {
        var governor = OverloadGovernor(limits: limits)
        _ = pressures(&governor, [(950, 0)])
        let low = Array(repeating: (memory: UInt64(100), cpu: 0.1), count: 6)
        #expect(
            pressures(&governor, low) == [
                .shedding(percent: 85), .shedding(percent: 90), .shedding(percent: 95), .shedding(percent: 100),
                Pressure.none, nil,
            ]
        )
    }

    @Test func limitsThatAreLiftedEndWhatTheyBegan() {
        var governor = OverloadGovernor(limits: limits)
        #expect(pressures(&governor, [(1000, 0)]) == [.shedding(percent: 80)])
        governor.limits = .init()
        let rest = pressures(&governor, Array(repeating: (1000, 2), count: 6))
        #expect(rest.first == .shedding(percent: 85) && rest.contains(Optional(Pressure.none)))
        #expect(governor.pressure == .none)
        governor.limits = limits
        #expect(pressures(&governor, [(1000, 0)]) == [.shedding(percent: 80)])
    }

    @Test func withoutLimitsNothingIsShed() {
        var governor = OverloadGovernor(limits: OverloadGovernor.Limits())
        #expect(pressures(&governor, Array(repeating: (.max, 1000), count: 5)).allSatisfy { $0 == nil })
    }
}

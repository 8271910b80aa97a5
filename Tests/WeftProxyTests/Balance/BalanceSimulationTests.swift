import Testing
import WeftCore

@testable import WeftProxy

/// Many requests at a time in simulated time: what people see of a group in which one is slow or fails.
@Suite struct BalanceSimulationTests {
    private struct Report {
        var shares: [Int: Int] = [:]
        var latencies: [Duration] = []
        var lateFailures = 0
        var late = 0
        var pendingAtEnd = 0
        var mostEjected = 0

        var total: Int { shares.values.reduce(0, +) }

        var p99: Duration { latencies.sorted()[latencies.count * 99 / 100] }
    }

    /// 500 requests a second for 30 s to four endpoints that take 10 ms in the mean, by seed.
    private func run(
        _ seed: UInt64,
        mean: @escaping (Int) -> Duration = { _ in .milliseconds(10) },
        fails: @escaping (Int, Duration) -> Bool = { _, _ in false }
    ) -> Report {
        var rig = BalancerRig(4, seed: seed)
        let start = rig.now
        var agenda = Agenda<(LoadBalancer<Int>.Ticket, RequestVerdict)?>()
        agenda.add(nil, at: start)
        var report = Report()
        while let (time, event) = agenda.removeFirst(until: start + .seconds(31)) {
            rig.now = time
            if let (asked, verdict) = event {
                var ticket = asked
                rig.balancer.answered(&ticket, verdict, at: time, using: &rig.random)
                rig.balancer.ended(&ticket, verdict, at: time, using: &rig.random)
                report.latencies.append(time - ticket.started)
                report.mostEjected = max(report.mostEjected, rig.ejected.count)
                continue
            }
            let age = time - start
            if age < .seconds(30) { agenda.add(nil, at: time + rig.random.exponential(.milliseconds(2))) }
            guard let choice = rig.pick(isRetryable: false), let ticket = rig.balancer.started(choice, at: time) else {
                continue
            }
            let isFailure = fails(choice.endpoint, age)
            report.shares[choice.endpoint, default: 0] += 1
            if age >= .seconds(7) {
                report.late += 1
                if isFailure { report.lateFailures += 1 }
            }
            let took = isFailure ? .milliseconds(1) : rig.random.exponential(mean(choice.endpoint))
            agenda.add((ticket, isFailure ? .failure() : .success), at: time + took)
        }
        report.pendingAtEnd = rig.balancer.pendingTotal
        return report
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func theSlowGetLittle(_ seed: UInt64) {
        let even = run(seed)
        let slow = run(seed, mean: { $0 == 0 ? .milliseconds(100) : .milliseconds(10) })
        for endpoint in 0..<4 { #expect(Double(even.shares[endpoint, default: 0]) > 0.15 * Double(even.total)) }
        #expect(Double(slow.shares[0, default: 0]) < 0.1 * Double(slow.total), "\(slow.shares)")
        #expect(slow.p99 <= even.p99 * 1.5, "\(slow.p99) against \(even.p99)")
        #expect(even.pendingAtEnd == 0 && slow.pendingAtEnd == 0 && slow.total > 14_000)
    }

    /// From the fifth second on, one answers 500, and fast.
    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func theFailingGetHardlyAnything(_ seed: UInt64) {
        let report = run(seed, fails: { $0 == 2 && $1 >= .seconds(5) })
        #expect(Double(report.lateFailures) < 0.01 * Double(report.late), "\(report.lateFailures) of \(report.late)")
        #expect(report.mostEjected <= 1)
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func whenAllFailHalfStay(_ seed: UInt64) {
        let report = run(seed, fails: { _, age in age >= .seconds(5) && age < .seconds(15) })
        #expect(report.mostEjected == 2 && report.pendingAtEnd == 0)
        // Each recovered.
        for endpoint in 0..<4 { #expect(report.shares[endpoint, default: 0] > 1000, "\(report.shares)") }
    }
}

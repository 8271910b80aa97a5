import Testing
import WeftCore
import WeftGossip

@testable import WeftTestKit

/// The checkers of a pool find what they are there for: a checker that never complains checks nothing.
@Suite struct CheckerTests {
    private static let start = Instant(nanoseconds: 1_000_000_000_000)

    // MARK: No false death

    @Test func aDeathNeedsAReason() {
        var checker = DeathChecker(memory: .seconds(75))
        let running = HostTruth(state: .running)
        #expect(checker.failed(1, by: 0, truth: running, at: Self.start) != nil)
        checker.faultBegan(.lightLoss, at: Self.start)
        #expect(checker.failed(1, by: 0, truth: running, at: Self.start) != nil, "light loss kills nobody")
        checker.faultBegan(.partition, at: Self.start)
        #expect(checker.failed(1, by: 0, truth: running, at: Self.start) == nil)
        checker.faultEnded(.partition, at: Self.start)
        #expect(checker.failed(1, by: 0, truth: running, at: Self.start + .seconds(75)) == nil)
        #expect(checker.failed(1, by: 0, truth: running, at: Self.start + .seconds(76)) != nil)
        checker.poolRecovered()
        #expect(checker.failed(1, by: 0, truth: running, at: Self.start + .seconds(1)) != nil)
        #expect(checker.failed(1, by: 0, truth: HostTruth(state: .crashed), at: Self.start) == nil)
        #expect(checker.excused == 2)
    }

    // MARK: Everybody learns of each event

    @Test func anEventHasToReachEverybodyInThePool() {
        var checker = EventChecker(hostCount: 3)
        var truths = Array(repeating: HostTruth(state: .running, isInPool: true), count: 3)
        let payload = checker.nextPayload
        checker.wasSent(at: 5, now: Self.start)
        #expect(checker.wasDelivered(payload, on: 0) == nil)
        #expect(checker.wasDelivered(payload, on: 1) == nil)
        #expect(!checker.isComplete(0, truths))
        #expect(checker.missing(truths) == ["event 0, which n0 has, is unknown on [2]"])
        truths[2].firstEventTime = 6
        #expect(checker.missing(truths).isEmpty, "it joined later")
        checker.processStarted(on: 1)
        #expect(checker.missing(truths) == ["event 0, which n0 has, is unknown on [1]"])
        #expect(checker.wasDelivered(Array("event 7".utf8), on: 0) != nil, "nobody sent it")
    }

    // MARK: Nothing goes back

    @Test func incarnationsAndClocksMayNotGoBack() throws {
        let pool = Self.pool(of: 2)
        let before = try #require(pool.inspect(0) { $0.node })
        pool.command(1) { $0.changeTags(version: 1, &$1) }
        pool.command(0) { $0.changeTags(version: 1, &$1) }
        pool.command(0) { $0.sendEvent(number: 0, &$1) }
        pool.run(for: .seconds(2))
        let after = try #require(pool.inspect(0) { $0.node })
        var checker = ClockChecker(hostCount: 2)
        #expect(checker.check(before, on: 0).isEmpty)
        #expect(checker.check(after, on: 0).isEmpty)
        let found = checker.check(before, on: 0)
        #expect(found.contains { $0.hasPrefix("n0: its incarnation went back") }, "\(found)")
        #expect(found.contains { $0.hasPrefix("n0: a Lamport clock went back") }, "\(found)")
        #expect(found.contains { $0.hasPrefix("n0: the incarnation of n1 went back") }, "\(found)")
    }

    // MARK: Everybody agrees

    @Test func aWrongViewIsFound() {
        let pool = Self.pool(of: 3)
        var truths = Array(repeating: HostTruth(state: .running, tags: ["v": "0", "weft": "1"]), count: 3)
        #expect(AgreementChecker.disagreements(pool, truths) == [])
        truths[1].tags["v"] = "1"
        #expect(AgreementChecker.disagreements(pool, truths).contains("n0 has old tags of n1"))
        truths[1].tags["v"] = "0"
        truths[2].state = .left
        #expect(AgreementChecker.disagreements(pool, truths).first == "n0 sees n2, which is gone, as alive")
        truths[2].state = .running
        pool.network.islands = [1: 1]
        pool.command(1) { $0.changeTags(version: 0, &$1) }
        #expect(AgreementChecker.disagreements(pool, truths).first == "n0 has another incarnation of n1")
    }

    @Test func opinionsOnTheGoneMayNotDiffer() throws {
        let pool = Self.pool(of: 3)
        var truths = Array(repeating: HostTruth(state: .running, tags: ["v": "0", "weft": "1"]), count: 3)
        pool.crash(2, power: false)
        pool.run(for: .seconds(60))
        #expect(AgreementChecker.disagreements(pool, truths).first == "n0 sees n2, which runs, as failed")
        truths[2].state = .crashed
        #expect(AgreementChecker.disagreements(pool, truths) == [])
        pool.network.islands = [1: 1]
        try pool.command(0) { process, context in
            try process.perform(&context) { node, now, random, actions throws(GossipError) in
                try node.forceLeave(
                    MemberName(simulatedHost: 2),
                    prune: false,
                    now: now,
                    using: &random,
                    into: &actions
                )
            }
        }
        let found = AgreementChecker.disagreements(pool, truths)
        #expect(found == ["n2, which is gone, failed to [1] and left to the others"])
    }

    // MARK: Nothing grows

    @Test func whatIsHeldTooLongIsFound() throws {
        let pool = Self.pool(of: 3)
        func excesses(nodes: Int) throws -> [String] {
            try #require(pool.inspect(0) { GrowthChecker.excesses($0, on: 0, nodes: nodes, now: Self.start) })
        }
        #expect(try excesses(nodes: 3) == [])
        #expect(try excesses(nodes: 2) == ["n0 holds 3 records, at most 2 are needed"])
        pool.command(0) { $0.changeTags(version: 1, &$1) }
        #expect(try excesses(nodes: 3) == ["n0 holds 1 queued messages, at most 0 are needed"])
    }

    // MARK: All together

    /// A run without faults, in which one host's packets are lost all the same: nobody admits that, and so the deaths
    /// that come of it have no excuse.
    @Test func aDeathThatNothingExplainsIsFound() {
        let run = SeedRun(Self.faultless)
        run.simulation.network.hostConditions[1] = LinkConditions(loss: 0.6)
        let report = run.run()
        let rule = "dead, which runs, without any fault that explains it"
        #expect(report.violations.contains { $0.contains(rule) }, "\(report.violations)")
    }

    /// A run without faults, in which news is told to one member only, and state is never exchanged again.
    @Test func newsThatDoesNotSpreadIsFound() {
        var plan = Self.faultless
        plan.timing.retransmitMult = 0
        plan.timing.pushPullInterval = .seconds(3600)
        let report = SeedRun(plan).run()
        #expect(report.violations.contains { $0.contains("does not come together") }, "\(report.violations)")
        #expect(report.violations.contains { $0.contains("does not agree after the faults") }, "\(report.violations)")
    }

    /// Seed 1 draws no fault at all.
    private static var faultless: SeedPlan {
        let plan = SeedPlan(seed: 1, nodeCount: 8)
        precondition(plan.kinds.isEmpty, "seed 1 has drawn \(plan.kinds)")
        return plan
    }

    private static func pool(of count: Int) -> Simulation<GossipProcess> {
        let simulation = Simulation<GossipProcess>(seed: 9)
        GossipProcess.fill(simulation, count: count, lifeguard: true, exchanges: true)
        simulation.run(for: .seconds(2))
        return simulation
    }
}

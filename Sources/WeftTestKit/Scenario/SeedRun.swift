internal import WeftCore
internal import WeftGossip

/// One pool under one seed: it comes together, suffers faults while it works, is left alone, and has to be whole again.
///
/// The phases: (1) nodes start and join; (2) faults begin and end while events are sent, tags change, nodes leave and
/// return; (3) all faults stop, and the pool has `settleLimit` to agree; (4) in the pool at rest a user event, new tags,
/// a leave and a crash are seen by everybody in good time, and nothing is held that is not needed. Checkers watch all
/// the while. Equal seeds make equal runs.
package final class SeedRun {
    let plan: SeedPlan
    let simulation: Simulation<GossipProcess>
    /// What this run decides on the way.
    var random: SeededRandom
    var truths: [HostTruth]
    var deaths: DeathChecker
    var events: EventChecker
    var clocks: ClockChecker
    /// What is still to be done, by true time.
    var agenda = EventQueue<Step>()
    /// Faults of the network that are there now.
    var activeFaults: [FaultKind] = []
    /// Hosts that stand still, or are slow.
    var activePauses: Set<Int> = []
    package private(set) var report: SeedReport
    private let tracer: ((String) -> Void)?

    /// Something planned.
    enum Step {
        case work
        case beginFault
        case endFault(FaultKind)
        case resume(Int)
        case restart(Int, life: Int)
        case retryJoin(Int, life: Int)
        case answer(Int, QueryKey)
        case check
    }

    /// Violations kept of one run.
    private static let violationLimit = 8
    /// How long the pool may take to agree after the faults have stopped.
    private static let settleLimit = Duration.seconds(900)

    /// `nodes` overrides the number that the seed would draw; `trace` gets a line for each thing that happens.
    package convenience init(seed: UInt64, nodes: Int? = nil, trace: ((String) -> Void)? = nil) {
        self.init(SeedPlan(seed: seed, nodeCount: nodes), trace: trace)
    }

    init(_ plan: SeedPlan, trace: ((String) -> Void)? = nil) {
        self.plan = plan
        simulation = Simulation(seed: plan.seed)
        random = SeededRandom(seed: plan.seed, part: 4)
        truths = Array(repeating: HostTruth(), count: plan.nodeCount)
        deaths = DeathChecker(memory: .seconds(75))
        events = EventChecker(hostCount: plan.nodeCount)
        clocks = ClockChecker(hostCount: plan.nodeCount)
        report = SeedReport(seed: plan.seed, plan: plan.summary)
        tracer = trace
    }

    /// Runs all phases.
    package func run() -> SeedReport {
        let start = simulation.now
        simulation.observer = { [unowned self] host, _, report in observe(report, from: host) }
        if let tracer { simulation.trace = { tracer("\($0.inSeconds) \($1)") } }
        tell(plan.summary)
        gather()
        suffer()
        recover()
        if report.isGood { rest() }
        simulation.observer = { _, _, _ in }
        report.digest = simulation.digest
        report.events = simulation.eventCount
        report.duration = simulation.now - start
        report.excusedDeaths = deaths.excused
        report.overtakenLeaves = deaths.overtakenLeaves
        return report
    }

    func tell(_ line: @autoclosure () -> String) { simulation.tell(line()) }

    func violated(_ rule: String) {
        tell("VIOLATION: \(rule)")
        guard report.violations.count < Self.violationLimit else { return }
        report.violations.append("at \(simulation.now.inSeconds): \(rule)")
    }
}

// MARK: - Phases

extension SeedRun {
    /// Everybody starts within a few seconds, and joins through those that are there already.
    private func gather() {
        for host in 0..<plan.nodeCount {
            let rate = plan.kinds.contains(.drift) ? Double.random(in: 0.98...1.02, using: &random) : 1
            simulation.addHost(clockRate: rate, origin: Instant(nanoseconds: random.next() >> 20))
            truths[host].tags = plan.tags(of: host, version: 0)
        }
        for host in 0..<plan.nodeCount {
            launch(host, snapshot: nil)
            if host > 0 { join(host, through: random.some(of: Array(0..<host), 0.3) + [random.number(0...host - 1)]) }
            run(for: random.duration(.zero...(.milliseconds(800))))
        }
        truths[0].isInPool = true
        let took = waitForAgreement(limit: .seconds(90))
        if took == nil { violated("the pool does not come together: \(disagreements().prefix(3))") }
    }

    /// Faults and work.
    private func suffer() {
        deaths.poolRecovered()
        let end = simulation.now + plan.faultTime
        agenda.add(.work, at: simulation.now)
        agenda.add(.check, at: simulation.now)
        if !plan.kinds.isEmpty { agenda.add(.beginFault, at: simulation.now + .seconds(1)) }
        while let next = agenda.nextTime, next <= end, let step = agenda.removeFirst()?.event {
            simulation.run(until: next)
            perform(step)
        }
        simulation.run(until: end)
    }

    /// The faults stop; whoever is only down for a while comes back at once.
    private func recover() {
        tell("the faults stop")
        healEverything()
        let took = waitForAgreement(limit: Self.settleLimit)
        guard let took else {
            violated("the pool does not agree after the faults: \(disagreements().prefix(4))")
            return
        }
        tell("everybody agrees")
        report.settling = took
        deaths.poolRecovered()
    }

    /// Runs until everybody agrees and all have what they ought to; nil when they do not in time.
    private func waitForAgreement(limit: Duration) -> Duration? {
        let start = simulation.now
        while simulation.now - start <= limit {
            if disagreements().isEmpty { return simulation.now - start }
            run(for: .seconds(1))
            checkClocks()
            if (simulation.now - start).components.seconds % 60 == 0 { joinIslands() }
        }
        return nil
    }

    func disagreements() -> [String] {
        let up = truths.indices.filter { truths[$0].isUp }
        // Whoever is the only one left has nobody to be in a pool with.
        let notYet = up.count > 1 ? up.filter { !truths[$0].isInPool } : []
        return notYet.map { "n\($0) is not in the pool" } + AgreementChecker.disagreements(simulation, truths)
            + events.missing(truths)
    }

    /// Lets time pass, doing what is planned for it.
    func run(for duration: Duration) {
        let end = simulation.now + duration
        while let next = agenda.nextTime, next <= end, let step = agenda.removeFirst()?.event {
            simulation.run(until: next)
            perform(step)
        }
        simulation.run(until: end)
    }

    func setSpread(event: Duration?, tags: Duration?, detection: Duration?) {
        report.eventSpread = event
        report.tagSpread = tags
        report.detection = detection
    }

    func countFault() { report.faults += 1 }

    func countLeave() { report.leaves += 1 }
}

extension Instant {
    /// Seconds and milliseconds, for traces.
    var inSeconds: String {
        let milliseconds = nanoseconds / 1_000_000
        let rest = String(milliseconds % 1000)
        return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }
}

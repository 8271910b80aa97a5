internal import WeftCore

/// Measures one pool of one kind of process: how fast it learns, what it costs at rest, how soon it sees a crash, and how
/// often it is wrong about live members.
///
/// Everybody knows everybody from the start. One thing happens after the other; the hosts that are crashed to time their
/// detection stay away. Heavy loss gets a new pool, as it takes a large one long to recover from it, and as ten members
/// fewer can cost each message a quarter of its transmits.
package final class MeasuredPool<Process: MeasuredProcess> {
    private var simulation: Simulation<Process>
    private let count: Int
    private let lifeguard: Bool
    private let seed: UInt64
    private let effort: MeasuringEffort
    private var random: SeededRandom
    package private(set) var measurement = PoolMeasurement()
    /// Who has the event or the tags that are being spread, and when the last one got them.
    private var spreading: Spreading?
    /// By crashed host, when it was seen as failed for the first time and how often so far.
    private var crashes: [Int: Crash] = [:]
    private var slow: Set<Int> = []
    /// Deaths of live members in the present condition.
    private var falseDeaths: Set<Death> = []
    private var isCounting = false
    private let progress: (String) -> Void

    private struct Spreading {
        let what: Subject
        let start: Instant
        var count = 0
        var end: Instant?

        enum Subject: Equatable { case event(Int), tags(of: Int) }
    }

    private struct Crash {
        let time: Instant
        var first: Instant?
        var count = 0
        var last: Instant?
    }

    private struct Death: Hashable {
        let host: Int
        let incarnation: Int
    }

    /// `progress` is told what is being done.
    package init(
        count: Int,
        lifeguard: Bool,
        seed: UInt64,
        effort: MeasuringEffort,
        progress: @escaping (String) -> Void = { _ in }
    ) {
        simulation = Simulation(seed: seed)
        self.count = count
        self.lifeguard = lifeguard
        self.seed = seed
        random = SeededRandom(seed: seed, part: 5)
        self.effort = effort
        self.progress = progress
        measurement.nodes = count
    }

    /// Measures everything.
    package func run() -> PoolMeasurement {
        fill()
        measureIdleTraffic()
        for number in 0..<effort.events { measurement.eventSpreads.append(spread(event: number)) }
        measurement.tagSpread = spreadTags()
        measureExchange()
        for condition in effort.conditions where condition != .muchLoss { watch(condition) }
        measureDetection()
        if effort.conditions.contains(.muchLoss) {
            fill()
            watch(.muchLoss)
        }
        simulation.observer = { _, _, _ in }
        return measurement
    }

    /// Makes a new pool, in which everybody is there.
    private func fill() {
        progress("filling a pool")
        simulation = Simulation(seed: seed)
        crashes = [:]
        Process.fill(simulation, count: count, lifeguard: lifeguard, exchanges: effort.exchanges)
        simulation.observer = { [unowned self] host, _, report in
            if let observation = Process.observation(report) { observe(observation, on: host) }
        }
        simulation.run(for: .seconds(5))
    }

    private var hosts: Range<Int> { 0..<simulation.hostCount }

    private var liveHosts: [Int] { hosts.filter { crashes[$0] == nil } }

    private func observe(_ observation: Observation, on host: Int) {
        switch observation {
        case .event(let number): count(.event(number))
        case .tags(let subject, _): count(.tags(of: subject))
        case .failed(let subject, let incarnation):
            if var crash = crashes[subject] {
                crash.first = crash.first ?? simulation.now
                crash.count += 1
                crash.last = simulation.now
                crashes[subject] = crash
            } else if isCounting {
                falseDeaths.insert(Death(host: subject, incarnation: incarnation))
            }
        }
    }

    private func count(_ subject: Spreading.Subject) {
        guard spreading?.what == subject else { return }
        spreading?.count += 1
        if spreading?.count == liveHosts.count { spreading?.end = simulation.now }
    }
}

// MARK: - Measurements

extension MeasuredPool {
    private func total() -> Traffic { hosts.reduce(Traffic()) { $0 + simulation.sent(by: $1) } }

    private func measureIdleTraffic() {
        progress("idle traffic")
        let before = total()
        simulation.run(for: effort.idleTime)
        let after = total()
        let headers = 28 * (after.datagrams - before.datagrams)
        let bytes = Double(after.datagramBytes - before.datagramBytes + headers)
        measurement.idleDatagramBytes = bytes / effort.idleTime.inSeconds / Double(simulation.hostCount)
    }

    /// The bytes of one exchange of state, over the interval at which each member begins one.
    private func measureExchange() {
        func sent() -> Int { simulation.sent(by: 0).streamBytes + simulation.sent(by: 1).streamBytes }
        let before = sent()
        simulation.command(0) { $0.exchangeState(with: 1, &$1) }
        simulation.run(for: .milliseconds(500))
        let interval = ModelRules().exchangeInterval(simulation.hostCount)
        measurement.idleStreamBytes = Double(sent() - before) / interval.inSeconds
        simulation.run(for: .seconds(5))
    }

    private func spread(event number: Int) -> Duration? {
        let host = random.number(0...hosts.count - 1)
        return spread(.event(number)) { simulation.command(host) { $0.sendEvent(number: number, &$1) } }
    }

    private func spreadTags() -> Duration? {
        let host = random.number(0...hosts.count - 1)
        return spread(.tags(of: host)) {
            // The host itself has them already; weft says so itself, the model does not.
            simulation.command(host) { $0.changeTags(version: 1, &$1) }
            if spreading?.count == 0 { spreading?.count = 1 }
        }
    }

    private func spread(_ subject: Spreading.Subject, _ begin: () -> Void) -> Duration? {
        progress("spreading \(subject)")
        spreading = Spreading(what: subject, start: simulation.now)
        begin()
        let limit = simulation.now + .seconds(120)
        while spreading?.end == nil, simulation.now < limit { simulation.run(for: .milliseconds(100)) }
        defer { spreading = nil }
        // The queues run dry before the next change.
        simulation.run(for: .seconds(3))
        return spreading.flatMap { spreading in spreading.end.map { $0 - spreading.start } }
    }

    private func measureDetection() {
        progress("crashes")
        let victims = hosts.shuffled(using: &random).prefix(effort.crashes)
        for host in victims {
            crashes[host] = Crash(time: simulation.now)
            simulation.crash(host, power: false)
            simulation.run(for: random.duration(.zero...(.seconds(3))))
        }
        let limit = simulation.now + .seconds(240)
        let observers = liveHosts.count
        while simulation.now < limit, crashes.values.contains(where: { $0.count < observers }) {
            simulation.run(for: .milliseconds(500))
        }
        for host in victims {
            guard let crash = crashes[host] else { continue }
            measurement.firstDetections.append(crash.first.map { $0 - crash.time })
            measurement.fullDetections.append(crash.count >= observers ? crash.last.map { $0 - crash.time } : nil)
        }
    }

    /// Counts live members that are declared dead under a condition.
    private func watch(_ condition: PoolCondition) {
        progress("condition \(condition.rawValue)")
        begin(condition)
        falseDeaths = []
        isCounting = true
        simulation.run(for: effort.time(of: condition))
        isCounting = false
        var result = PoolMeasurement.FalsePositives(condition: condition)
        result.slow = falseDeaths.count { slow.contains($0.host) }
        result.healthy = falseDeaths.count - result.slow
        let hours = effort.time(of: condition).inSeconds / 3600
        result.slowNodeHours = hours * Double(slow.count)
        result.healthyNodeHours = hours * Double(liveHosts.count - slow.count)
        measurement.falsePositives.append(result)
        end()
        if condition != .muchLoss { simulation.run(for: effort.restTime) }
    }

    private func begin(_ condition: PoolCondition) {
        switch condition {
        case .calm: break
        case .someLoss: simulation.network.conditions.loss = 0.05
        case .muchLoss: simulation.network.conditions.loss = 0.2
        case .slowNodes:
            let count = max(1, hosts.count / 50)
            slow = Set(liveHosts.shuffled(using: &random).prefix(count))
            let slowness = Slowness(
                stops: .milliseconds(500)...(.seconds(5)),
                runs: .milliseconds(10)...(.milliseconds(300))
            )
            for host in slow.sorted() { simulation.setSlowness(slowness, of: host) }
        }
    }

    private func end() {
        simulation.network.heal()
        for host in slow.sorted() { simulation.setSlowness(nil, of: host) }
        slow = []
    }
}

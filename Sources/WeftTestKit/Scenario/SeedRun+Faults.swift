internal import WeftCore
internal import WeftGossip

/// What goes wrong, and how it ends.
extension SeedRun {
    /// Begins one fault of a kind that this run has, if there is room for it.
    func beginFault() {
        let choices = plan.kinds.filter { $0 != .drift }.flatMap { Array(repeating: $0, count: $0.weight) }
        guard let kind = random.pick(choices) else { return }
        countFault()
        switch kind {
        case .pause: hold(random.duration(.milliseconds(200)...(.seconds(25))), slowness: nil)
        case .slowness:
            let stops: ClosedRange<Duration> = .milliseconds(200)...random.duration(.milliseconds(400)...(.seconds(6)))
            let slowness = Slowness(stops: stops, runs: .milliseconds(1)...(.milliseconds(800)))
            hold(random.duration(.seconds(5)...(.seconds(40))), slowness: slowness)
        case .crash: crashSomebody()
        case .drift: break
        case .lightLoss, .heavyLoss, .delay, .longDelay, .duplication, .reordering, .partition, .oneWay, .badHost,
            .streams:
            guard !activeFaults.contains(kind) else { return }
            breakNetwork(kind)
            agenda.add(.endFault(kind), at: simulation.now + random.duration(.seconds(1)...(.seconds(40))))
        }
    }

    private func hold(_ duration: Duration, slowness: Slowness?) {
        let running = truths.indices.filter { truths[$0].isUp && !activePauses.contains($0) }
        guard let host = random.pick(running) else { return }
        tell("n\(host) is held up for \(duration), slowly: \(slowness != nil)")
        activePauses.insert(host)
        deaths.faultBegan(.pause, at: simulation.now)
        if let slowness { simulation.setSlowness(slowness, of: host) } else { simulation.pause(host) }
        agenda.add(.resume(host), at: simulation.now + duration)
    }

    private func crashSomebody() {
        let victims = truths.indices.filter { truths[$0].isUp || truths[$0].state == .leaving }
        guard let host = random.pick(victims), truths.count(where: { $0.isUp }) > 1 else { return }
        crash(host)
        // One in four never comes back.
        guard random.chance(0.75) else { return }
        let step = Step.restart(host, life: simulation.life(of: host))
        agenda.add(step, at: simulation.now + random.duration(.milliseconds(50)...(.seconds(45))))
    }

    func crash(_ host: Int) {
        truths[host].state = .crashed
        truths[host].lastAway = simulation.now
        if activePauses.remove(host) != nil { deaths.faultEnded(.pause, at: simulation.now) }
        simulation.crash(host, power: random.chance(0.3))
    }

    /// Starts a crashed process again, with what its shell had written, or with nothing but addresses to join.
    func restart(_ host: Int) {
        truths[host].lastAway = simulation.now
        let snapshot = random.chance(0.5) ? truths[host].snapshot : nil
        tell("n\(host) starts again, with \(snapshot.map { "\($0.members.count) members" } ?? "nothing")")
        launch(host, snapshot: snapshot)
        if snapshot?.members.isEmpty ?? true { joinAgain(host) }
    }
}

// MARK: - The network

extension SeedRun {
    private func breakNetwork(_ kind: FaultKind) {
        tell("the network gets: \(kind.rawValue)")
        activeFaults.append(kind)
        deaths.faultBegan(kind, at: simulation.now)
        let hosts = Array(truths.indices)
        switch kind {
        case .lightLoss: simulation.network.conditions.loss = Double.random(in: 0.001...0.05, using: &random)
        case .heavyLoss: simulation.network.conditions.loss = Double.random(in: 0.1...0.4, using: &random)
        case .delay:
            simulation.network.conditions.delay = random.duration(.milliseconds(1)...(.milliseconds(50)))
            simulation.network.conditions.jitter = random.duration(.zero...(.milliseconds(50)))
        case .longDelay:
            simulation.network.conditions.delay = random.duration(.milliseconds(100)...(.milliseconds(700)))
            simulation.network.conditions.jitter = random.duration(.zero...(.milliseconds(500)))
        case .duplication: simulation.network.conditions.duplication = Double.random(in: 0.01...0.5, using: &random)
        case .reordering: simulation.network.conditions.reordering = Double.random(in: 0.01...0.5, using: &random)
        case .partition: for host in hosts { simulation.network.islands[host] = random.number(0...1) }
        case .oneWay:
            for from in hosts {
                for to in hosts where from != to && random.chance(0.2) {
                    simulation.network.cutLinks.insert(SimulatedNetwork.Link(from: from, to: to))
                }
            }
        case .badHost:
            let loss = random.chance(0.5) ? 1 : Double.random(in: 0.3...0.9, using: &random)
            simulation.network.hostConditions[random.number(0...hosts.count - 1)] = LinkConditions(loss: loss)
        case .streams:
            let share = [0.2, 0.5, 1][random.number(0...2)] / 4
            simulation.network.streams = StreamConditions(
                refused: share,
                swallowed: share,
                broken: share,
                stalled: share
            )
        case .pause, .slowness, .crash, .drift: break
        }
    }

    func endFault(_ kind: FaultKind) {
        guard let place = activeFaults.firstIndex(of: kind) else { return }
        tell("the network loses: \(kind.rawValue)")
        activeFaults.remove(at: place)
        deaths.faultEnded(kind, at: simulation.now)
        let good = LinkConditions()
        switch kind {
        case .lightLoss, .heavyLoss: simulation.network.conditions.loss = 0
        case .delay, .longDelay:
            simulation.network.conditions.delay = good.delay
            simulation.network.conditions.jitter = good.jitter
        case .duplication: simulation.network.conditions.duplication = 0
        case .reordering: simulation.network.conditions.reordering = 0
        case .partition: simulation.network.islands = [:]
        case .oneWay: simulation.network.cutLinks = []
        case .badHost: simulation.network.hostConditions = [:]
        case .streams: simulation.network.streams = StreamConditions()
        case .pause, .slowness, .crash, .drift: break
        }
    }

    /// Ends all faults, and starts whoever was to start again.
    func healEverything() {
        for kind in activeFaults { endFault(kind) }
        simulation.network.heal()
        var restarts: [Int] = []
        var kept: [(Instant, Step)] = []
        while let (time, step) = agenda.removeFirst() {
            switch step {
            case .resume: perform(step)
            case .restart(let host, let life):
                if truths[host].state == .crashed, simulation.life(of: host) == life { restarts.append(host) }
            case .retryJoin, .answer: kept.append((time, step))
            case .work, .beginFault, .endFault, .check: break
            }
        }
        for (time, step) in kept { agenda.add(step, at: time) }
        for host in restarts { restart(host) }
    }
}

internal import WeftCore
internal import WeftGossip

/// What the pool is used for while faults come and go.
extension SeedRun {
    func perform(_ step: Step) {
        switch step {
        case .work:
            work()
            agenda.add(.work, at: simulation.now + plan.workInterval)
        case .beginFault:
            beginFault()
            agenda.add(.beginFault, at: simulation.now + random.duration(.seconds(1)...(plan.faultInterval * 2)))
        case .endFault(let kind): endFault(kind)
        case .resume(let host):
            guard activePauses.remove(host) != nil else { return }
            simulation.setSlowness(nil, of: host)
            simulation.resume(host)
            deaths.faultEnded(.pause, at: simulation.now)
        case .restart(let host, let life):
            if truths[host].state == .crashed, simulation.life(of: host) == life { restart(host) }
        case .retryJoin(let host, let life):
            guard truths[host].isUp, simulation.life(of: host) == life else { return }
            if isAlone(host) { joinAgain(host) } else { truths[host].isInPool = true }
        case .answer(let host, let query): answer(query, on: host)
        case .check:
            checkClocks()
            agenda.add(.check, at: simulation.now + .seconds(1))
        }
    }

    /// One thing that an owner of a node may do.
    private func work() {
        let up = truths.indices.filter { truths[$0].isUp && truths[$0].isInPool && !simulation.isPaused($0) }
        guard let host = random.pick(up) else { return }
        switch random.number(0...19) {
        case 0...7: sendEvent(from: host)
        case 8...12: changeTags(of: host)
        case 13...14: ask(host)
        case 15: sendDirect(from: host)
        case 16...17: comeBack()
        default: if up.count > 2, truths.count(where: { $0.isUp }) > 2 { leave(host) }
        }
        for host in up where random.chance(0.3) { saveSnapshot(of: host) }
    }

    /// Sends a user event; its number.
    @discardableResult
    func sendEvent(from host: Int) -> Int {
        let payload = events.nextPayload
        let number = events.count
        tell("n\(host) sends event \(number)")
        // It is delivered on the sender during the call: the checker has to know of it before.
        let time = simulation.inspect(host) { $0.node.gauges.eventClock } ?? 0
        events.wasSent(at: time, now: simulation.now)
        command(host, "send an event") { node, now, random, actions throws(GossipError) in
            _ = try node.sendUserEvent(
                name: "sim",
                payload: payload,
                coalesce: false,
                now: now,
                using: &random,
                into: &actions
            )
        }
        return number
    }

    func changeTags(of host: Int) {
        truths[host].tagVersion += 1
        let tags = plan.tags(of: host, version: truths[host].tagVersion)
        truths[host].tags = tags
        tell("n\(host) has tags \(truths[host].tagVersion)")
        command(host, "change its tags") { node, now, random, actions throws(GossipError) in
            try node.setTags(tags, now: now, using: &random, into: &actions)
        }
    }

    func leave(_ host: Int) {
        tell("n\(host) is told to leave")
        countLeave()
        truths[host].state = .leaving
        truths[host].lastAway = simulation.now
        command(host, "leave") { node, now, random, actions throws(GossipError) in
            node.leave(now: now, using: &random, into: &actions)
        }
    }

    private func ask(_ host: Int) {
        var request = QueryRequest(name: "question", payload: Array("?".utf8))
        request.wantsAcknowledgements = random.chance(0.5)
        request.relayFactor = random.chance(0.3) ? 1 : 0
        command(host, "ask") { [request] node, now, random, actions throws(GossipError) in
            _ = try node.startQuery(request, now: now, using: &random, into: &actions)
        }
    }

    /// Answers as the owner of a node would; one that is leaving, or that stood still for too long, is refused.
    private func answer(_ query: QueryKey, on host: Int) {
        guard truths[host].isUp, !simulation.isPaused(host) else { return }
        do {
            try simulation.command(host) { process, context in
                try process.perform(&context) { node, now, random, actions throws(GossipError) in
                    try node.respond(to: query, with: [42], now: now, using: &random, into: &actions)
                }
            }
        } catch {
            tell("n\(host) may not answer: \(error)")
        }
    }

    private func sendDirect(from host: Int) {
        let others = truths.indices.filter { $0 != host && !plan.stockLike.contains($0) }
        guard let other = random.pick(others) else { return }
        let name = MemberName(simulatedHost: other)
        let isKnown = simulation.inspect(host) { $0.node.member(named: name)?.kind == .weft } ?? false
        guard isKnown else { return }
        command(host, "send a direct message") { node, now, random, actions throws(GossipError) in
            try node.sendDirect(Array("direct".utf8), to: name, now: now, using: &random, into: &actions)
        }
    }

    /// Somebody who left starts again.
    private func comeBack() {
        let gone = truths.indices.filter { truths[$0].state == .left && !simulation.isRunning($0) }
        guard let host = random.pick(gone) else { return }
        tell("n\(host) comes back")
        truths[host].lastAway = simulation.now
        launch(host, snapshot: nil)
        joinAgain(host)
    }

    /// The node knows of nobody alive but itself.
    private func isAlone(_ host: Int) -> Bool {
        let alive = simulation.inspect(host) { process in process.node.members.count { $0.state == .alive } }
        return alive ?? 0 <= 1
    }

    func joinAgain(_ host: Int) {
        let targets = joinTargets(of: host)
        guard targets.isEmpty else { return join(host, through: targets) }
        agenda.add(.retryJoin(host, life: simulation.life(of: host)), at: simulation.now + .seconds(5))
    }
}

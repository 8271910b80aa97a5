internal import WeftCore
internal import WeftGossip

/// Starting, joining and stopping nodes, and what they report.
extension SeedRun {
    /// Starts a process on a host that has none.
    func launch(_ host: Int, snapshot: GossipSnapshot?) {
        let configuration = plan.configuration(of: host, tags: truths[host].tags)
        let node: GossipNode
        do throws(GossipConfigurationError) {
            node = try GossipNode(configuration, snapshot: snapshot)
        } catch {
            violated("n\(host) refuses its configuration: \(error)")
            return
        }
        truths[host].state = .running
        truths[host].isInPool = false
        truths[host].firstEventTime = 0
        truths[host].seeds = []
        events.processStarted(on: host)
        clocks.processStarted(on: host)
        simulation.start(GossipProcess(node, isWatched: true), on: host)
        noteEventTime(of: host)
    }

    /// Has a host join; its shell tries again when nobody answers.
    func join(_ host: Int, through others: [Int]) {
        let addresses = Array(Set(others)).sorted().map { NetworkAddress(simulatedHost: $0) }
        truths[host].seeds.formUnion(others)
        tell("n\(host) joins through \(addresses.map { $0.simulatedHost })")
        command(host, "join") { node, now, random, actions throws(GossipError) in
            _ = try node.join(addresses, now: now, using: &random, into: &actions)
        }
    }

    /// Calls a node; it may not refuse.
    func command(
        _ host: Int,
        _ what: String,
        _ body: (inout GossipNode, Instant, inout SeededRandom, inout [GossipAction]) throws(GossipError) -> Void
    ) {
        do {
            try simulation.command(host) { process, context in try process.perform(&context, body) }
        } catch {
            violated("n\(host) refuses to \(what): \(error)")
        }
    }

    /// A host that can be joined through, as far as the operator knows.
    func joinTargets(of host: Int) -> [Int] {
        let up = truths.indices.filter { $0 != host && truths[$0].isUp }
        guard let first = random.pick(up) else { return [] }
        return [first] + random.some(of: up, 0.3)
    }

    /// What the shell writes to disk while it runs.
    func saveSnapshot(of host: Int) {
        simulation.inspect(host) { truths[host].snapshot = $0.node.snapshot }
    }

    /// Events from before this moment are not for the process on this host.
    private func noteEventTime(of host: Int) {
        simulation.inspect(host) { truths[host].firstEventTime = $0.node.gauges.eventClock }
    }

    /// Looks at what only goes forward, on every host.
    func checkClocks() {
        for host in truths.indices where simulation.isRunning(host) {
            let found = simulation.inspect(host) { clocks.check($0.node, on: host) }
            for violation in found ?? [] { violated(violation) }
        }
    }
}

// MARK: - Reports

extension SeedRun {
    func observe(_ report: GossipProcess.Report, from host: Int) {
        switch report {
        case .violation(let text): violated("n\(host) \(text)")
        case .action(let action): observe(action, from: host)
        }
    }

    private func observe(_ action: GossipAction, from host: Int) {
        switch action {
        case .memberChanged(let change): observe(change, from: host)
        case .userEvent(let event):
            tell("n\(host) hears of \(String(decoding: event.payload, as: UTF8.self)) at \(event.time)")
            if let violation = events.wasDelivered(event.payload, on: host) { violated(violation) }
        case .joinFinished(let outcome): observe(outcome, from: host)
        case .queryReceived(let query): agenda.add(.answer(host, query.key), at: simulation.now)
        case .left:
            tell("n\(host) has left")
            truths[host].state = .left
            truths[host].lastAway = simulation.now
        case .nameConflictLost: violated("n\(host) loses its name")
        case .directReceived(let bytes, let sender):
            if bytes != Array("direct".utf8) || sender.simulatedHost < 0 {
                violated("n\(host) gets a wrong direct message")
            }
        case .send, .openStream, .reply, .closeStream, .wake, .queryResponse, .queryFinished, .keyOperationFinished,
            .sectionReceived, .keyringChanged:
            break
        }
    }

    private func observe(_ change: MemberChange, from host: Int) {
        let member = change.member.name
        tell("n\(host) shows \(member) as \(change.kind), incarnation \(change.member.incarnation)")
        if change.kind != .updated, change.kind != .availability { clocks.memberCameOrWent(member, on: host) }
        switch change.kind {
        case .failed:
            let subject = member.simulatedHost
            guard truths.indices.contains(subject) else { return }
            let violation = deaths.failed(subject, by: host, truth: truths[subject], at: simulation.now)
            if let violation { violated(violation) }
        case .left, .reaped, .joined, .updated, .availability: break
        }
    }

    private func observe(_ outcome: JoinOutcome, from host: Int) {
        tell(
            "n\(host) joined \(outcome.joined.map { $0.simulatedHost }), failed \(outcome.failed.map { $0.address.simulatedHost })"
        )
        guard truths[host].isUp else { return }
        noteEventTime(of: host)
        // Stock agents are told to try again (`retry_join`). Weft's core does so by itself; its operator helps when none
        // of its seeds is left.
        let isStock = plan.stockLike.contains(host)
        truths[host].isInPool = !isStock || !outcome.joined.isEmpty
        guard outcome.joined.isEmpty else { return }
        // Of a rejoin that found nobody, the core keeps the addresses.
        if outcome.id == .rejoin { truths[host].seeds = Set(outcome.failed.map { $0.address.simulatedHost }) }
        let retry = Step.retryJoin(host, life: simulation.life(of: host))
        agenda.add(retry, at: simulation.now + .seconds(isStock ? 15 : 60))
    }
}

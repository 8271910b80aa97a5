internal import WeftCore
internal import WeftGossip

/// The pool at rest: without faults everything has to be quick and right.
extension SeedRun {
    func rest() {
        let up = truths.indices.filter { truths[$0].isUp }
        guard up.count > 1 else { return }
        let (eventSpread, tagSpread) = spreadNews(up)
        let detection = up.count > 2 ? loseTwo(up) : nil
        setSpread(event: eventSpread, tags: tagSpread, detection: detection)
        checkGrowth()
    }

    /// A user event and new tags reach everybody: at the latest with the exchanges of full state.
    private func spreadNews(_ up: [Int]) -> (event: Duration?, tags: Duration?) {
        let start = simulation.now
        let number = sendEvent(from: up[random.number(0...up.count - 1)])
        changeTags(of: up[random.number(0...up.count - 1)])
        let limit = plan.timing.pushPullInterval * 4
        var eventSpread: Duration?
        var tagSpread: Duration?
        while simulation.now - start < limit, eventSpread == nil || tagSpread == nil {
            run(for: .milliseconds(50))
            if eventSpread == nil, events.isComplete(number, truths) { eventSpread = simulation.now - start }
            if tagSpread == nil, AgreementChecker.disagreements(simulation, truths).isEmpty {
                tagSpread = simulation.now - start
            }
        }
        if eventSpread == nil { violated("an event does not reach everybody in a pool at rest") }
        if tagSpread == nil { violated("new tags do not reach everybody in a pool at rest") }
        return (eventSpread, tagSpread)
    }

    /// One leaves, and is seen as left; another crashes, and is seen as failed within the longest suspicion.
    private func loseTwo(_ up: [Int]) -> Duration? {
        let leaver = up[random.number(0...up.count - 1)]
        leave(leaver)
        let rest = up.filter { $0 != leaver }
        let limit = simulation.now + plan.timing.pushPullInterval * 4
        while simulation.now < limit, !rest.allSatisfy({ state(of: leaver, on: $0) == .left }) { run(for: .seconds(1)) }
        let views = rest.map { state(of: leaver, on: $0) }
        // Nobody may have heard of it: the few copies of the intent can all go to members that are dead.
        if !views.allSatisfy({ $0 == .left }), !views.allSatisfy({ $0 == .failed }) {
            violated("n\(leaver), which left, is seen as \(views.map { $0?.rawValue ?? "unknown" })")
        }
        guard rest.count > 1 else { return nil }
        let victim = rest[random.number(0...rest.count - 1)]
        let observers = rest.filter { $0 != victim }
        let start = simulation.now
        crash(victim)
        while simulation.now - start < detectionLimit {
            run(for: .milliseconds(200))
            if observers.allSatisfy({ state(of: victim, on: $0) == .failed }) { return simulation.now - start }
        }
        violated("n\(victim), which crashed, is not seen as failed by everybody")
        return nil
    }

    /// A round of probes, the longest suspicion, and an exchange of state with somebody who knows.
    private var detectionLimit: Duration {
        let minimum = PoolScaling.suspicionMinimum(
            mult: plan.timing.suspicionMult,
            nodes: plan.nodeCount,
            interval: plan.timing.probeInterval
        )
        return plan.timing.probeInterval * (2 * plan.nodeCount) + minimum * plan.timing.suspicionMaxTimeoutMult
            + plan.timing.pushPullInterval
    }

    private func state(of subject: Int, on host: Int) -> Member.State? {
        simulation.inspect(host) { $0.node.state(of: MemberName(simulatedHost: subject)) } ?? nil
    }

    /// After a little while nothing is held that is not needed.
    private func checkGrowth() {
        run(for: .seconds(20))
        for host in truths.indices where truths[host].isUp {
            let now = simulation.localTime(of: host)
            let found = simulation.inspect(host) { process in
                GrowthChecker.excesses(process, on: host, nodes: truths.count, now: now)
            }
            for excess in found ?? [] { violated(excess) }
        }
        // Streams outlive nobody's deadline; the longest is that of a stream that is accepted and never served.
        if simulation.openConnections > 4 * truths.count {
            violated("\(simulation.openConnections) streams are open in a pool at rest")
        }
    }
}

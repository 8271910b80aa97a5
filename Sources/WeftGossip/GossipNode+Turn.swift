internal import WeftCore

/// What one call into a node works with: the time it happens at, its randomness, and the actions it leads to.
struct Turn<Random: RandomNumberGenerator> {
    let now: Instant
    /// Where the datagram being handled came from; nil when there is none.
    var source: NetworkAddress?
    /// What is being handled was heard in clear text, or may have been.
    var isClear = false
    var random: Random
    var actions: [GossipAction]

    mutating func act(_ action: GossipAction) { actions.append(action) }
}

extension GossipNode {
    /// Runs one call: lends the caller's generator and array to a turn, and asks for the next wake-up at the end.
    mutating func perform<Random: RandomNumberGenerator, Result>(
        _ now: Instant,
        _ random: inout Random,
        _ actions: inout [GossipAction],
        _ body: (inout GossipNode, inout Turn<Random>) -> Result
    ) -> Result {
        var turn = Turn(now: now, source: nil, random: random, actions: [])
        swap(&turn.actions, &actions)
        let result = body(&self, &turn)
        advanceLeaving(&turn)
        armGossip(now: now)
        announceWake(&turn)
        swap(&turn.actions, &actions)
        random = turn.random
        return result
    }

    /// Tells the shell when to call next, if that has changed.
    private mutating func announceWake(_ turn: inout Turn<some RandomNumberGenerator>) {
        guard phase.isActive else { return }
        discardStaleTimers()
        guard let deadline = timers.first?.deadline, deadline != announcedWake else { return }
        announcedWake = deadline
        turn.act(.wake(at: deadline))
    }
}

// MARK: - Timers

extension GossipNode {
    /// Runs everything whose time has come, in the order of their times.
    mutating func runTimers(_ turn: inout Turn<some RandomNumberGenerator>) {
        guard phase.isActive else { return }
        noticeStall(&turn)
        // Bounds one turn: a timer that sets itself again sets itself into the future, unless the clock leapt ahead.
        for _ in 0..<Self.timersPerTurn {
            discardStaleTimers()
            guard phase.isActive, let (deadline, timer) = timers.first, deadline <= turn.now else { return }
            timers.removeFirst()
            run(timer, at: deadline, &turn)
        }
    }

    private static let timersPerTurn = 100_000

    /// Drops timers at the front whose reason has gone, so that nobody wakes up for them.
    private mutating func discardStaleTimers() {
        while let timer = timers.first?.timer, !isDue(timer, at: timers.first?.deadline) { timers.removeFirst() }
    }

    private func isDue(_ timer: TimerQueue.Timer, at deadline: Instant?) -> Bool {
        switch timer {
        case .probeTimeout(let sequence): membership.probe.map { $0.sequence == sequence && $0.isDirect } ?? false
        case .probeEnd(let sequence): membership.probe?.sequence == sequence
        case .relayedPing(let sequence): membership.relayedPings[sequence] != nil
        case .suspicion(let name): membership.suspicions[name]?.deadline == deadline
        case .query(let key): serf.runningQueries[key] != nil
        case .leave(let step): phase == .leaving(step)
        case .probe, .gossip, .pushPull, .reap, .reconnect, .seeds, .queueCheck, .prune: true
        }
    }

    private mutating func run(
        _ timer: TimerQueue.Timer,
        at deadline: Instant,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        switch timer {
        case .probe: probeTick(at: deadline, &turn)
        case .probeTimeout: probeIndirectly(&turn)
        case .probeEnd: endProbe(&turn)
        case .relayedPing(let sequence): relayedPingTimedOut(sequence, &turn)
        case .gossip: gossipTick(at: deadline, &turn)
        case .pushPull: pushPullTick(at: deadline, &turn)
        case .suspicion(let name): suspicionTimedOut(name, &turn)
        case .reap: reapTick(at: deadline, &turn)
        case .reconnect: reconnectTick(at: deadline, &turn)
        case .seeds: seedTick(at: deadline, &turn)
        case .queueCheck: queueTick(at: deadline, &turn)
        case .query(let key): finishQuery(key, &turn)
        case .leave(let step): leaveStepTimedOut(step, &turn)
        case .prune(let name): pruneLeaving(name, &turn)
        }
    }

    /// Sets a timer that comes every `interval` again. After a pause (a stopped process) ticks that were missed are left
    /// out, so that the node does not do an hour's work at once.
    mutating func repeatTimer(_ timer: TimerQueue.Timer, every interval: Duration, after last: Instant, now: Instant) {
        let next = last + interval
        timers.set(timer, at: next > now ? next : now + interval)
    }
}

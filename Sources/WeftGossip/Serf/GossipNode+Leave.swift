internal import WeftCore

/// Leaving so that everybody shows it as left and not as failed (section 8.6): first the intent, then, when all have
/// that, the death notice, then a moment of still being there.
extension GossipNode {
    mutating func beginLeave(_ turn: inout Turn<some RandomNumberGenerator>) {
        guard phase == .running else { return }
        phase = .leaving(.intent)
        let intent = LeaveIntent(time: serf.memberClock.time, node: configuration.name, prune: false)
        serf.memberClock.advance()
        _ = handle(intent, &turn)
        serf.leaveTicket = nil
        if hasLivePeers {
            serf.leaveTicket = queue(SerfMessage.leave(intent).encoded(), .leaveIntent, in: \.intents)
            gossip(to: Self.farewellFanout, &turn)
        }
        timers.set(.leave(.intent), at: turn.now + configuration.timing.broadcastTimeout)
    }

    /// The pool has been told that we are dead by our own will: whatever is said of us now stays unanswered.
    var hasAnnouncedLeave: Bool {
        switch phase {
        case .leaving(.farewell), .leaving(.linger), .left: true
        case .idle, .running, .leaving(.intent), .leaving(.settle): false
        }
    }

    /// Goes on once what the current step waits for has been sent. Called at the end of each turn.
    mutating func advanceLeaving(_ turn: inout Turn<some RandomNumberGenerator>) {
        if phase == .leaving(.intent), !isWaiting(in: serf.intents) { settle(&turn) }
        if phase == .leaving(.farewell), !isWaiting(in: membership.broadcasts) { linger(&turn) }
    }

    /// A step took too long: goes on all the same.
    mutating func leaveStepTimedOut(_ step: LeaveStep, _ turn: inout Turn<some RandomNumberGenerator>) {
        switch step {
        case .intent, .settle: sayFarewell(&turn)
        case .farewell: linger(&turn)
        case .linger: finishLeaving(&turn)
        }
    }

    /// Whom each of the two notices is sent to at once; larger pools hear of them by gossip. Work keeps coming to a member
    /// that leaves until it is known.
    private static let farewellFanout = 16

    private func isWaiting(in queue: BroadcastQueue) -> Bool {
        serf.leaveTicket.map { queue.contains($0) } ?? false
    }

    /// Lets the intent reach those whom we did not pick ourselves: a round of gossip for each ten-fold of the pool, and
    /// one more. Stock agents do not wait here, and now and then show as failed for a moment.
    private mutating func settle(_ turn: inout Turn<some RandomNumberGenerator>) {
        guard hasLivePeers else {
            sayFarewell(&turn)
            return
        }
        phase = .leaving(.settle)
        let rounds = PoolScaling.retransmitLimit(mult: 1, nodes: table.serfCount) + 1
        timers.set(.leave(.settle), at: turn.now + configuration.timing.gossipInterval * rounds)
    }

    private mutating func sayFarewell(_ turn: inout Turn<some RandomNumberGenerator>) {
        phase = .leaving(.farewell)
        let isHeard = hasLivePeers
        handle(Dead(incarnation: ownIncarnation, node: configuration.name, from: configuration.name), &turn)
        serf.leaveTicket = isHeard ? membership.broadcasts.ticket(about: configuration.name) : nil
        gossip(to: Self.farewellFanout, &turn)
        timers.set(.leave(.farewell), at: turn.now + configuration.timing.broadcastTimeout)
    }

    private mutating func linger(_ turn: inout Turn<some RandomNumberGenerator>) {
        phase = .leaving(.linger)
        timers.set(.leave(.linger), at: turn.now + configuration.timing.leavePropagateDelay)
    }

    private mutating func finishLeaving(_ turn: inout Turn<some RandomNumberGenerator>) {
        phase = .left
        timers.removeAll()
        streams.removeAll()
        membership.probe = nil
        membership.suspicions = [:]
        membership.relayedPings = [:]
        membership.gossipIsArmed = false
        endEverythingWaitedFor(&turn)
        turn.act(.left)
    }

    /// Nobody waits for ever: joins and queries end with what they have.
    private mutating func endEverythingWaitedFor(_ turn: inout Turn<some RandomNumberGenerator>) {
        for join in serf.joins { turn.act(.joinFinished(join.outcome)) }
        serf.joins = []
        for key in serf.runningQueries.keys.sorted() { finishQuery(key, &turn) }
    }
}

internal import OrderedCollections
internal import WeftCore

/// What the failure detector's news mean to Serf (section 8.4).
extension GossipNode {
    /// Memberlist reports a member that was unknown, dead or left as alive.
    mutating func memberJoined(_ name: MemberName, _ turn: inout Turn<some RandomNumberGenerator>) {
        guard let known = table[name] else { return }
        let intent = known.isMember ? nil : takeRecentIntent(about: name, now: turn.now)
        table.update(name) { record in
            record.status = intent?.isLeave ?? false ? .leaving : .alive
            record.statusSince = turn.now
            if let intent { record.statusTime = intent.time }
        }
        report(.joined, name, &turn)
    }

    /// Memberlist reports new tags.
    mutating func memberUpdated(_ name: MemberName, _ turn: inout Turn<some RandomNumberGenerator>) {
        guard let known = table[name], known.isMember else { return }
        report(.updated, name, &turn)
    }

    /// Memberlist reports a member as dead or left; which of them, only the intents tell.
    mutating func memberLeft(_ name: MemberName, _ turn: inout Turn<some RandomNumberGenerator>) {
        switch table[name]?.status {
        case .leaving: setStatus(.left, of: name, &turn)
        case .alive: setStatus(.failed, of: name, &turn)
        case .none?, .left, .failed, nil: break
        }
    }

    /// A member failed or left.
    mutating func setStatus(
        _ status: MemberRecord.Status,
        of name: MemberName,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        table.update(name) { record in
            record.status = status
            record.statusSince = turn.now
        }
        report(status == .left ? .left : .failed, name, &turn)
    }

    func report(_ kind: MemberChange.Kind, _ name: MemberName, _ turn: inout Turn<some RandomNumberGenerator>) {
        guard let record = table[name] else { return }
        turn.act(.memberChanged(MemberChange(kind: kind, member: view(of: record))))
    }
}

// MARK: - Forgetting

extension GossipNode {
    /// Serf forgets a member. Memberlist keeps it until its own time for it is over.
    mutating func erase(_ name: MemberName, _ turn: inout Turn<some RandomNumberGenerator>) {
        guard let known = table[name], known.isMember, name != configuration.name else { return }
        report(.reaped, name, &turn)
        coordinates.forget(name)
        if known.isListed {
            table.update(name) { record in
                record.status = .none
                record.statusTime = 0
            }
        } else {
            table.remove(name)
        }
    }

    /// An operator wants a member gone for good. One that is leaving is given the time to do so.
    mutating func prune(_ name: MemberName, _ turn: inout Turn<some RandomNumberGenerator>) {
        guard table[name]?.status == .leaving else {
            erase(name, &turn)
            return
        }
        let delay = configuration.timing.broadcastTimeout + configuration.timing.leavePropagateDelay
        timers.set(.prune(name), at: turn.now + delay)
    }

    mutating func pruneLeaving(_ name: MemberName, _ turn: inout Turn<some RandomNumberGenerator>) {
        guard let status = table[name]?.status, status == .leaving || status == .left else { return }
        erase(name, &turn)
    }

    /// Forgets members that have been failed or left for long, and intents that nobody asked for.
    mutating func reapTick(at deadline: Instant, _ turn: inout Turn<some RandomNumberGenerator>) {
        let timing = configuration.timing
        repeatTimer(.reap, every: timing.reapInterval, after: deadline, now: turn.now)
        reap(.failed, after: timing.reconnectTimeout, &turn)
        reap(.left, after: timing.tombstoneTimeout, &turn)
        returnStayers(&turn)
        while let oldest = serf.recentIntents.values.first,
            turn.now - oldest.received > timing.recentIntentTimeout
        {
            serf.recentIntents.removeFirst()
        }
    }

    /// Shows members as alive again that were said to leave long ago, and still answer. Such an intent was made up by a
    /// push/pull out of an older leave (section 8.4), at the very time of the member's newest join: no intent refutes it.
    private mutating func returnStayers(_ turn: inout Turn<some RandomNumberGenerator>) {
        guard table.count(of: .leaving) > 0, phase == .running else { return }
        let timing = configuration.timing
        let limit = (timing.broadcastTimeout * 2 + timing.leavePropagateDelay) * Self.leavingPatience
        let stayers = table.records.filter {
            $0.status == .leaving && $0.detected == .alive && turn.now - $0.statusSince > limit
        }
        for record in stayers {
            table.update(record.identity.name) { record in
                record.status = .alive
                record.statusSince = turn.now
            }
            report(.availability, record.identity.name, &turn)
        }
    }

    /// How many times as long as a leave may take a member is taken for leaving.
    private static let leavingPatience = 3

    private mutating func reap(
        _ status: MemberRecord.Status,
        after timeout: Duration,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        guard table.count(of: status) > 0 else { return }
        let now = turn.now
        let expired = table.records.filter { $0.status == status && now - $0.statusSince > timeout }
        for record in expired { erase(record.identity.name, &turn) }
    }

    /// Cuts the Serf queues to their limit.
    mutating func queueTick(at deadline: Instant, _ turn: inout Turn<some RandomNumberGenerator>) {
        repeatTimer(.queueCheck, every: configuration.timing.queueCheckInterval, after: deadline, now: turn.now)
        let depth = configuration.limits.queueDepth
        serf.intents.prune(to: depth)
        serf.queries.prune(to: depth)
        serf.events.prune(to: depth)
    }
}

internal import OrderedCollections
internal import WeftCore

/// Join and leave intents (sections 8.4 and 8.6): what members say they do, ordered by the member clock.
extension GossipNode {
    /// Handles a Serf message out of a datagram or a stream.
    mutating func handle(_ user: UserMessage, _ turn: inout Turn<some RandomNumberGenerator>) {
        switch user.content {
        case .join(let intent):
            guard isCredible(intent.time), handle(intent, &turn) else { return }
            queue(user.raw, .joinIntent, in: \.intents, heardFrom: turn.source)
        case .leave(let intent):
            let before = table[intent.node]?.status
            guard isCredible(intent.time), handle(intent, &turn) else { return }
            queue(user.raw, .leaveIntent, in: \.intents, heardFrom: turn.source)
            // Only what was said: an intent that a push/pull made up may be about somebody who stays.
            if before == .alive, table[intent.node]?.status == .leaving { report(.availability, intent.node, &turn) }
        case .userEvent(let event):
            guard isCredible(event.time), handle(event, isOwn: false, &turn) else { return }
            queue(user.raw, .userEvent, in: \.events, heardFrom: turn.source)
        case .query(let query):
            guard isCredible(query.time), handle(query, &turn) else { return }
            queue(user.raw, .query, in: \.queries, heardFrom: turn.source)
        case .queryResponse(let response): handle(response, &turn)
        case .relay(let relay): handle(relay, &turn)
        case .direct(let bytes): receiveDirect(bytes, &turn)
        }
    }

    /// Queues a Serf message as it came; Serf messages never replace each other. Between the regular cuts a queue may
    /// grow to twice its limit.
    @discardableResult
    mutating func queue(
        _ raw: [UInt8],
        _ kind: MessageKind,
        in queue: WritableKeyPath<SerfState, BroadcastQueue>,
        heardFrom source: NetworkAddress? = nil
    ) -> BroadcastQueue.Ticket {
        let depth = configuration.limits.queueDepth
        if serf[keyPath: queue].count >= 2 * depth { serf[keyPath: queue].prune(to: depth) }
        return serf[keyPath: queue].add(raw, kind: kind, heardFrom: source)
    }

    mutating func isCredible(_ time: LamportTime) -> Bool {
        if time > LamportClock.limit { counters.drops.add(.lamportTime) }
        return time <= LamportClock.limit
    }

    /// A member says it is here. True when that is news, to be passed on.
    mutating func handle(_ intent: JoinIntent, _ turn: inout Turn<some RandomNumberGenerator>) -> Bool {
        serf.memberClock.witness(intent.time)
        guard let known = table[intent.node], known.isMember else {
            return remember(RecentIntent(isLeave: false, time: intent.time, received: turn.now), about: intent.node)
        }
        guard intent.time > known.statusTime else { return false }
        table.update(intent.node) { record in
            record.statusTime = intent.time
            // The leave intent was of an older time.
            if record.status == .leaving { record.status = .alive }
        }
        if known.status == .leaving { report(.availability, intent.node, &turn) }
        return true
    }

    /// A member says it leaves, or an operator says so of a failed one. True when that is news, to be passed on.
    mutating func handle(_ intent: LeaveIntent, _ turn: inout Turn<some RandomNumberGenerator>) -> Bool {
        serf.memberClock.witness(intent.time)
        guard let known = table[intent.node], known.isMember else {
            return remember(RecentIntent(isLeave: true, time: intent.time, received: turn.now), about: intent.node)
        }
        guard intent.time > known.statusTime else { return false }
        guard intent.node != configuration.name || phase != .running else {
            counters.refutations += 1
            broadcastJoinIntent(&turn)
            return false
        }
        // Also when the status stays: passing on what is not newer would echo for ever.
        table.update(intent.node) { record in
            record.statusTime = intent.time
            if record.status == .alive {
                record.status = .leaving
                record.statusSince = turn.now
            }
        }
        if known.status == .failed { setStatus(.left, of: intent.node, &turn) }
        if intent.prune { prune(intent.node, &turn) }
        return true
    }

    /// Says that this node is here, at the current time of the member clock.
    mutating func broadcastJoinIntent(_ turn: inout Turn<some RandomNumberGenerator>) {
        let intent = JoinIntent(time: serf.memberClock.time, node: configuration.name)
        _ = handle(intent, &turn)
        queue(SerfMessage.join(intent).encoded(), .joinIntent, in: \.intents)
    }

    mutating func broadcastForcedLeave(
        _ name: MemberName,
        prune: Bool,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        let intent = LeaveIntent(time: serf.memberClock.time, node: name, prune: prune)
        serf.memberClock.advance()
        _ = handle(intent, &turn)
        guard hasLivePeers else { return }
        queue(SerfMessage.leave(intent).encoded(), .leaveIntent, in: \.intents)
    }

    /// Somebody else is there to hear us.
    var hasLivePeers: Bool {
        let own = table[configuration.name]?.isReachable ?? false
        return table.reachableCount > (own ? 1 : 0)
    }
}

// MARK: - Intents about unknown members

extension GossipNode {
    /// Keeps the newest intent per name. True when it is newer than what was kept.
    private mutating func remember(_ intent: RecentIntent, about name: MemberName) -> Bool {
        guard !name.isEmpty, name.bytes.count <= WireLimits.nameLength else {
            counters.drops.add(.invalidMember)
            return false
        }
        if let kept = serf.recentIntents[name] {
            guard intent.time > kept.time else { return false }
            serf.recentIntents.removeValue(forKey: name)
        }
        if serf.recentIntents.count >= configuration.limits.recentIntents {
            counters.drops.add(.tableFull)
            serf.recentIntents.removeFirst()
        }
        serf.recentIntents[name] = intent
        return true
    }

    /// The intent that came before its member.
    func takeRecentIntent(about name: MemberName, now: Instant) -> RecentIntent? {
        guard let intent = serf.recentIntents[name] else { return nil }
        return now - intent.received <= configuration.timing.recentIntentTimeout ? intent : nil
    }
}

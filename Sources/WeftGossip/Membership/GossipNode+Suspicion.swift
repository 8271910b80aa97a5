internal import WeftCore

/// Claims that a member has failed or left (sections 6.2 and 6.3).
extension GossipNode {
    /// Somebody (or this node) suspects a member.
    mutating func handle(_ suspect: Suspect, _ turn: inout Turn<some RandomNumberGenerator>) {
        guard let known = table[suspect.node], known.isListed else { return }
        guard suspect.incarnation >= known.incarnation else {
            reassure(suspect.from, about: suspect.node, &turn)
            return
        }
        if membership.suspicions[suspect.node] != nil {
            confirm(suspect, &turn)
            return
        }
        guard known.detected == .alive else { return }
        guard suspect.node != configuration.name else {
            if !hasAnnouncedLeave { refute(suspect.incarnation) }
            return
        }
        broadcast(.suspect(suspect), about: suspect.node, heardFrom: turn.source)
        counters.suspicions += 1
        table.update(suspect.node) { record in
            record.incarnation = suspect.incarnation
            record.detected = .suspect
            record.detectedSince = turn.now
        }
        startSuspicion(suspect, &turn)
    }

    private mutating func startSuspicion(_ suspect: Suspect, _ turn: inout Turn<some RandomNumberGenerator>) {
        let timing = configuration.timing
        let nodes = table.listedCount
        let wanted = configuration.lifeguard ? max(0, timing.suspicionMult - 2) : 0
        let minimum = PoolScaling.suspicionMinimum(
            mult: timing.suspicionMult,
            nodes: nodes,
            interval: timing.probeInterval
        )
        let suspicion = Suspicion(
            of: suspect.incarnation,
            by: suspect.from,
            at: turn.now,
            expected: nodes - 2 < wanted ? 0 : wanted,
            minimum: minimum,
            maximum: minimum * timing.suspicionMaxTimeoutMult
        )
        membership.suspicions[suspect.node] = suspicion
        timers.set(.suspicion(suspect.node), at: suspicion.deadline)
    }

    /// One more accuser shortens the suspicion, and is worth passing on.
    private mutating func confirm(_ suspect: Suspect, _ turn: inout Turn<some RandomNumberGenerator>) {
        guard membership.suspicions[suspect.node]?.confirm(by: suspect.from) ?? false,
            let deadline = membership.suspicions[suspect.node]?.deadline
        else { return }
        timers.set(.suspicion(suspect.node), at: deadline)
        broadcast(.suspect(suspect), about: suspect.node, heardFrom: turn.source)
        if membership.suspicions[suspect.node]?.isConfirmed ?? false { report(.availability, suspect.node, &turn) }
    }

    /// Nobody refuted in time: this node declares the member dead.
    mutating func suspicionTimedOut(_ name: MemberName, _ turn: inout Turn<some RandomNumberGenerator>) {
        membership.suspicions[name] = nil
        guard let known = table[name], known.detected == .suspect else { return }
        counters.deathsDeclared += 1
        handle(Dead(incarnation: known.incarnation, node: name, from: configuration.name), &turn)
    }

    /// Somebody accuses us of what we have refuted: the refutation did not reach it. It gets our announcement directly.
    /// Memberlist leaves such a node in error until it exchanges state with somebody.
    private mutating func reassure(
        _ accuser: MemberName,
        about name: MemberName,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        guard name == configuration.name, accuser != name, !hasAnnouncedLeave,
            let own = table[name], let peer = table[accuser], peer.isListed
        else { return }
        counters.reassurances += 1
        send(.alive(own.announcement), to: peer.identity.networkAddress, &turn)
    }

    /// Timers that come late say that this process stood still: acks and refutations may lie in its sockets, unread. So
    /// the probe under way is not judged, and whoever is suspected gets the lost time back. Memberlist does not do
    /// this: after a pause it accuses everybody whose time ran out meanwhile.
    mutating func noticeStall(_ turn: inout Turn<some RandomNumberGenerator>) {
        guard configuration.lifeguard, let due = timers.first?.deadline, turn.now > due else { return }
        let lost = turn.now - due
        guard lost >= configuration.timing.probeTimeout else { return }
        counters.stalls += 1
        membership.awareness.apply(1)
        membership.probe = nil
        membership.missedProbe = false
        for name in membership.suspicions.keys.sorted() {
            membership.suspicions[name]?.postpone(by: lost)
            guard let deadline = membership.suspicions[name]?.deadline else { continue }
            timers.set(.suspicion(name), at: deadline)
        }
    }

    /// Somebody (or this node) declares a member dead, or it says itself that it has left. Believed at once.
    mutating func handle(_ dead: Dead, _ turn: inout Turn<some RandomNumberGenerator>) {
        guard let known = table[dead.node], known.isListed else { return }
        guard dead.incarnation >= known.incarnation else {
            reassure(dead.from, about: dead.node, &turn)
            return
        }
        membership.suspicions[dead.node] = nil
        guard known.isReachable else { return }
        guard dead.node != configuration.name || hasAnnouncedLeave else {
            refute(dead.incarnation)
            return
        }
        broadcast(.dead(dead), about: dead.node, heardFrom: turn.source)
        table.update(dead.node) { record in
            record.incarnation = dead.incarnation
            record.detected = dead.isLeave ? .left : .dead
            record.detectedSince = turn.now
        }
        memberLeft(dead.node, &turn)
    }
}

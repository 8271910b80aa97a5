internal import WeftCore

/// Announcements of members, this node's own ones included (sections 6.1 and 6.4).
extension GossipNode {
    /// Handles an announcement, from gossip or from a push/pull.
    mutating func handle(_ alive: Alive, _ turn: inout Turn<some RandomNumberGenerator>) {
        let isOwn = alive.node == configuration.name
        if isOwn, hasAnnouncedLeave { return }
        guard alive.versions.map({ $0.isSensible }) ?? true else {
            counters.drops.add(.versions)
            return
        }
        guard isUsable(alive) else {
            counters.drops.add(.invalidMember)
            return
        }
        let address = reachable(alive.address)
        guard let known = table[alive.node], known.isListed else {
            admit(alive, at: address, &turn)
            return
        }
        let moves = known.identity.address != address
        guard !moves || mayMove(known, now: turn.now) else {
            nameConflict(about: alive.node, &turn)
            return
        }
        if isOwn {
            handleOwn(alive, &turn)
        } else if alive.incarnation > known.incarnation || moves {
            accept(alive, at: address, known, &turn)
        }
    }

    /// A name that can be kept and an address that can be dialled.
    private func isUsable(_ alive: Alive) -> Bool {
        !alive.node.isEmpty && alive.node.bytes.count <= WireLimits.nameLength
            && alive.meta.count <= WireLimits.metaSize && !alive.address.networkAddress.ip.isUnspecified
    }

    /// The address of a name changes only when its last holder has left, or has been dead for long enough. One that was
    /// cut off first and left then, as it does when its address has changed and it is started again, has left too.
    private func mayMove(_ known: MemberRecord, now: Instant) -> Bool {
        let reclaim = configuration.timing.deadNodeReclaim
        return known.detected == .left || known.detected == .dead && known.status == .left
            || known.detected == .dead && reclaim > .zero && now - known.detectedSince > reclaim
    }

    /// A member that memberlist does not know (any more).
    private mutating func admit(
        _ alive: Alive,
        at address: MemberAddress,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        // Memberlist starts a new member at incarnation 0, and 0 is not above that.
        guard alive.incarnation > 0 else { return }
        let identity = shared(
            MemberIdentity(name: alive.node, address: address, meta: alive.meta, versions: alive.versions)
        )
        if table[alive.node] == nil {
            guard table.count < configuration.limits.members else {
                counters.drops.add(.tableFull)
                return
            }
            table.insert(MemberRecord(unknown: identity, now: turn.now), using: &turn.random)
        }
        table.update(alive.node) { record in
            record.identity = identity
            record.incarnation = alive.incarnation
            record.detected = .alive
            record.detectedSince = turn.now
        }
        broadcast(.alive(alive), about: alive.node, heardFrom: turn.source)
        memberJoined(alive.node, &turn)
    }

    /// A newer announcement of a known member.
    private mutating func accept(
        _ alive: Alive,
        at address: MemberAddress,
        _ known: MemberRecord,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        let wasDoubted = membership.suspicions.removeValue(forKey: alive.node)?.isConfirmed ?? false
        let identity = updatedIdentity(known.identity, alive, address)
        table.update(alive.node) { record in
            record.identity = identity
            record.incarnation = alive.incarnation
            if record.detected != .alive { record.detectedSince = turn.now }
            record.detected = .alive
        }
        broadcast(.alive(alive), about: alive.node, heardFrom: turn.source)
        if !known.isReachable {
            memberJoined(alive.node, &turn)
        } else if identity.meta != known.identity.meta {
            memberUpdated(alive.node, &turn)
        } else if wasDoubted {
            report(.availability, alive.node, &turn)
        }
    }

    /// The known object when nothing in it changes. An announcement without versions keeps those that are known.
    private func updatedIdentity(
        _ known: MemberIdentity,
        _ alive: Alive,
        _ address: MemberAddress
    ) -> MemberIdentity {
        let candidate = MemberIdentity(
            name: known.name,
            address: address,
            meta: alive.meta,
            versions: alive.versions ?? known.versions
        )
        return candidate == known ? known : shared(candidate)
    }

    private func shared(_ identity: MemberIdentity) -> MemberIdentity {
        configuration.identityPool?.shared(identity) ?? identity
    }
}

// MARK: - This node

extension GossipNode {
    /// Puts this node into its table and announces it, at the start.
    mutating func announceSelf(_ turn: inout Turn<some RandomNumberGenerator>) {
        ownIncarnation = ownIncarnation.next
        let identity = shared(
            MemberIdentity(
                name: configuration.name,
                address: MemberAddress(configuration.advertise),
                meta: configuration.tags.meta,
                versions: .serf
            )
        )
        if table[configuration.name] == nil {
            table.insert(MemberRecord(unknown: identity, now: turn.now), using: &turn.random)
        }
        let incarnation = ownIncarnation
        table.update(configuration.name) { record in
            record.identity = identity
            record.incarnation = incarnation
            record.detected = .alive
            record.detectedSince = turn.now
        }
        broadcastSelf()
        memberJoined(configuration.name, &turn)
    }

    /// Announces new tags.
    mutating func announceTags(
        _ tags: Tags,
        meta: [UInt8],
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        configuration.tags = tags
        guard let known = table[configuration.name] else { return }
        let identity = shared(
            MemberIdentity(
                name: known.identity.name,
                address: known.identity.address,
                meta: meta,
                versions: known.identity.versions
            )
        )
        table.update(configuration.name) { $0.identity = identity }
        raiseIncarnation(above: ownIncarnation)
        broadcastSelf()
        if identity.meta != known.identity.meta { memberUpdated(configuration.name, &turn) }
    }

    /// Somebody announces us. Our own words come back to us and mean nothing; anything else, as what the pool remembers
    /// from before a restart, is overruled.
    private mutating func handleOwn(_ alive: Alive, _ turn: inout Turn<some RandomNumberGenerator>) {
        guard alive.incarnation >= ownIncarnation, let own = table[configuration.name] else { return }
        let isEcho =
            alive.incarnation == ownIncarnation && alive.meta == own.identity.meta
            && alive.versions == own.identity.versions
        if !isEcho { refute(alive.incarnation) }
    }

    /// Overrules a claim about this node that was made at `accused`. Having to do so hints at trouble on our side.
    mutating func refute(_ accused: Incarnation) {
        counters.refutations += 1
        raiseIncarnation(above: max(accused, ownIncarnation))
        membership.awareness.apply(1)
        broadcastSelf()
    }

    private mutating func raiseIncarnation(above incarnation: Incarnation) {
        let raised = incarnation.next
        precondition(raised >= ownIncarnation, "incarnation \(ownIncarnation) would go back to \(raised)")
        ownIncarnation = raised
        table.update(configuration.name) { $0.incarnation = raised }
    }

    private mutating func broadcastSelf() {
        guard let own = table[configuration.name] else { return }
        broadcast(.alive(own.announcement), about: configuration.name, heardFrom: nil)
    }
}

extension MemberRecord {
    /// A record of a member that nobody has told Serf of yet, and that is not alive yet: what becomes of it is a join.
    init(unknown identity: MemberIdentity, now: Instant) {
        self.init(
            identity: identity,
            statusTime: 0,
            detectedSince: now,
            statusSince: now,
            incarnation: 0,
            detected: .forgotten,
            status: .none
        )
    }

    /// The announcement that says what is known of the member.
    var announcement: Alive {
        Alive(
            incarnation: incarnation,
            node: identity.name,
            address: identity.address,
            meta: identity.meta,
            versions: identity.versions
        )
    }
}

extension ProtocolVersions {
    /// Memberlist refuses announcements that break this (section 6.1).
    fileprivate var isSensible: Bool { protocolMin != 0 && protocolMax != 0 && protocolMin <= protocolMax }
}

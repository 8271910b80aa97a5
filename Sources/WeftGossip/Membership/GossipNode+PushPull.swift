internal import WeftCore

/// Exchanges of full state (sections 4.2 and 6.7), which repair what gossip lost.
extension GossipNode {
    /// Begins an exchange with one random live member.
    mutating func pushPullTick(at deadline: Instant, _ turn: inout Turn<some RandomNumberGenerator>) {
        let interval = PoolScaling.pushPullInterval(configuration.timing.pushPullInterval, nodes: table.listedCount)
        repeatTimer(.pushPull, every: interval, after: deadline, now: turn.now)
        let own = configuration.name
        guard phase == .running else { return }
        let peer = table.sample(1, using: &turn.random) { $0.detected == .alive && $0.identity.name != own }.first
        guard let peer else { return }
        openPushPull(
            to: peer.identity.networkAddress,
            reason: .periodic,
            withSection: peer.identity.isWeft,
            &turn
        )
    }

    /// Everything this node knows, for a peer.
    func localState(join: Bool, withSection: Bool) -> PushPull {
        let nodes = table.records.lazy.filter { $0.isListed }.map { $0.pushState }
        let state = UserState(serf: serfState(), section: withSection ? framedSection : nil)
        return PushPull(join: join, nodes: Array(nodes), userState: state.encoded())
    }

    /// The Serf state that came with a push/pull. Nil when there is none, or when it makes no sense; the members that
    /// came with it are taken all the same.
    mutating func decodeUserState(of remote: PushPull) -> UserState? {
        guard !remote.userState.isEmpty else { return nil }
        do throws(DecodeError) {
            return try UserState(decoding: remote.userState)
        } catch {
            counters.wireDrops.add(.malformedMessage)
            return nil
        }
    }

    /// Takes over what a peer knows. False: its members and this node have no protocol version in common.
    mutating func merge(
        _ remote: PushPull,
        _ state: UserState?,
        ignoringOldEvents: Bool,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) -> Bool {
        guard isCompatible(remote) else {
            counters.drops.add(.versions)
            return false
        }
        for _ in 0..<remote.skippedNodes { counters.drops.add(.invalidMember) }
        for node in remote.nodes { merge(node, &turn) }
        guard let state else { return true }
        mergeSerfState(state.serf, ignoringOldEvents: ignoringOldEvents, &turn)
        if let section = state.section { receiveSection(section, &turn) }
        return true
    }

    /// A dead member is only suspected on another's word, by ourselves: it may answer us.
    private mutating func merge(_ node: PushNodeState, _ turn: inout Turn<some RandomNumberGenerator>) {
        switch node.state {
        case .alive:
            guard isOwnOrCompatible(node) else {
                counters.drops.add(.versions)
                return
            }
            let alive = Alive(
                incarnation: node.incarnation,
                node: node.name,
                address: node.address,
                meta: node.meta,
                versions: node.versions
            )
            handle(alive, &turn)
        case .suspect, .dead:
            handle(Suspect(incarnation: node.incarnation, node: node.name, from: configuration.name), &turn)
        case .left:
            handle(Dead(incarnation: node.incarnation, node: node.name, from: node.name), &turn)
        }
    }

    /// Whether the peer's pool can be ours. Memberlist refuses a whole exchange for one live record that does not fit;
    /// then one forged record, gossiped once, would keep a pool from ever exchanging state again. Here such records are
    /// left out, and the exchange is refused when nobody alive on the other side fits.
    private func isCompatible(_ remote: PushPull) -> Bool {
        var alive = remote.nodes.lazy.filter { $0.state == .alive }.makeIterator()
        guard let first = alive.next() else { return true }
        if isOwnOrCompatible(first) { return true }
        while let node = alive.next() {
            if isOwnOrCompatible(node) { return true }
        }
        return false
    }

    private func isOwnOrCompatible(_ node: PushNodeState) -> Bool {
        node.name == configuration.name || node.versions.map { $0.isCompatible(with: .serf) } ?? false
    }
}

extension MemberRecord {
    fileprivate var pushState: PushNodeState {
        PushNodeState(
            name: identity.name,
            address: identity.address,
            meta: identity.meta,
            incarnation: incarnation,
            state: pushStateNumber,
            versions: identity.versions
        )
    }

    private var pushStateNumber: PushNodeState.State {
        switch detected {
        case .alive: .alive
        case .suspect: .suspect
        case .dead, .forgotten: .dead
        case .left: .left
        }
    }
}

extension ProtocolVersions {
    /// Each speaks what the other can, for memberlist and for Serf.
    fileprivate func isCompatible(with other: ProtocolVersions) -> Bool {
        (protocolMin...max(protocolMin, protocolMax)).contains(other.protocolCurrent)
            && (other.protocolMin...other.protocolMax).contains(protocolCurrent)
            && (delegateMin...max(delegateMin, delegateMax)).contains(other.delegateCurrent)
            && (other.delegateMin...other.delegateMax).contains(delegateCurrent)
    }
}

internal import WeftCore

/// What the owner can read from a node at any time.
extension GossipNode {
    /// This node has been started and has not left.
    package var isRunning: Bool { phase.isActive }

    /// Everybody who is known, this node included, sorted by name. Linear in the number of members, with decoding of
    /// tags: for people and for snapshots, not for each datagram.
    package var members: [Member] {
        table.records.filter { $0.isMember }.map { view(of: $0) }.sorted { $0.name < $1.name }
    }

    /// How many are known, in any state, this node included.
    package var memberCount: Int { table.serfCount }

    /// One member; nil when the name is unknown.
    package func member(named name: MemberName) -> Member? { knownMember(name).map { view(of: $0) } }

    /// The state of one member, without the cost of the other facts; nil when the name is unknown.
    package func state(of name: MemberName) -> Member.State? { knownMember(name)?.viewState }

    /// The round trip to a member: the median of our last probes of it, else the distance of its network coordinate.
    /// Nil while neither is known.
    package func rttEstimate(to name: MemberName) -> Duration? { coordinates.roundTrip(to: name) }

    /// The numbers of this moment.
    package var gauges: GossipGauges {
        GossipGauges(
            members: table.countsByViewState(),
            healthScore: membership.awareness.score,
            queuedMemberships: membership.broadcasts.count,
            queuedIntents: serf.intents.count,
            queuedQueries: serf.queries.count,
            queuedEvents: serf.events.count,
            memberClock: serf.memberClock.time,
            eventClock: serf.eventClock.time,
            queryClock: serf.queryClock.time,
            incarnation: ownIncarnation,
            openStreams: streams.count,
            suspicions: membership.suspicions.count
        )
    }

    /// What to write to disk for the next start.
    package var snapshot: GossipSnapshot {
        let peers = table.records
            .filter { ($0.status == .alive || $0.status == .failed) && $0.identity.name != configuration.name }
            .map {
                GossipSnapshot.Peer(
                    name: $0.identity.name,
                    address: $0.identity.networkAddress,
                    wasAlive: $0.status == .alive
                )
            }
        return GossipSnapshot(
            members: (peers.isEmpty ? serf.formerPeers : peers).sorted { $0.name < $1.name },
            memberClock: serf.memberClock.time,
            eventClock: serf.eventClock.time,
            queryClock: serf.queryClock.time
        )
    }

    private func knownMember(_ name: MemberName) -> MemberRecord? { table[name].flatMap { $0.isMember ? $0 : nil } }

    func view(of record: MemberRecord) -> Member {
        let identity = record.identity
        return Member(
            name: identity.name,
            address: identity.networkAddress,
            state: record.viewState,
            isAvailable: isAvailable(record),
            tags: identity.tags,
            since: record.viewSince,
            roundTrip: coordinates.roundTrip(to: identity.name),
            kind: identity.isWeft ? .weft : .serf,
            versions: identity.versions,
            incarnation: record.incarnation,
            statusTime: record.statusTime
        )
    }

    private func isAvailable(_ record: MemberRecord) -> Bool {
        guard record.status == .alive else { return false }
        return !(membership.suspicions[record.identity.name]?.isConfirmed ?? false)
    }
}

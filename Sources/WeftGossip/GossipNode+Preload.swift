package import WeftCore

extension GossipNode {
    /// Makes members known as alive without any traffic, as if a push/pull had brought them long ago. For simulations
    /// of large pools, which would otherwise spend their time on joining. Nothing is reported. Call it after `start`.
    package mutating func preload(
        _ members: some Sequence<MemberIdentity>,
        now: Instant,
        using rng: inout some RandomNumberGenerator
    ) {
        for identity in members where table[identity.name] == nil {
            var record = MemberRecord(unknown: identity, now: now)
            record.incarnation = 1
            record.detected = .alive
            record.status = .alive
            record.statusTime = 1
            table.insert(record, using: &rng)
        }
    }

    /// Makes this node know everybody whom `other` knows, in an order of its own: quicker than `preload` for each node of
    /// a pool of ten thousand. `other` has to know this node as it is.
    package mutating func copyMembers(of other: GossipNode, using rng: inout some RandomNumberGenerator) {
        precondition(
            other.table[configuration.name]?.identity == ownIdentity,
            "the pool knows another \(configuration.name)"
        )
        table = other.table
        table.reorder(using: &rng)
    }

    /// This node as others know it; what `preload` of the others takes.
    package var ownIdentity: MemberIdentity? { table[configuration.name]?.identity }
}

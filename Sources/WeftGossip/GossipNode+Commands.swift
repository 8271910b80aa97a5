package import WeftCore

/// What the owner can ask of a node. Each command throws before it changes anything.
extension GossipNode {
    /// Exchanges state with the node at every address; `.joinFinished` tells how it went. The addresses are kept as
    /// seeds: one that no live member has is dialled again from time to time.
    @discardableResult
    package mutating func join(
        _ addresses: [NetworkAddress],
        now: Instant,
        using rng: inout some RandomNumberGenerator,
        into actions: inout [GossipAction]
    ) throws(GossipError) -> JoinID {
        try requireRunning()
        let limit = configuration.limits.joinAddresses
        guard (1...limit).contains(addresses.count) else {
            throw .addressCount(addresses.count, limit: limit)
        }
        return perform(now, &rng, &actions) { node, turn in node.beginJoin(addresses, &turn) }
    }

    /// Tells the pool that this node goes, in the order that shows as "left" everywhere (section 8.6). `.left` follows
    /// within a few seconds; until then the shell keeps calling.
    package mutating func leave(
        now: Instant,
        using rng: inout some RandomNumberGenerator,
        into actions: inout [GossipAction]
    ) {
        perform(now, &rng, &actions) { node, turn in node.beginLeave(&turn) }
    }

    /// Replaces this node's tags and announces them.
    package mutating func setTags(
        _ tags: Tags,
        now: Instant,
        using rng: inout some RandomNumberGenerator,
        into actions: inout [GossipAction]
    ) throws(GossipError) {
        try requireRunning()
        let meta = tags.meta
        guard meta.count <= WireLimits.metaSize else {
            throw .tooLong(byteCount: meta.count, limit: WireLimits.metaSize)
        }
        perform(now, &rng, &actions) { node, turn in node.announceTags(tags, meta: meta, &turn) }
    }

    /// Sends a user event to every member. It is delivered here too, marked as own. Returns its Lamport time.
    @discardableResult
    package mutating func sendUserEvent(
        name: String,
        payload: [UInt8],
        coalesce: Bool,
        now: Instant,
        using rng: inout some RandomNumberGenerator,
        into actions: inout [GossipAction]
    ) throws(GossipError) -> LamportTime {
        try requireRunning()
        let event = try prepareEvent(name: name, payload: payload, coalesce: coalesce)
        return perform(now, &rng, &actions) { node, turn in node.broadcastEvent(event, &turn) }
    }

    /// Asks the pool a question; `.queryResponse` reports each answer, `.queryFinished` the end. This node is asked
    /// too.
    @discardableResult
    package mutating func startQuery(
        _ request: QueryRequest,
        now: Instant,
        using rng: inout some RandomNumberGenerator,
        into actions: inout [GossipAction]
    ) throws(GossipError) -> QueryKey {
        try requireRunning()
        let query = try prepareQuery(request, using: &rng)
        perform(now, &rng, &actions) { node, turn in node.broadcastQuery(query, purpose: .user, &turn) }
        return QueryKey(time: query.time, id: query.id)
    }

    /// Answers a query that was reported with `.queryReceived`; once, and before its deadline.
    package mutating func respond(
        to query: QueryKey,
        with payload: [UInt8],
        now: Instant,
        using rng: inout some RandomNumberGenerator,
        into actions: inout [GossipAction]
    ) throws(GossipError) {
        try requireRunning()
        let answer = try prepareAnswer(to: query, payload, now: now)
        perform(now, &rng, &actions) { node, turn in node.sendAnswer(answer, &turn) }
    }

    /// Makes every member show the failed member `name` as left; with `prune` it is forgotten altogether.
    package mutating func forceLeave(
        _ name: MemberName,
        prune: Bool,
        now: Instant,
        using rng: inout some RandomNumberGenerator,
        into actions: inout [GossipAction]
    ) throws(GossipError) {
        try requireRunning()
        guard table[name] != nil, name != configuration.name else { throw .unknownMember(name) }
        perform(now, &rng, &actions) { node, turn in node.broadcastForcedLeave(name, prune: prune, &turn) }
    }

    /// Sends bytes to one weft member over TCP; it reports them as `.directReceived`. Delivery is not confirmed.
    package mutating func sendDirect(
        _ payload: [UInt8],
        to name: MemberName,
        now: Instant,
        using rng: inout some RandomNumberGenerator,
        into actions: inout [GossipAction]
    ) throws(GossipError) {
        try requireRunning()
        guard let member = table[name] else { throw .unknownMember(name) }
        guard member.identity.isWeft else { throw .notWeft(name) }
        let limit = configuration.limits.directBytes
        guard payload.count <= limit else { throw .tooLong(byteCount: payload.count, limit: limit) }
        let target = member.identity.networkAddress
        perform(now, &rng, &actions) { node, turn in node.openDirect(payload, to: target, &turn) }
    }

    /// Changes or lists the keys of all members. `.keyOperationFinished` reports each member's result; this node's own
    /// ring changes at once (`.keyringChanged`).
    @discardableResult
    package mutating func manageKeys(
        _ operation: KeyOperation,
        now: Instant,
        using rng: inout some RandomNumberGenerator,
        into actions: inout [GossipAction]
    ) throws(GossipError) -> QueryKey {
        try requireRunning()
        guard packets.security.sendingKey != nil else { throw .notEncrypted }
        let query = try prepareKeyQuery(operation, using: &rng)
        perform(now, &rng, &actions) { node, turn in
            node.broadcastQuery(query, purpose: .keys(operation), &turn)
        }
        return QueryKey(time: query.time, id: query.id)
    }

    /// Replaces this node's keys, the primary first, and what they are used for; no other node is told. Streams that are
    /// open end as they began.
    package mutating func setEncryption(keys: [[UInt8]], mode: EncryptionMode) throws(GossipError) {
        var ring = Keyring()
        for key in keys {
            guard ring.keys.count < Keyring.capacity else { throw .keyCount(keys.count, limit: Keyring.capacity) }
            do throws(KeyringError) { try ring.add(key) } catch { throw .key(byteCount: key.count) }
        }
        packets.security.keyring = ring
        packets.security.mode = mode
        configuration.keys = ring.keys.map { $0.bytes }
        configuration.encryption = mode
    }
}

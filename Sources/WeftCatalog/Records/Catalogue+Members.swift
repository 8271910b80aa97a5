package import WeftCore

/// What membership says.
extension Catalogue {
    /// How often the dead are looked through.
    private static let reapInterval = Duration.seconds(60)

    /// A host came into a state, or its address changed. The endpoints of one that failed or left go at once; its records
    /// stay, so that it is whole when it comes back and old news of it has no effect.
    package mutating func nodeStateChanged(
        _ node: NodeName,
        to state: NodeState,
        address: IPAddress?,
        now: Instant
    ) -> CatalogueChange {
        var change = CatalogueChange()
        guard node != own else { return change }
        guard nodes[node] != nil || nodes.count < Self.nodesMax else {
            change.refuse(.tooManyNodes)
            return change
        }
        let before = nodes[node]
        if before?.state == .unknown { strangerCount -= 1 }
        var known = before ?? Node(since: now)
        if before?.state != state { known.since = now }
        known.state = state
        known.address = address ?? known.address
        nodes[node] = known
        if state == .unknown { strangerCount += 1 }
        digestChanged()
        route(node, keys: Set(known.records.entries.keys).union(known.endpoints.keys), into: &change)
        settle(node, now: now)
        if !state.isRouted { scheduleReaping(now) }
        return change
    }

    /// Membership has forgotten a host.
    package mutating func forget(_ node: NodeName) -> CatalogueChange {
        var change = CatalogueChange()
        guard let known = nodes[node] else { return change }
        change.removed = known.endpoints.sorted { $0.key < $1.key }.map(\.value)
        remove(node)
        return change
    }

    mutating func remove(_ node: NodeName) {
        guard let known = nodes.removeValue(forKey: node) else { return }
        recordCount -= known.records.entries.count
        if known.state == .unknown { strangerCount -= 1 }
        gaps[node] = nil
        digestChanged()
    }

    mutating func scheduleReaping(_ now: Instant) {
        if nextReaping == nil { nextReaping = now + Self.reapInterval }
    }

    /// Forgets hosts that have been gone, or strangers, for longer than `memory`. None of them is routed to.
    mutating func reapIfDue(_ now: Instant) {
        guard let due = nextReaping, due <= now else { return }
        let gone = nodes.filter { !$0.value.state.isRouted }
        for (node, known) in gone where known.since + Self.memory <= now { remove(node) }
        nextReaping = nodes.values.contains { !$0.state.isRouted } ? now + Self.reapInterval : nil
    }
}

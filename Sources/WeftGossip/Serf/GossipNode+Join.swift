internal import WeftCore

/// Getting into a pool, and back into it (sections 8.5, 8.6 and 11.1).
extension GossipNode {
    /// Exchanges state with every address.
    mutating func beginJoin(
        _ addresses: [NetworkAddress],
        _ turn: inout Turn<some RandomNumberGenerator>
    ) -> JoinID {
        serf.lastJoin = JoinID(number: serf.lastJoin.number + 1)
        keepSeeds(addresses)
        startJoin(serf.lastJoin, through: addresses, stopsAtFirst: false, &turn)
        return serf.lastJoin
    }

    /// After a restart: one of the members of the last run is enough.
    mutating func rejoin(_ turn: inout Turn<some RandomNumberGenerator>) {
        var peers = serf.formerPeers
        guard !peers.isEmpty else { return }
        peers.shuffle(using: &turn.random)
        let addresses = peers.filter(\.wasAlive).map(\.address) + peers.filter { !$0.wasAlive }.map(\.address)
        startJoin(.rejoin, through: addresses, stopsAtFirst: true, &turn)
    }

    private mutating func startJoin(
        _ id: JoinID,
        through addresses: [NetworkAddress],
        stopsAtFirst: Bool,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        var known: Set<NetworkAddress> = [configuration.advertise]
        let others = addresses.filter { known.insert($0).inserted }
        let outcome = JoinOutcome(id: id, joined: [], failed: [])
        serf.joins.append(JoinState(outcome: outcome, remaining: others.reversed(), stopsAtFirst: stopsAtFirst))
        continueJoin(at: serf.joins.count - 1, &turn)
    }

    /// Exchanges under way at once, for one join.
    private static let joinConcurrency = 8

    /// Dials further addresses, or reports the end.
    private mutating func continueJoin(at index: Int, _ turn: inout Turn<some RandomNumberGenerator>) {
        let concurrency = serf.joins[index].stopsAtFirst ? 1 : Self.joinConcurrency
        while serf.joins[index].active < concurrency, let address = serf.joins[index].remaining.popLast() {
            serf.joins[index].active += 1
            let reason = StreamTable.PushPullReason.join(serf.joins[index].outcome.id, address)
            openPushPull(to: address, reason: reason, withSection: true, &turn)
        }
        guard serf.joins[index].active == 0 else { return }
        let outcome = serf.joins.remove(at: index).outcome
        // Everybody was away: keep trying, as if they had been named.
        if outcome.id == .rejoin, outcome.joined.isEmpty { keepSeeds(serf.formerPeers.map(\.address)) }
        turn.act(.joinFinished(outcome))
    }

    /// One exchange of a join is over; `failure` is nil when it went well. Each success is followed by our join intent,
    /// with the clock that the exchange has moved past the pool's.
    mutating func joinAnswered(
        _ id: JoinID,
        _ address: NetworkAddress,
        _ failure: JoinFailure.Reason?,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        guard let index = serf.joins.firstIndex(where: { $0.outcome.id == id }) else { return }
        serf.joins[index].active -= 1
        if let failure {
            serf.joins[index].outcome.failed.append(JoinFailure(address: address, reason: failure))
        } else {
            serf.joins[index].outcome.joined.append(address)
            if serf.joins[index].stopsAtFirst { serf.joins[index].remaining = [] }
            if phase == .running { broadcastJoinIntent(&turn) }
        }
        continueJoin(at: index, &turn)
    }
}

// MARK: - Coming together again

extension GossipNode {
    /// Dials one failed member, the more likely the more have failed: it may be back, or the network between us may.
    mutating func reconnectTick(at deadline: Instant, _ turn: inout Turn<some RandomNumberGenerator>) {
        repeatTimer(.reconnect, every: configuration.timing.reconnectInterval, after: deadline, now: turn.now)
        let failed = table.count(of: .failed)
        guard failed > 0, phase == .running else { return }
        let alive = max(1, table.count(of: .alive) + table.count(of: .leaving))
        guard Double.random(in: 0..<1, using: &turn.random) <= Double(failed) / Double(alive) else { return }
        guard let target = table.sample(1, using: &turn.random, where: { $0.status == .failed }).first else { return }
        openPushPull(
            to: target.identity.networkAddress,
            reason: .reconnect,
            withSection: target.identity.isWeft,
            &turn
        )
    }

    /// Addresses kept as seeds.
    private static let seedLimit = 256
    /// How soon a node without anybody tries a seed again.
    static let lonelyInterval = Duration.seconds(10)

    private mutating func keepSeeds(_ addresses: [NetworkAddress]) {
        for address in addresses where address != configuration.advertise && !serf.seeds.contains(address) {
            guard serf.seeds.count < Self.seedLimit else { return }
            serf.seeds.append(address)
        }
    }

    /// Dials a seed that no live member has: a far side that everybody here has forgotten is still found.
    mutating func seedTick(at deadline: Instant, _ turn: inout Turn<some RandomNumberGenerator>) {
        let interval = configuration.timing.seedInterval
        let next = hasLivePeers ? interval : min(interval, Self.lonelyInterval)
        repeatTimer(.seeds, every: next, after: deadline, now: turn.now)
        guard phase == .running, !serf.seeds.isEmpty else { return }
        var missing = Set(serf.seeds)
        for record in table.records where record.isReachable { missing.remove(record.identity.networkAddress) }
        let candidates = serf.seeds.filter { missing.contains($0) }
        guard let target = candidates.randomElement(using: &turn.random) else { return }
        openPushPull(to: target, reason: .reconnect, withSection: true, &turn)
    }
}

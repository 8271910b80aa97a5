internal import OrderedCollections
internal import WeftCore

/// Being asked by the pool (section 8.7).
extension GossipNode {
    /// Handles a query of anybody, this node included. True when it is new and to be passed on, which is so for queries
    /// that are not for us, too.
    mutating func handle(_ query: QueryMessage, _ turn: inout Turn<some RandomNumberGenerator>) -> Bool {
        serf.queryClock.witness(query.time)
        let admission = serf.recentQueries.admit(
            query.id,
            at: query.time,
            clock: serf.queryClock.time,
            byteCount: MemoryLayout<QueryID>.size
        )
        guard count(admission) else { return false }
        if query.filters.allSatisfy({ matches($0) }) {
            let timeout = min(Self.queryTimeoutMaximum, .nanoseconds(max(0, query.timeoutNanoseconds)))
            let open = OpenQuery(query, source: reachable(query.source), deadline: turn.now + timeout)
            if query.flags.contains(.ack) { sendResponse(to: open, flags: 1, payload: nil, &turn) }
            deliver(query, open, &turn)
        }
        // A key would be passed on in clear text, or what was said in clear text as if it had been encrypted.
        let isForbidden = InternalQuery(rawValue: query.name)?.isAboutKeys == true && !mayTouchKeys(turn)
        return !query.flags.contains(.noBroadcast) && !isForbidden
    }

    private func matches(_ filter: QueryFilter) -> Bool {
        switch filter {
        case .nodes(let names): names.contains(configuration.name)
        case .tag(let name, let expression):
            TagPattern(expression)?.matches(configuration.tags[name] ?? "") ?? false
        case .unsupported: false
        }
    }

    /// Internal queries are answered here, others by the owner.
    private mutating func deliver(
        _ query: QueryMessage,
        _ open: OpenQuery,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        counters.queriesDelivered += 1
        guard !query.name.hasPrefix(InternalQuery.prefix) else {
            answerInternally(query, open, &turn)
            return
        }
        remember(open, now: turn.now)
        let incoming = IncomingQuery(
            key: open.key,
            name: query.name,
            payload: query.payload ?? [],
            source: query.sourceNode,
            deadline: open.deadline
        )
        turn.act(.queryReceived(incoming))
    }

    /// Keeps where an answer goes; the oldest query gives way when there are too many.
    private mutating func remember(_ query: OpenQuery, now: Instant) {
        while let oldest = serf.openQueries.values.first,
            oldest.deadline < now || serf.openQueries.count >= configuration.limits.openQueries
        {
            serf.openQueries.removeFirst()
        }
        serf.openQueries[query.key] = query
    }

    /// Checks an answer of the owner.
    func prepareAnswer(
        to key: QueryKey,
        _ payload: [UInt8],
        now: Instant
    ) throws(GossipError) -> PreparedAnswer {
        guard let query = serf.openQueries[key], now <= query.deadline else { throw .noSuchQuery }
        let limit = configuration.limits.queryResponseBytes
        let byteCount = response(to: query, flags: 0, payload: payload).encoded().count
        guard byteCount <= limit else { throw .tooLong(byteCount: byteCount, limit: limit) }
        return PreparedAnswer(query: query, payload: payload)
    }

    /// An answer that fits.
    struct PreparedAnswer {
        let query: OpenQuery
        let payload: [UInt8]
    }

    mutating func sendAnswer(_ answer: PreparedAnswer, _ turn: inout Turn<some RandomNumberGenerator>) {
        serf.openQueries.removeValue(forKey: answer.query.key)
        sendResponse(to: answer.query, flags: 0, payload: answer.payload, &turn)
    }

    func response(to query: OpenQuery, flags: UInt32, payload: [UInt8]?) -> SerfMessage {
        .queryResponse(
            QueryResponseMessage(
                time: query.key.time,
                id: query.key.id,
                from: configuration.name,
                flags: flags,
                payload: payload
            )
        )
    }

    /// Sends a response straight to the asker, and through others if the query wants that.
    mutating func sendResponse(
        to query: OpenQuery,
        flags: UInt32,
        payload: [UInt8]?,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        let message = response(to: query, flags: flags, payload: payload)
        if query.sourceNode == configuration.name, serf.runningQueries[query.key] != nil {
            if case .queryResponse(let response) = message { handle(response, &turn) }
            return
        }
        let raw = message.encoded()
        sendSerf(raw, kind: .queryResponse, to: query.source.networkAddress, &turn)
        relay(raw, to: query, &turn)
    }
}

// MARK: - Relaying

extension GossipNode {
    /// Sends a response through as many random members as the query wants, if there are enough.
    private mutating func relay(
        _ raw: [UInt8],
        to query: OpenQuery,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        let wanted = Int(query.relayFactor)
        guard wanted > 0, table.serfCount > wanted else { return }
        let message = SerfMessage.relay(
            RelayMessage(destination: query.source, destinationName: query.sourceNode, inner: raw)
        )
        let encoded = message.encoded()
        guard encoded.count <= configuration.limits.queryResponseBytes else { return }
        let own = configuration.name
        let relays = table.sample(wanted, using: &turn.random) { record in
            record.status == .alive && record.identity.name != own
                && record.identity.versions?.understandsChecksums ?? false
        }
        for relay in relays { sendSerf(encoded, kind: .relay, to: relay.identity.networkAddress, &turn) }
    }

    /// Passes a response on for somebody else, unchanged. Only responses are ever relayed, and only of their size: what
    /// else comes so would make this node a mirror for anybody.
    mutating func handle(_ relay: RelayMessage, _ turn: inout Turn<some RandomNumberGenerator>) {
        guard relay.inner.first == SerfType.queryResponse.rawValue else {
            counters.drops.add(.malformedPayload)
            return
        }
        guard relay.inner.count <= configuration.limits.queryResponseBytes else {
            counters.drops.add(.tooLong)
            return
        }
        let target = reachable(relay.destination).networkAddress
        guard !target.ip.isUnspecified else {
            counters.drops.add(.invalidMember)
            return
        }
        sendSerf(relay.inner, kind: .queryResponse, to: target, &turn)
    }
}

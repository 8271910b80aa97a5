internal import WeftCore

/// Asking the pool (section 8.7).
extension GossipNode {
    /// Checks a query of our own and gives it the current time and a random number.
    func prepareQuery(
        _ request: QueryRequest,
        using rng: inout some RandomNumberGenerator
    ) throws(GossipError) -> QueryMessage {
        guard !request.name.isEmpty else { throw .emptyName }
        let running = configuration.limits.runningQueries
        guard serf.runningQueries.count < running else { throw .tooManyQueries(limit: running) }
        let timeout = request.timeout ?? defaultQueryTimeout
        let query = QueryMessage(
            time: serf.queryClock.time,
            id: QueryID(UInt32.random(in: 0...0x7fff_ffff, using: &rng)),
            source: MemberAddress(configuration.advertise),
            sourceNode: configuration.name,
            filters: request.filters,
            flags: request.wantsAcknowledgements ? .ack : [],
            relayFactor: request.relayFactor,
            timeoutNanoseconds: max(0, min(timeout, Self.queryTimeoutMaximum).wholeNanoseconds),
            name: request.name,
            payload: request.payload.isEmpty ? nil : request.payload
        )
        let limit = configuration.limits.queryBytes
        let byteCount = SerfMessage.query(query).encoded().count
        guard byteCount <= limit else { throw .tooLong(byteCount: byteCount, limit: limit) }
        return query
    }

    /// Nobody's query is kept open for longer.
    static let queryTimeoutMaximum = Duration.seconds(600)

    private var defaultQueryTimeout: Duration {
        PoolScaling.queryTimeout(
            gossipInterval: configuration.timing.gossipInterval,
            mult: configuration.timing.queryTimeoutMult,
            nodes: table.reachableCount
        )
    }

    mutating func broadcastQuery(
        _ query: QueryMessage,
        purpose: RunningQuery.Purpose,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        let key = QueryKey(time: query.time, id: query.id)
        serf.runningQueries[key] = RunningQuery(purpose: purpose, expected: table.reachableCount)
        timers.set(.query(key), at: turn.now + .nanoseconds(query.timeoutNanoseconds))
        _ = handle(query, &turn)
        queue(SerfMessage.query(query).encoded(), .query, in: \.queries)
    }

    /// Somebody acknowledges or answers a query.
    mutating func handle(
        _ response: QueryResponseMessage,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        let key = QueryKey(time: response.time, id: response.id)
        let limit = configuration.limits.queryAnswers
        guard !response.from.isEmpty,
            serf.runningQueries[key]?.admit(from: response.from, isAck: response.isAck, limit: limit) ?? false,
            let purpose = serf.runningQueries[key]?.purpose
        else {
            counters.drops.add(.unexpectedResponse)
            return
        }
        switch purpose {
        case .user:
            let content: QueryResponse.Content = response.isAck ? .acknowledgement : .answer(response.payload ?? [])
            turn.act(.queryResponse(QueryResponse(query: key, from: response.from, content: content)))
        case .keys: recordKeyAnswer(response, to: key, &turn)
        case .conflict: recordVerdict(response, to: key)
        }
    }

    /// Nothing more is waited for.
    mutating func finishQuery(_ key: QueryKey, _ turn: inout Turn<some RandomNumberGenerator>) {
        guard let query = serf.runningQueries.removeValue(forKey: key) else { return }
        switch query.purpose {
        case .user:
            let outcome = QueryOutcome(
                query: key,
                acknowledgements: query.acknowledgements,
                answers: query.answers
            )
            turn.act(.queryFinished(outcome))
        case .keys(let operation):
            let outcome = KeyOutcome(
                query: key,
                operation: operation,
                expected: query.expected,
                results: query.keyResults
            )
            turn.act(.keyOperationFinished(outcome))
        case .conflict: settleConflict(query, &turn)
        }
    }
}

internal import WeftCore

/// The queries by which Serf runs itself (section 8.8).
enum InternalQuery: String, CaseIterable {
    case ping = "_serf_ping"
    case conflict = "_serf_conflict"
    case installKey = "_serf_install-key"
    case useKey = "_serf_use-key"
    case removeKey = "_serf_remove-key"
    case listKeys = "_serf_list-keys"

    /// Names that begin so are never shown to users.
    static let prefix = "_serf_"

    /// It reads or changes the pool's keys.
    var isAboutKeys: Bool {
        switch self {
        case .installKey, .useKey, .removeKey, .listKeys: true
        case .ping, .conflict: false
        }
    }
}

extension GossipNode {
    /// Answers an internal query. One that we do not know stays without an answer, as with stock agents.
    mutating func answerInternally(
        _ query: QueryMessage,
        _ open: OpenQuery,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        switch InternalQuery(rawValue: query.name) {
        case .ping, nil: break
        case let operation? where operation.isAboutKeys && !mayTouchKeys(turn): refuseKeyQuery(open, &turn)
        case .conflict: answerConflict(query, open, &turn)
        case .installKey: answerKeyQuery(query, open, &turn) { ring, key throws(KeyringError) in try ring.add(key) }
        case .useKey: answerKeyQuery(query, open, &turn) { ring, key throws(KeyringError) in try ring.use(key) }
        case .removeKey: answerKeyQuery(query, open, &turn) { ring, key throws(KeyringError) in try ring.remove(key) }
        case .listKeys: answerKeyList(open, &turn)
        }
    }

    // MARK: Name conflicts

    /// Says what is known of a name; about our own we are no judge.
    private mutating func answerConflict(
        _ query: QueryMessage,
        _ open: OpenQuery,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        let name = MemberName(bytes: query.payload ?? [])
        guard name != configuration.name else { return }
        let known = table[name].flatMap { $0.isMember ? $0 : nil }
        let payload = ConflictResponse.payload(known.map { $0.conflictResponse })
        sendResponse(to: open, flags: 0, payload: payload, &turn)
    }

    /// A name is announced from another address. About our own the pool is asked whose it is.
    mutating func nameConflict(about name: MemberName, _ turn: inout Turn<some RandomNumberGenerator>) {
        counters.nameConflicts += 1
        guard name == configuration.name, phase == .running, serf.conflictQuery == nil else { return }
        let request = QueryRequest(name: InternalQuery.conflict.rawValue, payload: name.bytes)
        do throws(GossipError) {
            let query = try prepareQuery(request, using: &turn.random)
            serf.conflictQuery = QueryKey(time: query.time, id: query.id)
            broadcastQuery(query, purpose: .conflict, &turn)
        } catch {
            // Too many queries are running: the next announcement of the other node asks again.
            serf.conflictQuery = nil
        }
    }

    mutating func recordVerdict(_ response: QueryResponseMessage, to key: QueryKey) {
        guard let payload = response.payload, let verdict = decodeVerdict(payload) else {
            counters.drops.add(.malformedPayload)
            return
        }
        let isOurs = verdict.address.networkAddress == configuration.advertise
        serf.runningQueries[key]?.verdicts += 1
        if isOurs { serf.runningQueries[key]?.favourableVerdicts += 1 }
    }

    private func decodeVerdict(_ payload: [UInt8]) -> ConflictResponse? {
        do throws(DecodeError) { return try ConflictResponse.decode(payload: payload) } catch { return nil }
    }

    /// Without a majority for us, no answers included, the name is the other's.
    mutating func settleConflict(_ query: RunningQuery, _ turn: inout Turn<some RandomNumberGenerator>) {
        serf.conflictQuery = nil
        guard query.favourableVerdicts < query.verdicts / 2 + 1, phase == .running else { return }
        turn.act(.nameConflictLost)
    }
}

extension MemberRecord {
    fileprivate var conflictResponse: ConflictResponse {
        ConflictResponse(
            name: identity.name,
            address: identity.address,
            tags: identity.tags,
            status: status.rawValue,
            versions: identity.versions ?? ProtocolVersions.none
        )
    }
}

extension ProtocolVersions {
    /// Of a member that announced none.
    fileprivate static let none = ProtocolVersions(
        protocolMin: 0,
        protocolMax: 0,
        protocolCurrent: 0,
        delegateMin: 0,
        delegateMax: 0,
        delegateCurrent: 0
    )
}

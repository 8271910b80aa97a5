internal import HTTPTypes
internal import Logging
internal import NIOPosix
internal import WeftAPI
internal import WeftConfig
internal import WeftCore
internal import WeftGossip
internal import WeftTransport

/// What the API can have done.
extension MeshController {
    private static let joinAddressesMax = 100
    /// Of a name and its payload together; stock agents take 512 bytes of the whole message.
    private static let eventBytesMax = 400
    private static let eventNameBytesMax = 128

    // MARK: Joining and leaving

    func join(_ request: JoinRequest) async throws -> JoinResponse {
        guard (1...Self.joinAddressesMax).contains(request.addresses.count) else {
            throw APIFailure(
                .badRequest,
                code: "bad-addresses",
                text: "\(request.addresses.count) addresses were given, and 1 to \(Self.joinAddressesMax) are needed",
                next: "weft join ADDRESS"
            )
        }
        let peers = try request.addresses.map { text in
            guard let peer = PeerAddress(text) else {
                throw APIFailure(
                    .badRequest,
                    code: "bad-address",
                    text: "\(text.prefix(300)) is neither an address nor a host's name",
                    next: "weft join 10.0.0.11"
                )
            }
            return peer
        }
        if gossip == nil {
            guard settings.enabled else { throw APIFailure.gossipOff }
            do {
                try await begin(nil)
            } catch {
                throw APIFailure.noGossip(failure)
            }
        }
        let attempts = try await join(peers)
        await save()
        return JoinResponse(attempts: attempts, peersAlive: try await counts().alive)
    }

    /// Exchanges states with each; what came of it, in their order.
    func join(_ peers: [PeerAddress]) async throws -> [JoinResponse.Attempt] {
        guard let gossip else { throw APIFailure.noGossip(failure) }
        let looked = await lookUp(peers)
        let all = looked.flatMap { (try? $0.addresses.get()) ?? [] }
        guard !all.isEmpty else { return looked.map { $0.attempt(nil) } }
        let outcome = try await gossip.join(Array(Set(all).sorted().prefix(Self.joinAddressesMax)))
        return looked.map { $0.attempt(outcome) }
    }

    /// Names are looked up side by side, on threads that may block.
    private func lookUp(_ peers: [PeerAddress]) async -> [LookedUp] {
        let port = settings.port
        return await withTaskGroup(of: (Int, LookedUp).self) { group in
            for (index, peer) in peers.enumerated() {
                group.addTask {
                    do {
                        let addresses = try await NIOThreadPool.singleton.runIfActive {
                            try PeerLookup.addresses(of: peer, defaultPort: port)
                        }
                        return (index, LookedUp(peer: peer, addresses: .success(addresses)))
                    } catch {
                        return (index, LookedUp(peer: peer, addresses: .failure(error)))
                    }
                }
            }
            var found: [(Int, LookedUp)] = []
            for await item in group { found.append(item) }
            return found.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// Without a name this host goes; it comes back with `weft join`, and not by a restart. With one, a failed host is
    /// declared gone.
    func leave(_ request: LeaveRequest) async throws -> LeaveResponse {
        guard let node = request.node else {
            guard gossip != nil else { throw APIFailure.noGossip(failure) }
            await leaveMesh()
            do {
                try memory.save(GossipSnapshot())
            } catch {
                logger.warning("the peers were not forgotten", metadata: ["error": "\(error)"])
            }
            return LeaveResponse(node: name.text)
        }
        guard let gossip else { throw APIFailure.noGossip(failure) }
        let members = try await gossip.members().members
        guard let member = members.first(where: { "\($0.name)" == node }) else {
            throw APIFailure(.notFound, code: "unknown-host", text: "no host is called \(node)", next: "weft peers")
        }
        guard member.state == .failed || member.state == .left else {
            throw APIFailure(
                .conflict,
                code: "host-not-failed",
                text: "\(node) is \(member.state.rawValue): only a host that has failed can be declared gone",
                next: "sudo weft leave (on \(node))"
            )
        }
        try await gossip.forceLeave(member.name)
        return LeaveResponse(node: node)
    }

    // MARK: Events

    func sendEvent(_ request: SendEventRequest) async throws -> DoneResponse {
        guard let gossip else { throw APIFailure.noGossip(failure) }
        let bytes = request.name.utf8.count + request.payload.utf8.count
        guard (1...Self.eventNameBytesMax).contains(request.name.utf8.count),
            !request.name.hasPrefix(UserEvent.weftPrefix), bytes <= Self.eventBytesMax
        else {
            throw APIFailure(
                .badRequest,
                code: "bad-event",
                text: "an event needs a name of 1 to \(Self.eventNameBytesMax) bytes that does not begin with "
                    + "\"\(UserEvent.weftPrefix)\", and with its payload at most \(Self.eventBytesMax) bytes",
                next: "weft event deployed api-2.1"
            )
        }
        try await gossip.sendUserEvent(
            name: request.name,
            payload: Array(request.payload.utf8),
            coalesce: request.coalesce
        )
        return DoneResponse()
    }

    /// The events after a number, waiting for the first of them if there is none yet.
    func events(after sequence: UInt64?, wait: Duration) async -> EventsResponse {
        let answer = events.answer(after: sequence)
        guard answer.events.isEmpty, wait > .zero, let (id, signal) = events.makeWaiter() else { return answer }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in signal {} }
            group.addTask { try? await Task.sleep(for: wait) }  // Cancelled means that an event came first.
            await group.next()
            group.cancelAll()
        }
        events.removeWaiter(id)
        return events.answer(after: sequence)
    }

    // MARK: Keys

    func gossipKeys(_ change: GossipKeyChange) async throws -> KeysResponse {
        guard let gossip else { throw APIFailure.noGossip(failure) }
        let operation = try KeyOperation(change)
        if case .install = operation, settings.keyFile == nil, terms.mode == .have {
            throw APIFailure(
                .conflict,
                code: "gossip-in-clear",
                text: "gossip is in clear here, and a key that was sent now would be no secret",
                next: "weft status"
            )
        }
        let outcome: KeyOutcome
        do {
            outcome = try await gossip.manageKeys(operation)
        } catch GossipError.notEncrypted {
            throw APIFailure(
                .conflict,
                code: "gossip-not-encrypted",
                text: "gossip is not encrypted here, so that there is no key to list or change",
                next: "set key-file in [gossip] of /etc/weft/weft.toml on every host"
            )
        }
        return KeysResponse(outcome)
    }
}

/// One peer of a join with what its name led to.
private struct LookedUp: Sendable {
    let peer: PeerAddress
    let addresses: Result<[NetworkAddress], any Error>

    /// A peer counts as joined when one of its addresses answered.
    func attempt(_ outcome: JoinOutcome?) -> JoinResponse.Attempt {
        switch addresses {
        case .failure(let error): return .init(address: "\(peer)", error: "\(error)")
        case .success(let addresses):
            if let outcome, addresses.contains(where: outcome.joined.contains) {
                return .init(address: "\(peer)", error: nil)
            }
            let reason = outcome?.failed.first { addresses.contains($0.address) }?.reason
            return .init(address: "\(peer)", error: reason.map(\.text) ?? "it was not tried")
        }
    }
}

extension JoinFailure.Reason {
    /// For people.
    fileprivate var text: String {
        switch self {
        case .stream(.unreachable): "nothing answers there: is weft running, and TCP 7946 open between the hosts?"
        case .stream(.timedOut): "no answer in time: is TCP 7946 open between the hosts?"
        case .stream(.closed): "it hung up: its gossip key or label may differ from this host's"
        case .stream(.malformed): "it answered in something that cannot be read: its gossip key may differ"
        case .refused(let text): "it refused: \(text)"
        case .versions: "its mesh speaks other versions of the protocol"
        case .unexpected: "it does not speak gossip"
        }
    }
}

extension KeyOperation {
    fileprivate init(_ change: GossipKeyChange) throws(APIFailure) {
        func key(_ request: KeyRequestBody) throws(APIFailure) -> [UInt8] {
            if let key = GossipKeys.key(request.key) { return key }
            throw APIFailure(
                .badRequest,
                code: "bad-key",
                text: "a key is 16, 24 or 32 bytes in base64",
                next: "weft gossip keygen"
            )
        }
        switch change {
        case .list: self = .list
        case .install(let request): self = .install(try key(request))
        case .use(let request): self = .use(try key(request))
        case .remove(let request): self = .remove(try key(request))
        }
    }
}

extension KeysResponse {
    fileprivate init(_ outcome: KeyOutcome) {
        var hosts: [String: Int] = [:]
        var primaries: [String: Int] = [:]
        for result in outcome.results {
            for key in Set(result.keys) { hosts[key, default: 0] += 1 }
            if let primary = result.primary { primaries[primary, default: 0] += 1 }
        }
        self.init(
            keys: hosts.sorted { $0.key < $1.key }.map {
                Key(key: $0.key, hosts: $0.value, primaryOn: primaries[$0.key] ?? 0)
            },
            failures: outcome.results.filter { !$0.succeeded }.map { Failure(node: "\($0.node)", error: $0.message) },
            hostsAsked: outcome.expected,
            hostsAnswered: outcome.results.count
        )
    }
}

extension APIFailure {
    static var gossipOff: APIFailure {
        APIFailure(
            .conflict,
            code: "gossip-off",
            text: "gossip is switched off in the configuration of this host",
            next: "set enabled = true in [gossip] of /etc/weft/weft.toml"
        )
    }

    static func noGossip(_ failure: MeshController.Failure?) -> APIFailure {
        guard let failure else {
            return APIFailure(
                .conflict,
                code: "not-in-mesh",
                text: "this host takes part in no mesh",
                next: "sudo weft join ADDRESS"
            )
        }
        return APIFailure(.conflict, code: failure.code, text: failure.text, next: failure.next)
    }
}

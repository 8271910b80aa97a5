internal import HTTPTypes
internal import Logging
internal import WeftAPI
internal import WeftConfig
internal import WeftCore
internal import WeftIdentity
internal import WeftTransport

/// `weft join TOKEN`: this host becomes one of another mesh. What it was before is replaced only when all of the new is
/// there and kept.
extension IdentityController {
    /// A host of the mesh that let this one in.
    private struct Host {
        let address: NetworkAddress
        let name: String
    }

    func join(_ request: TokenJoinRequest) async throws -> TokenJoinResponse {
        let token: JoinToken
        do {
            token = try JoinToken(line: request.token)
        } catch {
            throw APIFailure.refused(error)
        }
        if state == nil { try loadAgain() }
        if !request.force, token.mesh != node?.mesh {
            try requireAlone(next: "sudo weft join --force TOKEN, to leave that mesh")
        }
        try begin()
        defer { isBusy = false }
        let (host, warnings) = try await join(with: token)
        scheduleWake()
        var response = TokenJoinResponse(
            mesh: token.mesh.text,
            node: name.text,
            peersAlive: 1,
            reach: [],
            warnings: warnings
        )
        await enterPool(token, host, &response)
        response.reach = await reach(host)
        return response
    }

    // MARK: The mesh

    /// Everything up to the kept identity.
    private func join(with token: JoinToken) async throws(APIFailure) -> (Host, warnings: [String]) {
        let key = try joiningKey(for: token)
        let asked = now
        guard asked <= token.expiry else { throw APIFailure.expired(token, now: asked) }
        let message: [UInt8]
        do {
            message = try JoinRequest(token: token, node: name, key: key, now: asked).encoded
        } catch {
            throw APIFailure.failed("the request was not made: \(error)")
        }
        let (reply, address) = try await ask(message, token)
        let answer: JoinAnswer
        do {
            answer = try JoinAnswer(encoded: reply.bytes)
        } catch {
            throw APIFailure.unusable("\(error)")
        }
        let clocks = ClockCheck(asked: asked, answered: now, other: answer.clock)
        switch answer.outcome {
        case .failure(let refusal):
            throw APIFailure.refused(refusal, next: Self.next(after: refusal, clocks))
        case .success(let grant):
            try adopt(grant, reply, key, clocks, at: address)
        }
        let name = reply.peer.identity.node?.text ?? address.ip.description
        return (Host(address: address, name: name), clocks.warning.map { [$0] } ?? [])
    }

    /// The key of a join with this token that was begun before, or a new one; kept before it is used.
    private func joiningKey(for token: JoinToken) throws(APIFailure) -> NodeKey {
        if let pending = state?.pendingJoin, pending.token == token.id { return pending.key }
        var next = state ?? IdentityState(key: NodeKey())
        let key = NodeKey()
        next.pendingJoin = IdentityState.PendingJoin(token: token.id, key: key)
        do {
            try keep(next)
        } catch {
            throw APIFailure.failed("nothing was changed: \(error)")
        }
        return key
    }

    /// The token's addresses in turn, until one answers.
    private func ask(_ message: [UInt8], _ token: JoinToken) async throws(APIFailure) -> (JoinReply, NetworkAddress) {
        var reasons: [String] = []
        var clock: APIFailure?
        for peer in token.addresses {
            let addresses: [NetworkAddress]
            do {
                addresses = try await environment.lookUp(peer, configuration.security.port)
            } catch {
                reasons.append("\(error)")
                continue
            }
            for address in addresses {
                do {
                    return (try await environment.ask(message, address, .pin(JoinPin(token))), address)
                } catch {
                    reasons.append("\(error)")
                    clock = clock ?? APIFailure.clock(error)
                    logger.info("join", metadata: ["address": "\(address)", "reason": "\(error)"])
                }
            }
        }
        throw clock ?? APIFailure.unreached(reasons, token, port: configuration.security.port)
    }

    /// Checks what came, keeps it in the place of the old identity, and is a host of the mesh.
    private func adopt(
        _ grant: JoinGrant,
        _ reply: JoinReply,
        _ key: NodeKey,
        _ clocks: ClockCheck,
        at address: NetworkAddress
    ) throws(APIFailure) {
        guard let root = reply.root else { throw APIFailure.unusable("it shows no root") }
        let accepted: (identity: NodeIdentity, bundle: TrustBundle)
        do {
            accepted = try grant.accept(root: root, key: key, node: name)
        } catch {
            throw APIFailure.unusable("\(error)")
        }
        guard accepted.identity.intermediate.validity.contains(now) else {
            throw APIFailure.clock(clocks.warning ?? "this host's clock and the mesh's do not agree")
        }
        var next = IdentityState(key: key, node: accepted.identity, bundle: grant.bundle)
        let keys = grant.poolKey.isEmpty ? [] : [grant.poolKey]
        PoolKeys(keys: keys, mode: PoolMode(rawValue: grant.poolMode) ?? .have).keep(in: &next)
        Self.keep([address], in: &next)
        do {
            try keep(next)
        } catch {
            throw APIFailure.failed("the identity that was got was not kept, and the old one holds: \(error)")
        }
        forgetServices()
        failure = nil
        take(accepted.identity, trusting: accepted.bundle)
        logger.notice("joined", metadata: ["mesh": "\(grant.mesh)", "name": "\(name)"])
    }

    private static func next(after refusal: JoinRefusal, _ clocks: ClockCheck) -> String {
        switch refusal {
        case .nameTaken: "set name in [node] of /etc/weft/weft.toml, then sudo systemctl restart weftd"
        case .expiredToken where !clocks.isGood: "timedatectl"
        case .failed: "journalctl -u weftd -n 50 on the host that answered"
        default: "weft token on a host of the mesh"
        }
    }

    // MARK: The pool

    /// The hosts of the token, at their gossip ports. A pool that cannot be joined leaves a host with an identity and
    /// without company: a warning, as it is tried again when gossip starts.
    private func enterPool(_ token: JoinToken, _ host: Host, _ response: inout TokenJoinResponse) async {
        guard configuration.gossip.enabled, let link else {
            response.warnings.append("gossip is switched off on this host, so that it knows no other host of the mesh")
            return
        }
        // The one that answered first; names are looked up anew.
        let port = configuration.gossip.port
        let others = token.addresses.map { PeerAddress($0.host, port: port) }
        let peers = [PeerAddress(.ip(host.address.ip), port: port)] + others
        do {
            let move = try await link.move(to: Array(peers.prefix(JoinToken.addressesMax)))
            response.peersAlive = move.alive
            response.warnings += move.failures
        } catch {
            response.warnings.append("the pool was not joined: \(error)")
        }
    }

    // MARK: Reach

    /// Tries both ways, each host the other's ports.
    private func reach(_ host: Host) async -> [ReachRow] {
        let there = ReachTarget(
            address: host.address.ip,
            tunnelPort: host.address.port,
            gossipPort: configuration.gossip.port
        )
        let own = members.first(where: \.isSelf)?.address ?? environment.ownAddress() ?? .loopbackV4
        var rows = await environment.probe(there, activeKeys).rows(from: (name.text, own), to: host.name, target: there)
        guard let trusted else { return rows }
        let here = ReachTarget(
            address: own,
            tunnelPort: configuration.security.port,
            gossipPort: configuration.gossip.port
        )
        let question = ReachMessage.question(tunnelPort: here.tunnelPort, gossipPort: here.gossipPort)
        do {
            let reply = try await environment.ask(question, host.address, .verifier(PeerVerifier(bundle: trusted)))
            if let answers = ReachMessage.answers(in: reply.bytes) {
                rows += answers.rows(from: (host.name, host.address.ip), to: name.text, target: here)
            }
        } catch {
            logger.info("reach not tried", metadata: ["address": "\(host.address)", "reason": "\(error)"])
        }
        return rows
    }
}

extension APIFailure {
    fileprivate static func expired(_ token: JoinToken, now: WallTime) -> APIFailure {
        APIFailure(
            .conflict,
            code: JoinRefusal.expiredToken.name,
            text: "this token was good until \(token.expiry.rfc3339), and by this host's clock it is \(now.rfc3339)",
            next: "weft token on a host of the mesh; if the clock is wrong: timedatectl"
        )
    }

    fileprivate static func unusable(_ reason: String) -> APIFailure {
        APIFailure(.badGateway, code: "bad-answer", text: reason, next: "weft version on both hosts")
    }

    fileprivate static func clock(_ warning: String) -> APIFailure {
        APIFailure(.conflict, code: "clock-off", text: warning, next: "timedatectl")
    }

    /// Certificates that have not begun or have ended by this host's clock, right after they were shown: a host of the mesh
    /// renews in time, so the clock is to blame.
    fileprivate static func clock(_ error: JoinClientError) -> APIFailure? {
        let amount: Duration
        let direction: String
        switch error {
        case .peerRefused(_, .notYetValid(_, _, let ahead)): (amount, direction) = (ahead, "behind")
        case .peerRefused(_, .expired(_, _, let ago)): (amount, direction) = (ago, "ahead of")
        default: return nil
        }
        let seconds = amount.components.seconds
        let shown = seconds < 7200 ? "\(max(1, seconds / 60)) min" : "\(seconds / 3600) h"
        return clock(
            "this host's clock is at least \(shown) \(direction) the mesh's, so that no certificate holds here"
        )
    }

    fileprivate static func unreached(_ reasons: [String], _ token: JoinToken, port: UInt16) -> APIFailure {
        let shown = reasons.prefix(4).joined(separator: "; ")
        return APIFailure(
            .badGateway,
            code: "mesh-unreachable",
            text: "no host of the mesh \(token.mesh) let this one in: \(shown)",
            next: "on the host of the token: sudo systemctl status weftd, and "
                + "sudo nft insert rule inet filter input tcp dport \(token.addresses.first?.port ?? port) accept"
        )
    }
}

internal import Logging
internal import WeftCore
internal import WeftIdentity
internal import WeftTransport

/// The join service: what strangers and hosts of the mesh ask of this host, over TLS in which only this host has shown a
/// certificate. `JoinServer` bounds sizes, times and numbers.
extension IdentityController {
    /// How often one address may have its ports tried, and of how many that is remembered.
    private static let reachInterval = Duration.seconds(1)
    private static let reachAskedMax = 1024

    /// Answers one request; an empty answer ends the connection.
    func serve(_ request: [UInt8], from peer: NetworkAddress) async -> [UInt8] {
        switch IdentityQuestion(request) {
        case .join: return answer("join", await admit(request, from: peer), peer)
        case .renewal: return answer("renewal", renew(request), peer)
        case .grant: return takeOver(request, peer)
        case .authority: return regrant(request, peer)
        case .hello: return IdentityText.done
        case .reach: return await reach(request, from: peer)
        case nil:
            count("unknown-request")
            return []
        }
    }

    private func answer(_ what: String, _ outcome: Result<JoinGrant, JoinRefusal>, _ peer: NetworkAddress) -> [UInt8] {
        switch outcome {
        case .success: count("\(what)-granted")
        case .failure(let refusal):
            count("\(what)-\(refusal.name)")
            logger.info(
                "join service refused",
                metadata: ["request": "\(what)", "address": "\(peer.ip)", "reason": "\(refusal.name)"]
            )
        }
        return JoinAnswer(clock: now, outcome: outcome).encoded
    }

    // MARK: Join

    private func admit(_ bytes: [UInt8], from peer: NetworkAddress) async -> Result<JoinGrant, JoinRefusal> {
        do throws(JoinRefusal) {
            let request = try JoinRequest(encoded: bytes)
            // The token first, without counting it: strangers must not make this host call others.
            guard var tokens = state?.tokens, let authority = state?.authority, authority.isCurrent, trusted != nil
            else { throw .noAuthority }
            _ = try tokens.admit(request, now: now)
            try await checkName(of: request.node, at: peer.ip)
            return .success(try admit(request))
        } catch {
            return .failure(error)
        }
    }

    /// From here to the kept state there is no await: a token's use is counted or it is not.
    private func admit(_ request: JoinRequest) throws(JoinRefusal) -> JoinGrant {
        guard var next = state, var authority = next.authority, authority.isCurrent, let bundle = next.bundle else {
            throw .noAuthority
        }
        guard request.mesh == authority.mesh else { throw .wrongMesh }
        let allowed = try next.tokens.admit(request, now: now)
        var rng = randomness
        let chain: [MeshCertificate]
        do {
            chain = try authority.sign(request.node, allowed: allowed, now: now, lifetimes: lifetimes, using: &rng)
        } catch {
            throw JoinRefusal(error)
        }
        authority.register(chain, now: now)
        next.authority = authority
        do {
            try keep(next)
        } catch {
            throw .failed
        }
        logger.notice(
            "host joined",
            metadata: ["name": "\(request.node.node?.text ?? "")", "token": "\(request.token)"]
        )
        return JoinGrant(
            mesh: authority.mesh,
            chain: chain,
            bundle: bundle,
            gossipKey: activeKeys?.keys.first ?? [],
            poolMode: (activeKeys?.mode ?? .have).rawValue
        )
    }

    /// A live host that has the name must be the one that asks: at the same address, or with the same key.
    private func checkName(of request: NodeRequest, at address: IPAddress) async throws(JoinRefusal) {
        guard let node = request.node, node != name else { throw .nameTaken }
        guard let member = members.first(where: { $0.name == node.text && $0.isAlive }), member.address != address
        else { return }
        guard let port = member.tunnelAddress, let trusted else { throw .nameTaken }
        let chain: [MeshCertificate]
        do {
            chain = try await environment.ask(IdentityText.hello, port, .verifier(PeerVerifier(bundle: trusted))).chain
        } catch {
            throw .nameTaken
        }
        guard chain.contains(where: { $0.keyFingerprint == request.keyFingerprint }) else { throw .nameTaken }
    }

    // MARK: Renewal

    private func renew(_ bytes: [UInt8]) -> Result<JoinGrant, JoinRefusal> {
        do throws(JoinRefusal) {
            let request = try RenewalRequest(encoded: bytes)
            guard var next = state, var authority = next.authority, authority.isCurrent, let bundle = next.bundle,
                trusted != nil
            else { throw .noAuthority }
            var rng = randomness
            do {
                let chain = try authority.renew(request, now: now, lifetimes: lifetimes, using: &rng)
                authority.register(chain, now: now)
                next.authority = authority
                // A problem that status shows; the host's certificate is good all the same.
                try? keep(next)
                return .success(JoinGrant(mesh: authority.mesh, chain: chain, bundle: bundle, gossipKey: []))
            } catch {
                throw JoinRefusal(error)
            }
        } catch {
            return .failure(error)
        }
    }

    // MARK: The authority

    private func takeOver(_ bytes: [UInt8], _ peer: NetworkAddress) -> [UInt8] {
        do {
            try take(AuthorityGrant(bytes: bytes))
            return IdentityText.done
        } catch {
            count("grant-refused")
            logger.warning("authority not taken", metadata: ["address": "\(peer.ip)", "reason": "\(error)"])
            return IdentityText.refused("\(error)")
        }
    }

    private func regrant(_ bytes: [UInt8], _ peer: NetworkAddress) -> [UInt8] {
        guard let authority = state?.authority, authority.isCurrent, trusted != nil else {
            return IdentityText.refused("this host does not hold the present authority")
        }
        do {
            let grant = try authority.grant(to: AuthorityRequest(bytes: bytes), now: now)
            count("authority-granted")
            return grant.bytes
        } catch {
            count("authority-refused")
            logger.warning("authority not granted", metadata: ["address": "\(peer.ip)", "reason": "\(error)"])
            return IdentityText.refused("\(error)")
        }
    }

    // MARK: Reach

    /// Tries the asker's own ports, at the address that it asks from, now and then: nobody's scanner.
    private func reach(_ bytes: [UInt8], from peer: NetworkAddress) async -> [UInt8] {
        guard let ports = ReachMessage.ports(in: bytes) else { return [] }
        if let asked = reachAsked[peer.ip], now < asked.advanced(by: Self.reachInterval), asked <= now {
            count("reach-too-often")
            return IdentityText.refused("asked too often")
        }
        if reachAsked.count >= Self.reachAskedMax { reachAsked = [:] }
        reachAsked[peer.ip] = now
        let target = ReachTarget(address: peer.ip, tunnelPort: ports.tunnel, gossipPort: ports.gossip)
        return ReachMessage.answer(await environment.probe(target, activeKeys))
    }
}

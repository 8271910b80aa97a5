internal import HTTPTypes
internal import Logging
internal import WeftAPI
internal import WeftCore
internal import WeftIdentity
internal import WeftTransport

/// The authority of the mesh: who holds it, who else is to, and whom it does not trust any more.
extension IdentityController {
    func caStatus() throws -> CAStatus {
        guard let trusted else { throw APIFailure.noIdentity(failure) }
        let isHolder = state?.authority?.isCurrent ?? false
        let rotation: CAStatus.Rotation? =
            switch state?.authority?.rotation {
            case nil: nil
            case .prepared?: .prepared
            case .switched?: .switched
            }
        return CAStatus(
            mesh: trusted.mesh.text,
            isHolder: isHolder,
            holders: (holders.map(\.name) + (isHolder ? [name.text] : [])).sorted(),
            roots: trusted.roots.map { $0.fingerprint.description },
            version: trusted.version,
            rotation: rotation,
            waitingFor: waitingFor,
            revoked: trusted.revokedNodes.keys.sorted().map(\.text)
        )
    }

    // MARK: Grant

    /// Gives the authority to another host too, so that the loss of this one loses nothing.
    func grantAuthority(_ request: NodeRequestBody) async throws -> CAStatus {
        let (_, authority) = try held()
        guard authority.rotation == nil else {
            throw APIFailure.wrongStep("a rotation of the root is under way; grant when it has ended")
        }
        guard let node = NodeName(request.node) else { throw APIFailure.badNode(request.node) }
        guard let member = companions.first(where: { $0.node == node }), let address = member.tunnelAddress else {
            throw APIFailure(
                .notFound,
                code: "unknown-host",
                text: "no host of this mesh that is alive is called \(node)",
                next: "weft peers"
            )
        }
        try begin()
        defer { isBusy = false }
        try await send(authority, to: node, at: address)
        logger.notice("authority granted", metadata: ["name": "\(node)"])
        return try caStatus()
    }

    private func send(_ authority: MeshAuthority, to node: NodeName, at address: NetworkAddress) async throws {
        let trust = JoinTrust.verifier(PeerVerifier(bundle: authority.bundle))
        do {
            let reply = try await environment.ask(IdentityText.hello, address, trust)
            guard reply.peer.identity.node == node,
                let intermediate = reply.chain.dropFirst().first(where: { $0.identity?.node == node })
            else { throw APIFailure.notGranted("\(address) answers as another host than \(node)") }
            let grant = try AuthorityGrant(authority, for: intermediate, now: now)
            let answer = try await environment.ask(grant.bytes, address, trust)
            guard answer.bytes == IdentityText.done else {
                throw APIFailure.notGranted(IdentityText.refusal(in: answer.bytes) ?? "\(node) gave no clear answer")
            }
        } catch let failure as APIFailure {
            throw failure
        } catch {
            throw APIFailure.notGranted("\(error)")
        }
    }

    // MARK: Export and import

    /// Key and certificates as text: whoever has it is the authority.
    func exportAuthority() throws -> CAKeyText {
        let (_, authority) = try held()
        do {
            let text = try authority.exportPEM()
            logger.notice("authority exported", metadata: ["root": "\(authority.root.fingerprint.shortDigits)"])
            return CAKeyText(pem: text)
        } catch {
            throw APIFailure.failed("\(error)")
        }
    }

    /// The key of the present root makes this host a holder. Another authority, such as a company's, becomes the next root
    /// by a rotation, which a holder begins.
    func importAuthority(_ request: CAKeyText) throws -> CAStatus {
        guard var next = state, let trusted else { throw APIFailure.noIdentity(failure) }
        do {
            let authority = try MeshAuthority(pem: request.pem, bundle: trusted, now: now)
            guard authority.isCurrent else { throw IdentityError.unknownIssuer }
            guard next.authority?.isCurrent != true else { return try caStatus() }
            next.authority = authority
            try keepOrFail(next)
            tellPool()
            logger.notice("authority imported", metadata: ["root": "\(authority.root.fingerprint.shortDigits)"])
            return try caStatus()
        } catch IdentityError.unknownIssuer {
            return try rotate(to: request.pem)
        } catch let error as IdentityError {
            throw APIFailure.badAuthority("\(error)")
        }
    }

    private func rotate(to pem: String) throws -> CAStatus {
        _ = try held()
        var rng = randomness
        do {
            try changeAuthority { try $0.prepareRotation(pem: pem, now: now, using: &rng) }
        } catch IdentityError.wrongStep(let text) {
            throw APIFailure.wrongStep(text)
        } catch let error as IdentityError {
            throw APIFailure.badAuthority("\(error)")
        } catch {
            throw APIFailure.failed("nothing was changed: \(error)")
        }
        logger.notice("rotation prepared", metadata: ["to": "imported"])
        advanceRotation()
        return try caStatus()
    }

    // MARK: Revoke

    /// From now on nobody who has the new bundle believes a certificate that the host has now, and this host at once.
    func revoke(_ request: NodeRequestBody) throws -> CAStatus {
        _ = try held()
        guard let node = NodeName(request.node) else { throw APIFailure.badNode(request.node) }
        guard node != name else {
            throw APIFailure(
                .conflict,
                code: "own-host",
                text: "a host does not revoke itself",
                next: "sudo weft revoke \(node) on another host that holds the authority"
            )
        }
        do {
            try changeAuthority { try $0.revoke(node, now: now) }
        } catch {
            throw APIFailure.failed("nothing was changed: \(error)")
        }
        count("revoked")
        logger.notice("host revoked", metadata: ["name": "\(node)"])
        return try caStatus()
    }
}

extension APIFailure {
    fileprivate static func notGranted(_ text: String) -> APIFailure {
        APIFailure(.badGateway, code: "not-granted", text: text, next: "weft peers")
    }

    fileprivate static func badAuthority(_ text: String) -> APIFailure {
        APIFailure(.badRequest, code: "bad-authority", text: text, next: "openssl x509 -noout -text -in FILE")
    }
}

internal import Logging
internal import WeftCore
internal import WeftIdentity
internal import WeftTransport

/// The trust bundle on its way through the mesh: tags say who has which, direct messages carry it. It is signed, so
/// that it may come from anybody.
extension IdentityController {
    /// How long to wait before asking again, and before sending the same host the bundle again.
    private static let askAgain = Duration.seconds(2)
    private static let sendAgain = Duration.seconds(1)
    /// Hosts that are asked at a time; of those that have the newest.
    private static let askedMax = 3
    /// Hosts that are sent a new bundle at once, before their tags show that they lack it.
    private static let pushedMax = 16
    private static let sentMax = 1024

    /// All members of the pool, at each change.
    func membersChanged(_ members: [MeshMember]) {
        self.members = members
        askForBundle()
        reviewPool()
        advanceRotation()
        scheduleWake()
    }

    /// A direct message of the identity's.
    func trustReceived(_ payload: [UInt8], from node: NodeName) {
        switch TrustPayload(payload) {
        case .question: sendBundle(to: node)
        case .bundle(let bytes):
            do {
                try adopt(SignedTrustBundle(bytes: bytes))
            } catch {
                count("bundle-refused")
                logger.info("trust bundle refused", metadata: ["from": "\(node)", "reason": "\(error)"])
            }
        case nil: count("bundle-malformed")
        }
    }

    // MARK: Asking

    var bundleRetry: WallTime? {
        membersAhead.isEmpty ? nil : bundleAsked?.advanced(by: Self.askAgain) ?? now
    }

    /// Members of this mesh with a bundle that this host wants: a newer one, or, to a holder of the authority, another one
    /// of the same version, to be merged.
    private var membersAhead: [(node: NodeName, mark: IdentityTags.TrustMark)] {
        guard let kept = state?.bundle, trusted != nil else { return [] }
        let own = IdentityTags.TrustMark(kept)
        return companions.compactMap { member in
            guard let node = member.node, let mark = member.tags.trust else { return nil }
            let isOther = state?.authority != nil && mark.version == own.version && mark != own
            return mark > own || isOther ? (node, mark) : nil
        }
    }

    func askForBundle() {
        let ahead = membersAhead
        guard let newest = ahead.map(\.mark).max(), let link else { return }
        if let bundleAsked, now < bundleAsked.advanced(by: Self.askAgain), bundleAsked <= now { return }
        bundleAsked = now
        var rng = randomness
        let asked = ahead.filter { $0.mark == newest }.map(\.node).shuffled(using: &rng).prefix(Self.askedMax)
        Task { for node in asked { await link.sendIdentity(TrustPayload.question.bytes, to: node) } }
    }

    // MARK: Sending

    private func sendBundle(to node: NodeName) {
        guard let bundle = state?.bundle, let link else { return }
        if let sent = bundleSent[node], now < sent.advanced(by: Self.sendAgain), sent <= now { return }
        if bundleSent.count >= Self.sentMax { bundleSent = [:] }
        bundleSent[node] = now
        Task { await link.sendIdentity(TrustPayload.bundle(bundle.bytes).bytes, to: node) }
    }

    /// Tells the mesh of a bundle that was made here: some hosts at once, the others by tags.
    private func spread() {
        guard let bundle = state?.bundle, let link else { return }
        var rng = randomness
        let payload = TrustPayload.bundle(bundle.bytes).bytes
        let nodes = companions.compactMap(\.node).shuffled(using: &rng).prefix(Self.pushedMax)
        Task {
            await link.identityChanged()
            for node in nodes { await link.sendIdentity(payload, to: node) }
        }
    }

    // MARK: Taking

    /// Takes a newer bundle in the place of the present one; on holders of the authority, merges what others changed.
    func adopt(_ document: SignedTrustBundle) throws {
        guard var next = state, let node, let trusted, let kept = next.bundle, document != kept else { return }
        var isOwnNews = false
        if var authority = next.authority {
            do {
                isOwnNews = try authority.adopt(document, now: now)
                next.authority = authority
                next.bundle = isOwnNews ? try authority.signedBundle() : document.isNewer(than: kept) ? document : kept
            } catch AdoptionError.rootsMovedOn {
                logger.warning("the authority moved on without this host", metadata: ["mesh": "\(node.mesh)"])
                next.authority = nil
                next.bundle = document
            }
        } else {
            guard document.isNewer(than: kept) else { return }
            next.bundle = document
        }
        guard let bundle = next.bundle, bundle != kept else { return }
        let opened = try bundle.open(mesh: node.mesh, trusting: trusted.roots)
        try keep(next)
        trustChanged(opened)
        if isOwnNews { spread() } else { tellPool() }
        logger.notice("trust bundle", metadata: ["version": "\(opened.version)", "roots": "\(opened.roots.count)"])
    }

    /// Changes the authority here, signs what hosts are to trust from now on, and keeps both together.
    func changeAuthority(_ change: (inout MeshAuthority) throws -> Void) throws {
        guard var next = state, var authority = next.authority else { return }
        try change(&authority)
        next.authority = authority
        next.bundle = try authority.signedBundle()
        try keep(next)
        trustChanged(authority.bundle)
        spread()
        scheduleWake()
    }

    private func trustChanged(_ bundle: TrustBundle) {
        trusted = bundle
        bundleAsked = nil
        publishSnapshot()
        hastenAfterRotation()
    }

    /// Without waiting for it.
    func tellPool() {
        guard let link else { return }
        Task { await link.identityChanged() }
    }

    // MARK: The authority of today

    var authorityRetry: WallTime? {
        guard let authority = state?.authority, !authority.isCurrent, trusted != nil else { return nil }
        return authorityAsked?.advanced(by: Self.askAgain) ?? now
    }

    /// A holder whose root has been replaced by another holder gets the new one from there.
    func askForAuthority() async {
        guard let due = authorityRetry, due <= now, !isFetchingAuthority, let node, let trusted,
            let request = try? state?.authority?.request(for: node)  // Fails as signing does: the next try may not.
        else { return }
        authorityAsked = now
        isFetchingAuthority = true
        defer { isFetchingAuthority = false }
        for address in holders.compactMap(\.tunnelAddress).prefix(Self.askedMax) {
            do {
                let reply = try await environment.ask(request.bytes, address, .verifier(PeerVerifier(bundle: trusted)))
                if let told = IdentityText.refusal(in: reply.bytes) {
                    logger.info("authority not granted", metadata: ["address": "\(address)", "reason": "\(told)"])
                } else {
                    return try take(AuthorityGrant(bytes: reply.bytes))
                }
            } catch {
                logger.info("authority not granted", metadata: ["address": "\(address)", "reason": "\(error)"])
            }
        }
    }

    /// Holds the authority from now on.
    func take(_ grant: AuthorityGrant) throws {
        guard var next = state, let node, let trusted else { return }
        var authority = try grant.open(by: node, trusting: trusted)
        if let before = next.authority { authority.mergeRegister(of: before) }
        guard authority.isCurrent else { throw IdentityError.wrongStep("the one who granted has an old root itself") }
        if let kept = next.bundle {
            _ = try? authority.adopt(kept, now: now)  // What cannot be merged is older than the grant.
        }
        next.authority = authority
        next.bundle = try authority.signedBundle()
        try keep(next)
        trustChanged(authority.bundle)
        tellPool()
        count("authority-taken")
        logger.notice("this host holds the authority", metadata: ["mesh": "\(authority.mesh)"])
        scheduleWake()
    }
}

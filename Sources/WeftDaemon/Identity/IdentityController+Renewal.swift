internal import Logging
internal import WeftCore
internal import WeftIdentity
internal import WeftTransport

/// What has to be done at some time: certificates that are due, and steps that wait.
extension IdentityController {
    /// The longest sleep: the calendar's clock may have been set meanwhile.
    private static let sleepMax = Duration.seconds(300)
    /// What is due and cannot be done yet, as while another command runs, is not tried without a pause.
    private static let sleepMin = Duration.milliseconds(200)
    /// Everybody renews after a rotation; not all in the same moment.
    private static let hastenSpread: ClosedRange<Int64> = 100...3000
    /// Holders that are asked in one go.
    private static let holdersAsked = 4
    /// Addresses of holders that are kept for when gossip knows none.
    private static let holdersKept = 8
    private static let holdersName = "holders"

    // MARK: The timer

    /// Sleeps until something is due. Called after everything that may have changed that.
    func scheduleWake() {
        waker?.cancel()
        let due = [schedule.wake, poolIsReady.due, rotationIsReady.due, bundleRetry, authorityRetry, idleDue]
            .compactMap { $0 }.min()
        let wait = due.map { max(Self.sleepMin, min($0.since(now), Self.sleepMax)) } ?? Self.sleepMax
        waker = Task { [environment] in
            do { try await environment.sleep(wait) } catch { return }  // Another time took the place of this one.
            await wake()
        }
    }

    private var idleDue: WallTime? { requested.values.min()?.advanced(by: Self.requestedMemory) }

    /// Does what is due now.
    func wake() async {
        if state == nil { try? loadAgain() }  // Remembered as `failure`.
        forgetIdle()
        renewLeaves()
        reviewPool()
        advanceRotation()
        askForBundle()
        await askForAuthority()
        if schedule.due(at: now).contains(.intermediate) { await renewIntermediate() }
        scheduleWake()
    }

    private func renewLeaves() {
        var isChanged = false
        for case .leaf(let identity) in schedule.due(at: now) {
            // Those of workloads that are gone are left to end.
            if leaves[identity] == nil, !isWanted(identity) { schedule.drop(.leaf(identity)) }
            isChanged = mint(identity) || isChanged
        }
        if isChanged { publishSnapshot() }
    }

    private func isWanted(_ identity: SpiffeID) -> Bool {
        offered.contains(identity) || requested[identity] != nil || identity == node?.identity
    }

    // MARK: The intermediate

    /// Has the intermediate renewed soon when the root that made it does not sign any more.
    func hastenAfterRotation() {
        guard let node, let trusted, trusted.root(of: node.intermediate) != trusted.roots.first else { return }
        var rng = randomness
        let wait = Duration.milliseconds(Int64.random(in: Self.hastenSpread, using: &rng))
        schedule.hasten(.intermediate, to: now.advanced(by: wait))
    }

    /// Gets a new intermediate: from this host's own authority, or from a host that holds it. Also after the old one has
    /// ended: asking needs no certificate.
    func renewIntermediate() async {
        guard let node, !isRenewing, !isBusy else { return }
        isRenewing = true
        defer { isRenewing = false }
        if let authority = state?.authority, authority.isCurrent {
            renewHere(node, with: authority)
        } else {
            await renewElsewhere(node)
        }
        await link?.identityChanged()
    }

    private func renewHere(_ node: NodeIdentity, with authority: MeshAuthority) {
        var rng = randomness
        do {
            let chain = try authority.sign(
                node.renewalRequest().request,
                allowed: node.allowed,
                now: now,
                lifetimes: lifetimes,
                using: &rng
            )
            try take(renewed: node.renewed(chain), nil)
        } catch {
            renewalFailed("\(error)", nil)
        }
    }

    private func renewElsewhere(_ node: NodeIdentity) async {
        guard let trusted else { return }
        let request: [UInt8]
        do {
            request = try node.renewalRequest().encoded
        } catch {
            return renewalFailed("\(error)", nil)
        }
        var reason = "no host that holds the authority is known"
        var refusal: JoinRefusal?
        for address in holderAddresses.prefix(Self.holdersAsked) {
            do {
                let reply = try await environment.ask(request, address, .verifier(PeerVerifier(bundle: trusted)))
                switch try JoinAnswer(encoded: reply.bytes).outcome {
                case .success(let grant): return try renew(node, with: grant, from: address)
                case .failure(let told):
                    reason = "\(address): \(told)"
                    // One that holds no authority any more says nothing of this host.
                    if told != .noAuthority { refusal = told }
                }
            } catch {
                reason = "\(error)"
            }
        }
        renewalFailed(reason, refusal)
    }

    private func renew(_ node: NodeIdentity, with grant: JoinGrant, from address: NetworkAddress) throws {
        // The identity may be another one by now.
        guard let current = self.node, current.intermediate == node.intermediate, var bundle = trusted else { return }
        var document: SignedTrustBundle?
        if let kept = state?.bundle, grant.bundle.isNewer(than: kept) {
            bundle = try grant.bundle.open(mesh: node.mesh, trusting: bundle.roots)
            document = grant.bundle
        }
        let renewed = try node.renewed(grant.chain)
        guard bundle.root(of: renewed.intermediate) != nil else { throw IdentityError.unknownIssuer }
        try take(renewed: renewed, document)
    }

    private func take(renewed node: NodeIdentity, _ document: SignedTrustBundle?) throws {
        guard var next = state else { return }
        next.node = node
        // A holder's bundle comes by `adopt`, which merges.
        if next.authority == nil, let document { next.bundle = document }
        Self.keep(holderAddresses, in: &next)
        try keep(next)
        if let bundle = try next.trusted() { take(node, trusting: bundle) }
        renewalFailure = nil
        count("renewed-own")
        logger.info("certificate renewed", metadata: ["end": "\(node.intermediate.validity.notAfter.rfc3339)"])
    }

    private func renewalFailed(_ reason: String, _ refusal: JoinRefusal?) {
        var rng = randomness
        schedule.failed(.intermediate, now: now, using: &rng)
        renewalFailure = reason
        renewalRefusal = refusal
        count("renewal-failed")
        logger.warning("certificate not renewed", metadata: ["reason": "\(reason)"])
    }

    // MARK: Who holds the authority

    /// Hosts that say so and are alive, in an order that differs from host to host; then where there were some before.
    private var holderAddresses: [NetworkAddress] {
        var rng = randomness
        let alive = holders.compactMap(\.tunnelAddress).shuffled(using: &rng)
        let kept = String(decoding: state?.extras[Self.holdersName] ?? [], as: UTF8.self)
            .split(separator: "\n").compactMap { NetworkAddress(String($0)) }
        return alive + kept.filter { !alive.contains($0) }
    }

    /// Without this host.
    var holders: [MeshMember] { companions.filter(\.tags.isHolder) }

    /// Remembers where the authority is.
    static func keep(_ addresses: [NetworkAddress], in state: inout IdentityState) {
        let text = addresses.prefix(holdersKept).map(\.description).joined(separator: "\n")
        state.extras[holdersName] = Array(text.utf8)
    }
}

internal import Logging
internal import WeftCatalog
internal import WeftCore
internal import WeftIdentity

/// Certificates of workloads: minted here, before anybody needs them where that can be known.
extension IdentityController {
    /// Of workloads that only call others; the one that asked longest ago makes room.
    private static let requestedMax = 1024
    /// How long such a workload's certificate is kept after it was asked for; event loops ask again.
    static let requestedMemory = Duration.seconds(3600)

    /// Has a certificate for each service of this host.
    func adopt(_ snapshot: MeshSnapshot) {
        guard let mesh = node?.mesh else { return }
        let services = Set(
            snapshot.localServices.map { SpiffeID(mesh: mesh, tenant: $0.tenant, service: $0.name) }
        )
        guard services != offered else { return }
        offered = services
        if mintMissing() || dropUnwanted() { publishSnapshot() }
        scheduleWake()
    }

    /// Has a certificate for a workload that wants to call somebody; from event loops.
    ///
    /// - Parameter then: called once, on no loop in particular, after the snapshot with the certificate was published; false
    ///   when this host may not speak for the workload, has no identity, or has too many such wishes already.
    nonisolated func requestLeaf(_ identity: SpiffeID, then: @escaping @Sendable (Bool) -> Void) {
        switch pending.add(identity, then) {
        case .first: Task { await mintRequested() }
        case .added: break
        case .refused: then(false)
        }
    }

    /// The same, to wait for.
    nonisolated func makeLeaf(_ identity: SpiffeID) async -> Bool {
        await withCheckedContinuation { continuation in
            requestLeaf(identity) { continuation.resume(returning: $0) }
        }
    }

    /// Who the host itself is; nil without an identity.
    var host: SpiffeID? { node?.identity }

    private func mintRequested() {
        let wishes = pending.take()
        for (identity, _) in wishes where identity.mesh == node?.mesh { requested[identity] = now }
        forgetOldest()
        if mintMissing() { publishSnapshot() }
        for (identity, completions) in wishes {
            let isThere = snapshot?.holds(identity) ?? false
            if !isThere { requested[identity] = nil }
            completions.forEach { $0(isThere) }
        }
        scheduleWake()
    }

    private func forgetOldest() {
        guard requested.count > Self.requestedMax else { return }
        let oldest = requested.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        for (identity, _) in oldest.prefix(requested.count - Self.requestedMax) { requested[identity] = nil }
        _ = dropUnwanted()
    }

    /// Forgets workloads that have not asked for long.
    func forgetIdle() {
        let before = requested.count
        requested = requested.filter { now < $0.value.advanced(by: Self.requestedMemory) }
        if requested.count < before, dropUnwanted() { publishSnapshot() }
    }

    // MARK: Minting

    /// The host's own first.
    private var wanted: [SpiffeID] {
        guard let node else { return [] }
        return [node.identity] + offered.union(requested.keys).subtracting([node.identity]).sorted()
    }

    /// Mints everything anew, as when the chain above has changed.
    func mintAll() {
        for identity in wanted { _ = mint(identity) }
        _ = dropUnwanted()
    }

    /// - Returns: whether there is something new.
    private func mintMissing() -> Bool {
        var isChanged = false
        for identity in wanted where leaves[identity] == nil { isChanged = mint(identity) || isChanged }
        return isChanged
    }

    /// Mints one. A failure is tried again by the schedule, unless there never was one: then it is asked for again.
    func mint(_ identity: SpiffeID) -> Bool {
        guard let node else { return false }
        var rng = randomness
        do {
            let leaf = try node.mint(identity, lifetime: lifetimes.leaf, now: now, using: &rng)
            leaves[identity] = leaf
            schedule.hold(.leaf(identity), leaf.validity, using: &rng)
            return true
        } catch {
            schedule.failed(.leaf(identity), now: now, using: &rng)
            count("leaf-failed")
            logger.debug("certificate not minted", metadata: ["identity": "\(identity)", "error": "\(error)"])
            return false
        }
    }

    private func dropUnwanted() -> Bool {
        let unwanted = Set(leaves.keys).subtracting(wanted)
        for identity in unwanted {
            leaves[identity] = nil
            schedule.drop(.leaf(identity))
        }
        return !unwanted.isEmpty
    }

    /// Gives event loops what this host is and trusts now.
    func publishSnapshot() {
        guard let node, let trusted, let host = leaves[node.identity] else { return }
        let workloads = leaves.filter { $0.key != node.identity }.sorted { $0.key < $1.key }.map(\.value)
        do {
            let next = try contexts.snapshot(host: host, workloads: workloads, bundle: trusted)
            snapshot = next
            publish(next)
        } catch {
            logger.error("certificates not published", metadata: ["error": "\(error)"])
        }
    }

    func count(_ outcome: String) { outcomes[outcome, default: 0] += 1 }
}

internal import HTTPTypes
internal import Logging
internal import WeftAPI
internal import WeftCore
internal import WeftIdentity

/// Meshes that begin on this host.
extension IdentityController {
    /// Makes a mesh of one, and makes it this host's once it is kept.
    func found(_ mesh: MeshName?) throws {
        var rng = randomness
        let mesh = mesh ?? Self.madeUpName(using: &rng)
        let authority = try MeshAuthority.found(mesh, now: now, lifetimes: lifetimes, using: &rng)
        let key = state?.node == nil ? state?.key ?? NodeKey() : NodeKey()
        let chain = try authority.sign(
            key.request(for: SpiffeID(mesh: mesh, node: name)),
            allowed: nil,
            now: now,
            lifetimes: lifetimes,
            using: &rng
        )
        let node = try NodeIdentity(key: key, chain: chain)
        var next = IdentityState(key: key, node: node, bundle: try authority.signedBundle(), authority: authority)
        PoolKeys(using: &rng).keep(in: &next)
        try keep(next)
        forgetServices()
        take(node, trusting: authority.bundle)
        logger.notice("mesh founded", metadata: ["mesh": "\(mesh)", "name": "\(name)"])
    }

    /// `mesh-` and 8 hexadecimal digits.
    private static func madeUpName(using rng: inout EnvironmentRandomness) -> MeshName {
        let digits = String(UInt32.random(in: 0 ... .max, using: &rng), radix: 16)
        let text = "mesh-" + String(repeating: "0", count: 8 - digits.utf8.count) + digits
        guard let name = MeshName(text) else { preconditionFailure("\(text) is no name of a mesh") }
        return name
    }

    /// The host's name has changed. A host that holds the authority signs for its new name; others need a token.
    func rename(from before: NodeName, trusting bundle: TrustBundle) throws {
        guard var next = state, let authority = next.authority, authority.isCurrent else {
            throw RenamedHost(before: before, after: name)
        }
        var rng = randomness
        let chain = try authority.sign(
            next.key.request(for: SpiffeID(mesh: authority.mesh, node: name)),
            allowed: nil,
            now: now,
            lifetimes: lifetimes,
            using: &rng
        )
        let node = try NodeIdentity(key: next.key, chain: chain)
        next.node = node
        try keep(next)
        take(node, trusting: bundle)
        logger.notice("host renamed", metadata: ["before": "\(before)", "name": "\(name)"])
    }

    /// What was offered and asked for belongs to the mesh of before; services come again with the next snapshot.
    func forgetServices() {
        let services = offered
        requested = [:]
        offered = []
        guard let mesh = state?.node?.mesh else { return }
        offered = Set(services.compactMap { $0.moved(to: mesh) })
    }

    // MARK: API

    /// Names the mesh of one, or makes a fresh one. Nothing is done when it has the name already.
    func up(_ request: UpRequest) async throws -> UpResponse {
        var wanted: MeshName?
        if let text = request.name {
            guard let name = MeshName(text) else { throw APIFailure.badMeshName(text) }
            wanted = name
        }
        if trusted == nil { try loadAgain() }
        if let node, wanted == nil || wanted == node.mesh {
            return UpResponse(mesh: node.mesh.text, node: name.text, isNew: false)
        }
        try requireAlone(next: "sudo weft leave on the other hosts, or sudo systemd/uninstall here")
        try begin()
        defer { isBusy = false }
        do {
            try found(wanted)
        } catch {
            throw APIFailure.failed("the mesh was not founded: \(error)")
        }
        scheduleWake()
        await link?.identityChanged()
        return UpResponse(mesh: node?.mesh.text ?? "", node: name.text, isNew: true)
    }

    /// One long command at a time.
    func begin() throws(APIFailure) {
        guard !isBusy else {
            throw APIFailure(
                .conflict,
                code: "busy",
                text: "another command is changing this host's identity",
                next: "weft status"
            )
        }
        isBusy = true
    }

    /// Hosts that are alive in this host's mesh, without itself.
    var companions: [MeshMember] {
        members.filter { !$0.isSelf && $0.isAlive && $0.isWeft && $0.tags.mesh != nil && $0.tags.mesh == node?.mesh }
    }

    /// Throws when others depend on the mesh.
    func requireAlone(next: String) throws(APIFailure) {
        let names = companions.map(\.name).sorted()
        guard !names.isEmpty, let mesh = node?.mesh else { return }
        let shown = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", ..." : "")
        throw APIFailure(
            .conflict,
            code: "mesh-not-alone",
            text:
                "this host is in the mesh \(mesh) with \(names.count == 1 ? "another host" : "\(names.count) others") "
                + "(\(shown))",
            next: next
        )
    }
}

extension SpiffeID {
    /// The same workload in another mesh; nil for hosts.
    fileprivate func moved(to mesh: MeshName) -> SpiffeID? {
        guard let tenant, let service else { return nil }
        return SpiffeID(mesh: mesh, tenant: tenant, service: service)
    }
}

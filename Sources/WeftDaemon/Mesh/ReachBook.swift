internal import FoundationEssentials
internal import Logging
internal import WeftAPI
internal import WeftCatalog
internal import WeftCore
internal import WeftHost
internal import WeftTransport

/// Which hosts of the mesh were ever reached by a tunnel, and where their services are: from the first tunnel on, such a
/// host is never sent to in clear again, across restarts of weftd too.
///
/// Also tries hosts that no tunnel has reached, as soon as they are known and then again and again, so that the first
/// connection to one has not to find out by itself. An actor off the event loops; what it knows goes to them as
/// `TunnelNodes`.
actor ReachBook {
    /// What the book has the data plane do.
    struct Actions: Sendable {
        let publish: @Sendable (TunnelNodes) -> Void
        /// Nil when a tunnel came to stand.
        let probe: @Sendable (NodeName, NetworkAddress) async throws -> TunnelFailure?
        let closeTunnels: @Sendable (IPAddress) -> Void
    }

    private let actions: Actions
    private let path: String
    private let logger: Logger

    private var peers: [NodeName: MeshPeer] = [:]
    private var reached: [NodeName: [NetworkAddress: GuardedEndpoint]] = [:]
    /// Why hosts could not be reached the last time they were tried.
    private var failures: [NodeName: TunnelFailure] = [:]
    private var snapshot = MeshSnapshot()
    /// The mesh of this host; hosts of others are not tried.
    private var mesh: MeshName?
    private var prober: Task<Void, Never>?
    private var probing: Set<NodeName> = []
    private var published = TunnelNodes()
    private var isSyncDue = false

    /// How often a host that could not be reached is tried again.
    private static let probeInterval = Duration.seconds(10)
    /// Changes come in swarms.
    private static let syncDelay = Duration.milliseconds(200)
    private static let fileBytesMax = 64 << 20
    /// Kept between two starts.
    private struct State: Codable {
        struct Endpoint: Codable {
            var address: String
            var service: String
            var tenant: String
        }

        /// The mesh whose hosts these are.
        var mesh: String?
        var nodes: [String: [Endpoint]]
    }

    init(stateDirectory: String, logger: Logger, actions: Actions) {
        self.actions = actions
        self.path = stateDirectory + "/reached"
        self.logger = logger
    }

    /// Remembers what was known at the last stop. What cannot be read is started anew, with a warning.
    func start() {
        do {
            if let bytes = try BoundedFile.read(path, limit: Self.fileBytesMax) {
                restore(try JSONDecoder().decode(State.self, from: Data(bytes)))
            }
        } catch {
            logger.error("the hosts reached before are not known", metadata: ["file": "\(path)", "error": "\(error)"])
        }
        publish()
        prober = Task {
            while !Task.isCancelled {
                probe(failures.keys.sorted())
                // Cancelled means that weftd stops.
                try? await Task.sleep(for: Self.probeInterval)
            }
        }
    }

    func stop() { prober?.cancel() }

    // MARK: What becomes known

    /// The mesh that this host is of, by its certificate.
    func adopt(mesh: MeshName) {
        guard self.mesh != mesh else { return }
        // Another mesh has other hosts, be their names the same.
        if self.mesh != nil {
            reached = [:]
            failures = [:]
            save()
        }
        self.mesh = mesh
        publish()
        probeUnknown()
    }

    /// All weft hosts of the pool.
    func adopt(_ peers: [MeshPeer]) {
        let before = self.peers
        self.peers = Dictionary(peers.map { ($0.node, $0) }, uniquingKeysWith: { $1 })
        for (node, peer) in before where self.peers[node]?.address != peer.address {
            actions.closeTunnels(peer.address)
        }
        for peer in peers where peer.state == .left && peer.mesh == nil {
            // It said that it leaves the mesh, as opposed to a restart: it is an ordinary host again.
            if reached.removeValue(forKey: peer.node) != nil { save() }
        }
        failures = failures.filter { self.peers[$0.key]?.state == .alive }
        publish()
        probeUnknown()
        scheduleSync()
    }

    /// What is offered where.
    func adopt(_ snapshot: MeshSnapshot) {
        self.snapshot = snapshot
        scheduleSync()
    }

    /// The event loops, or a probe, got through.
    func reached(_ node: NodeName) {
        failures[node] = nil
        guard reached[node] == nil else { return }
        reached[node] = endpoints(of: [node])[node] ?? [:]
        logger.notice("tunnel", metadata: ["name": "\(node)", "reach": "reached"])
        save()
        publish()
    }

    func unreached(_ node: NodeName, _ failure: TunnelFailure) {
        guard reached[node] == nil else { return }
        if failures.updateValue(failure, forKey: node) == nil {
            logger.warning("tunnel", metadata: ["name": "\(node)", "reach": "closed", "error": "\(failure)"])
        }
        publish()
    }

    // MARK: For people

    func wasReached(_ node: NodeName) -> Bool { reached[node] != nil }

    /// Where a host of this mesh listens for tunnels; nil for others.
    func tunnelPort(of node: NodeName) -> UInt16? { published.nodes[node].flatMap { $0.mesh == mesh ? $0.port : nil } }

    /// Hosts of the mesh that are sent to in clear, with the reason.
    func problems(isStrict: Bool) -> [Problem] {
        failures.sorted { $0.key < $1.key }.prefix(5).map { node, failure in
            let port = peers[node]?.tunnelPort ?? 15_008
            return Problem(
                code: "tunnel-closed",
                severity: isStrict ? .error : .warning,
                text: "traffic to host \(node) \(isStrict ? "is refused" : "goes in clear"): its TCP port \(port) "
                    + "cannot be used from here (\(failure))",
                next: "on \(node): sudo nft insert rule inet filter input tcp dport \(port) accept"
            )
        }
    }

    // MARK: Probing

    private func probeUnknown() {
        probe(peers.keys.filter { reached[$0] == nil && failures[$0] == nil }.sorted())
    }

    private func probe(_ nodes: [NodeName]) {
        guard let mesh else { return }
        for node in nodes where !probing.contains(node) {
            guard let peer = peers[node], peer.state == .alive, peer.mesh == mesh, let port = peer.tunnelPort else {
                continue
            }
            probing.insert(node)
            Task { await probe(node, at: NetworkAddress(peer.address, port: port)) }
        }
    }

    private func probe(_ node: NodeName, at address: NetworkAddress) async {
        defer { probing.remove(node) }
        do {
            switch try await actions.probe(node, address) {
            case nil: reached(node)
            case .cancelled?: break
            case let failure?: unreached(node, failure)
            }
        } catch {
            logger.debug("tunnel not tried", metadata: ["name": "\(node)", "error": "\(error)"])
        }
    }

    // MARK: Publishing and keeping

    private func publish() {
        var nodes: [NodeName: TunnelNodes.Node] = [:]
        for (node, peer) in peers {
            guard let port = peer.tunnelPort else { continue }
            let reach: TunnelNodes.Reach =
                reached[node] != nil ? .reached : failures[node] != nil ? .closed : .unknown
            nodes[node] = TunnelNodes.Node(
                mesh: peer.mesh ?? (peer.state == .alive ? nil : mesh),
                port: port,
                reach: reach
            )
        }
        // Those that gossip does not know (any more) are still not sent to in clear.
        for node in reached.keys where nodes[node] == nil {
            nodes[node] = TunnelNodes.Node(mesh: mesh, port: peers[node]?.tunnelPort ?? 15_008, reach: .reached)
        }
        let guarded = reached.values.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: { first, _ in first }) }
        let next = TunnelNodes(nodes: nodes, guarded: guarded)
        guard next != published else { return }
        published = next
        actions.publish(next)
    }

    private func scheduleSync() {
        guard !isSyncDue, !reached.isEmpty else { return }
        isSyncDue = true
        Task {
            // Nobody cancels this.
            try? await Task.sleep(for: Self.syncDelay)
            sync()
        }
    }

    /// Follows where hosts that are alive offer their services; of the others, the last word holds.
    private func sync() {
        isSyncDue = false
        let alive = Set(reached.keys.filter { peers[$0]?.state == .alive })
        let current = endpoints(of: alive)
        var hasChanged = false
        for node in alive where reached[node] != current[node, default: [:]] {
            reached[node] = current[node, default: [:]]
            hasChanged = true
        }
        guard hasChanged else { return }
        save()
        publish()
    }

    private func endpoints(of nodes: Set<NodeName>) -> [NodeName: [NetworkAddress: GuardedEndpoint]] {
        var found: [NodeName: [NetworkAddress: GuardedEndpoint]] = [:]
        for endpoint in snapshot.services.flatMap(\.groups).flatMap(\.endpoints) {
            guard let node = endpoint.node, nodes.contains(node) else { continue }
            let guarded = GuardedEndpoint(node: node, service: endpoint.service, tenant: endpoint.tenant)
            for ip in endpoint.addresses {
                found[node, default: [:]][NetworkAddress(ip, port: endpoint.port)] = guarded
            }
        }
        return found
    }

    private func save() {
        let nodes = reached.map { node, endpoints in
            let list = endpoints.sorted { $0.key < $1.key }.map {
                State.Endpoint(
                    address: $0.key.description,
                    service: $0.value.service.text,
                    tenant: $0.value.tenant.text
                )
            }
            return (node.text, list)
        }
        do {
            let state = State(mesh: mesh?.text, nodes: Dictionary(nodes, uniquingKeysWith: { first, _ in first }))
            try AtomicFile.write(Array(try JSONEncoder().encode(state)), to: path, mode: 0o600)
        } catch {
            logger.error("the hosts reached were not saved", metadata: ["file": "\(path)", "error": "\(error)"])
        }
    }

    private func restore(_ state: State) {
        mesh = state.mesh.flatMap(MeshName.init)
        for (name, endpoints) in state.nodes {
            guard let node = NodeName(name) else { continue }
            reached[node] = [:]
            for endpoint in endpoints {
                guard let address = NetworkAddress(endpoint.address), let service = ServiceName(endpoint.service),
                    let tenant = TenantName(endpoint.tenant)
                else { continue }
                reached[node]?[address] = GuardedEndpoint(node: node, service: service, tenant: tenant)
            }
        }
    }
}

extension ReachBook.Actions {
    init(_ plane: DataPlane) {
        self.init(
            publish: { plane.publish($0) },
            probe: { try await plane.probe($0, at: $1) },
            closeTunnels: { plane.closeTunnels(to: $0) }
        )
    }
}

internal import NIOCore
internal import WeftCatalog
internal import WeftCore
internal import WeftIdentity
internal import WeftProxy

/// The tunnels of one event loop, both ways, with what decides about them: identities, rules, and what is known of the
/// other hosts. Part of `DataLoop`, and confined to its loop.
final class LoopTunnels {
    let eventLoop: any EventLoop
    let node: NodeName?
    let hooks: TunnelHooks
    private let trust = MeshTrust()
    let pool: TunnelPool
    /// Set once, by the loop that is the server's host.
    private(set) var server: TunnelServer?

    private(set) var rules = AccessRules()
    /// Other names of units' services, as the host configuration gives them.
    private var renames: [ServiceName: ServiceName] = [:]
    /// What is known of the other hosts.
    var nodes = TunnelNodes() {
        didSet { newlyReached = newlyReached.filter { nodes.nodes[$0]?.reach ?? .reached != .reached } }
    }
    /// What `identity(of:)` has found out.
    private var callers: [Workload: SpiffeID] = [:]
    private static let callersMax = 1024
    /// Hosts that were reached since `nodes` came.
    private var newlyReached: Set<NodeName> = []

    init(
        eventLoop: any EventLoop,
        node: NodeName?,
        limits: TunnelLimits,
        hooks: TunnelHooks,
        prepare: @escaping (RawSocket) throws -> Void
    ) {
        self.eventLoop = eventLoop
        self.node = node
        self.hooks = hooks
        self.pool = TunnelPool(eventLoop: eventLoop, limits: limits, trust: trust, prepare: prepare)
    }

    var identity: IdentitySnapshot? { trust.identity }

    func serve(as host: any TunnelHost, join: JoinServer?, ownPorts: Set<UInt16>) {
        server = TunnelServer(
            eventLoop: eventLoop,
            limits: pool.limits,
            trust: trust,
            host: host,
            join: join.map { join in { [trust] channel in try trust.adopt(channel, for: join) } },
            ownPorts: ownPorts
        )
    }

    // MARK: What the control side publishes

    /// New certificates, roots or revocations: live tunnels are looked at again.
    func adopt(_ identity: IdentitySnapshot) {
        trust.identity = identity
        callers = [:]
        pool.recheck(trust.standing)
        server?.recheck(trust.standing)
    }

    func adopt(_ rules: AccessRules, renames: [ServiceName: ServiceName]) {
        self.rules = rules
        self.renames = renames
        callers = [:]
    }

    // MARK: Who is who

    /// Who a process of this host is to others. The host itself stands for what is no system unit: any user could take
    /// any name.
    func identity(of workload: Workload) -> SpiffeID? {
        guard let mesh = identity?.mesh else { return nil }
        if let known = callers[workload] { return known }
        var caller = identity?.host
        if workload.isSystemUnit, let unit = workload.unit, let name = ServiceFinder.defaultName(ofUnit: unit) {
            caller = SpiffeID(mesh: mesh, tenant: workload.tenant, service: renames[name] ?? name)
        }
        if callers.count >= Self.callersMax { callers = [:] }
        callers[workload] = caller
        return caller
    }

    /// Who stands behind a service.
    func identity(of service: ServiceName?, _ tenant: TenantName?) -> SpiffeID? {
        guard let mesh = identity?.mesh, let service, let tenant else { return nil }
        return SpiffeID(mesh: mesh, tenant: tenant, service: service)
    }

    // MARK: The end

    /// Takes no more streams either way; those that are open go on.
    func drain() {
        pool.drain()
        server?.drain()
    }

    /// Ends everything now.
    func stop() {
        pool.stop()
        server?.stop()
    }

    var report: TunnelReport {
        TunnelReport(
            outbound: pool.counters,
            inbound: server?.counters ?? TunnelServerCounters(),
            outboundLoad: pool.load,
            inboundLoad: server?.load ?? (0, 0)
        )
    }

    // MARK: Reach

    func reach(of node: NodeName) -> TunnelNodes.Reach {
        newlyReached.contains(node) ? .reached : nodes.nodes[node]?.reach ?? .unknown
    }

    func countReached(_ node: NodeName) {
        guard reach(of: node) != .reached else { return }
        newlyReached.insert(node)
        hooks.reached(node)
    }

    /// Tries whether a host can be reached by a tunnel: any answer to a CONNECT means that it can.
    func probe(_ node: NodeName, at address: NetworkAddress, then completion: @escaping (TunnelFailure?) -> Void) {
        guard let identity else { return completion(.cancelled(.abandoned)) }
        let host = SpiffeID(mesh: identity.mesh, node: node)
        let key = TunnelKey(source: identity.host, destination: host, node: address)
        pool.open(Self.nowhere, along: key) { result in
            switch result {
            case .success(let stream):
                stream.abandon()
                completion(nil)
            case .failure(let failure): completion(failure.isPeersWord ? nil : failure)
            }
        }
    }

    /// No host has this name (RFC 6761, section 6.4), so that every server answers that it cannot be reached.
    private static let nowhere = TunnelAuthority.host("reach.weft.invalid", port: 1)
}

extension TunnelFailure {
    /// Whether the peer said this about one stream, in a tunnel that stood.
    package var isPeersWord: Bool {
        switch self {
        case .denied, .refused, .reset, .notServed, .timedOut(.answer): true
        default: false
        }
    }
}

import Logging
import Synchronization
import WeftCatalog
import WeftCore
import WeftIdentity
import WeftProxy
import WeftTransport

/// Two hosts of one mesh on loopback: a caller's data plane whose every connection goes to one application, and the data
/// plane of the application's host. Certificates, tunnels and rules are real; the kernel's redirect is not.
struct TwoHosts {
    let caller: DataPlane
    let callee: DataPlane
    /// Where programs of the caller's host are captured.
    let entry: NetworkAddress
    /// Where the callee's host listens for tunnels.
    let tunnelPort: UInt16
    let application: TestSocket
    let address: NetworkAddress
    let mesh: TestIdentities
    let log: HookLog

    static let web = SpiffeID("spiffe://prod/ns/system/sa/web")
    static let api = SpiffeID("spiffe://prod/ns/system/sa/api")

    /// Runs `body`, with the caller knowing as much of the callee as `reach` says.
    static func run(
        reach: TunnelNodes.Reach = .unknown,
        isListening: Bool = true,
        rules: AccessRules = AccessRules(),
        callerRules: AccessRules = AccessRules(),
        _ body: (TwoHosts) async throws -> Void
    ) async throws {
        let mesh = try TestIdentities()
        let log = HookLog()
        let (application, address) = try TestSocket.listener()
        let (service, apiName) = (ServiceName("api"), NodeName("b"))
        guard let service, let apiName, let callerName = NodeName("a") else { throw TestError("bad names") }
        let (callee, tunnels) = try await plane(.tunnel, node: apiName, to: address, log: nil) { plane in
            plane.publish(try mesh.snapshot(of: "b", workloads: ["api"]))
            plane.publish(rules, renames: [:])
        }
        let (caller, entry) = try await plane(.outbound, node: callerName, to: address, log: log) { plane in
            plane.publish(try mesh.snapshot(of: "a", workloads: []))
            plane.publish(callerRules, renames: [:])
        }
        let known = TunnelNodes.Node(mesh: mesh.name, port: isListening ? tunnels.port : 1, reach: reach)
        caller.publish(
            TunnelNodes(
                nodes: [apiName: known],
                guarded: [address: GuardedEndpoint(node: apiName, service: service, tenant: .system)]
            )
        )
        log.onLeaf = { identity in
            // The control side publishes before it answers.
            guard let snapshot = try? mesh.snapshot(of: "a", workloads: [identity.account]) else { return false }
            caller.publish(snapshot)
            return true
        }
        callee.publish(
            MeshSnapshot(localServices: [LocalService(api: service, at: address)], ownAddresses: [.loopbackV4])
        )
        let hosts = TwoHosts(
            caller: caller,
            callee: callee,
            entry: entry,
            tunnelPort: tunnels.port,
            application: application,
            address: address,
            mesh: mesh,
            log: log
        )
        do {
            try await body(hosts)
        } catch {
            try await caller.stop()
            try await callee.stop()
            throw error
        }
        try await caller.stop()
        try await callee.stop()
    }

    private static func plane(
        _ kind: CaptureListener.Kind,
        node: NodeName,
        to destination: NetworkAddress,
        log: HookLog?,
        _ prepare: (DataPlane) throws -> Void
    ) async throws -> (DataPlane, NetworkAddress) {
        let listener = try CaptureListener(kind: kind, address: NetworkAddress(.loopbackV4, port: 0))
        let address = try RawSocket(listener.descriptor).localAddress()
        let plane = try await DataPlane.start(
            loopCount: 2,
            listeners: [CaptureListener(kind: kind, address: address, adopting: listener.descriptor)],
            settings: CarryTests.settings(),
            // Loopback is not this host's own here: it stands for a network.
            snapshot: MeshSnapshot(ownAddresses: []),
            makeLookup: { FixedLookup(destination) },
            resolveWorkload: { $1(CarryTests.unit) },
            node: node,
            hooks: log?.hooks ?? .none,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try prepare(plane)
        try await plane.accept()
        return (plane, address)
    }

    /// Polls until a plane has recorded `count` connections.
    static func decisions(_ plane: DataPlane, _ count: Int = 1) async throws -> [Decision] {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            let decisions = try await plane.decisions(last: 100)
            if decisions.count >= count { return decisions }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TestError("fewer than \(count) decisions after 10 s")
    }
}

extension LocalService {
    fileprivate init(api name: ServiceName, at address: NetworkAddress) {
        self.init(
            name: name,
            unit: "api.service",
            tenant: .system,
            uid: UserID(0),
            port: address.port,
            addresses: [address.ip],
            isExposed: true,
            labels: [:],
            protocolHint: nil
        )
    }
}

/// What the event loops asked of the control side.
final class HookLog: Sendable {
    private struct State {
        var leaves: [SpiffeID] = []
        var reached: [NodeName] = []
        var unreached: [NodeName] = []
        var onLeaf: (@Sendable (SpiffeID) -> Bool)?
    }

    private let state = Mutex(State())

    var leaves: [SpiffeID] { state.withLock { $0.leaves } }
    var reached: [NodeName] { state.withLock { $0.reached } }
    var unreached: [NodeName] { state.withLock { $0.unreached } }

    var onLeaf: (@Sendable (SpiffeID) -> Bool)? {
        get { state.withLock { $0.onLeaf } }
        set { state.withLock { $0.onLeaf = newValue } }
    }

    var hooks: TunnelHooks {
        TunnelHooks(
            requestLeaf: { identity, completion in
                let onLeaf = self.state.withLock { state in
                    state.leaves.append(identity)
                    return state.onLeaf
                }
                completion(onLeaf?(identity) ?? false)
            },
            reached: { node in self.state.withLock { $0.reached.append(node) } },
            unreached: { node, _ in self.state.withLock { $0.unreached.append(node) } }
        )
    }
}

/// The mesh `prod` and its hosts' identities.
final class TestIdentities: Sendable {
    let name: MeshName
    private let state: Mutex<State>

    private struct State {
        var authority: MeshAuthority
        var nodes: [String: NodeIdentity] = [:]
        var rng = SystemRandomNumberGenerator()
    }

    init() throws {
        guard let name = MeshName("prod") else { throw TestError("bad name") }
        self.name = name
        var rng = SystemRandomNumberGenerator()
        self.state = Mutex(State(authority: try MeshAuthority.found(name, now: .now(), using: &rng)))
    }

    /// What a host publishes to its loops.
    func snapshot(of host: String, workloads: [String]) throws -> IdentitySnapshot {
        try state.withLock { state in
            let node = try Self.node(host, name, &state)
            let hostLeaf = try node.mint(node.identity, now: .now(), using: &state.rng)
            let leaves = try workloads.map { workload in
                guard let identity = SpiffeID("spiffe://\(name)/ns/system/sa/\(workload)") else {
                    throw TestError("bad name")
                }
                return try node.mint(identity, now: .now(), using: &state.rng)
            }
            return try TLSContexts().snapshot(
                host: hostLeaf,
                workloads: leaves,
                bundle: state.authority.bundle
            )
        }
    }

    func revoke(_ host: String) throws {
        guard let node = NodeName(host) else { throw TestError("bad name") }
        try state.withLock { try $0.authority.revoke(node, now: .now()) }
    }

    private static func node(_ host: String, _ mesh: MeshName, _ state: inout State) throws -> NodeIdentity {
        if let known = state.nodes[host] { return known }
        guard let name = NodeName(host) else { throw TestError("bad name") }
        let key = NodeKey()
        let request = try key.request(for: SpiffeID(mesh: mesh, node: name))
        let chain = try state.authority.sign(request, allowed: nil, now: .now(), using: &state.rng)
        let node = try NodeIdentity(key: key, chain: chain)
        state.nodes[host] = node
        return node
    }
}

import Logging
import Synchronization
import Testing
import WeftAPI
import WeftCatalog
import WeftConfig
import WeftCore
import WeftIdentity
import WeftTransport

@testable import WeftDaemon

/// Hosts with real identities in one process: a network that is a function call, one clock that only tests move, and a
/// pool in which everybody sees everybody's tags at once.
final class TestWorld: Sendable {
    private struct State {
        var now = WallTime(millisecondsSince1970: 1_795_305_600_000)
        var hosts: [String: TestHost] = [:]
        /// Stock agents, in every pool.
        var strangers: [MeshMember] = []
        var exchanges: [String] = []
        var loseAnswers = 0
    }

    private let state = Mutex(State())

    var now: WallTime { state.withLock { $0.now } }

    var hosts: [TestHost] { state.withLock { state in state.hosts.values.sorted { $0.name < $1.name } } }

    /// First lines of all requests to join services, with who asked whom.
    var exchanges: [String] { state.withLock { $0.exchanges } }

    func advance(_ duration: Duration) { state.withLock { $0.now = $0.now.advanced(by: duration) } }

    func add(stranger: MeshMember) { state.withLock { $0.strangers.append(stranger) } }

    func removeStrangers() { state.withLock { $0.strangers = [] } }

    /// The next answers get lost on their way, after the service has done its work.
    func loseAnswers(_ count: Int) { state.withLock { $0.loseAnswers = count } }

    // MARK: Hosts

    /// A host that has started; its address is 10.0.0.NUMBER.
    @discardableResult
    func host(
        _ name: String,
        _ number: UInt32,
        files: TestFiles = TestFiles(),
        configure: (inout Configuration) -> Void = { _ in }
    ) async throws -> TestHost {
        var configuration = Configuration()
        configure(&configuration)
        let host = try TestHost(name, number, files: files, configuration: configuration, world: self)
        state.withLock { $0.hosts[name] = host }
        await host.controller.connect(to: TestLink(host: host, world: self))
        await host.controller.start()
        await refresh()
        return host
    }

    func remove(_ host: TestHost) { state.withLock { $0.hosts[host.name] = nil } }

    /// A mesh of these hosts, the first of which founded it.
    func mesh(_ names: String..., configure: (inout Configuration) -> Void = { _ in }) async throws -> [TestHost] {
        var hosts: [TestHost] = []
        for (index, name) in names.enumerated() {
            let host = try await host(name, UInt32(index + 1), configure: configure)
            if let first = hosts.first { _ = try await host.join(token(of: first)) }
            hosts.append(host)
        }
        return hosts
    }

    func token(of host: TestHost, uses: Int = 1, allow: [String]? = nil, seconds: Int = 3600) async throws -> String {
        try await host.controller.makeToken(
            TokenRequest(validSeconds: seconds, uses: uses, allow: allow, addresses: [])
        ).token
    }

    // MARK: The network

    func ask(
        _ message: [UInt8],
        _ address: NetworkAddress,
        _ trust: JoinTrust,
        from source: TestHost
    ) async throws(JoinClientError) -> JoinReply {
        guard let target = hosts.first(where: { $0.address == address.ip }), target.isUp, target.isOpen, source.isUp,
            address.port == target.configuration.security.port
        else { throw .unreachable(address, .connectTimeout) }
        let line = String(decoding: message.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        state.withLock { $0.exchanges.append("\(source.name) \(line) \(target.name)") }
        guard let shown = target.shown else { throw .tlsFailed(address, reason: "closed") }
        let (root, peer) = try Self.verify(shown, address, trust, now: source.now)
        let bytes = await target.controller.serve(message, from: NetworkAddress(source.address, port: 40_000))
        let isLost = state.withLock { state in
            guard state.loseAnswers > 0 else { return false }
            state.loseAnswers -= 1
            return true
        }
        guard !bytes.isEmpty, !isLost else { throw .noAnswer(address) }
        return JoinReply(
            bytes: bytes,
            root: root,
            peer: peer,
            chain: shown.compactMap { try? MeshCertificate(der: $0) }
        )
    }

    private static func verify(
        _ shown: [[UInt8]],
        _ address: NetworkAddress,
        _ trust: JoinTrust,
        now: WallTime
    ) throws(JoinClientError) -> (MeshCertificate?, VerifiedPeer) {
        do {
            switch trust {
            case .pin(let pin):
                let (root, peer) = try pin.verify(shown, now: now)
                return (root, peer)
            case .verifier(let verifier): return (nil, try verifier.verify(shown, as: .server, now: now))
            }
        } catch {
            throw .peerRefused(address, error)
        }
    }

    // MARK: The pool

    /// Has everybody see everybody's tags.
    func refresh() async {
        for host in hosts { await host.updateTags() }
        for host in hosts where host.isUp { await host.controller.membersChanged(members(for: host)) }
    }

    private func members(for host: TestHost) -> [MeshMember] {
        let others = hosts.filter { $0.pool == host.pool || $0 === host }.map { $0.member(isSelf: $0 === host) }
        return (others + state.withLock { $0.strangers }).sorted { $0.name < $1.name }
    }

    /// Lets time pass, second by second, with everything that is due in it.
    func pass(seconds: Int, step: Int = 1) async {
        for _ in stride(from: 0, to: seconds, by: step) {
            advance(.seconds(step))
            for host in hosts where host.isUp { await host.controller.wake() }
            await settle()
        }
    }

    /// Until what was set going has come to rest.
    func settle() async {
        for _ in 0..<3 {
            // Messages to others are sent by tasks; a few rounds of the pool let them run.
            for _ in 0..<10 { await Task.yield() }
            await refresh()
        }
    }

    func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        for _ in 0..<500 {
            if try await condition() { return }
            await refresh()
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("never: \(what)")
    }

    func stop() async {
        for host in hosts {
            await host.controller.stop()
            host.controller.executor.stop()
        }
    }
}

/// One of its hosts.
final class TestHost: Sendable {
    private struct State {
        var isUp = true
        var isOpen = true
        var offset = Duration.zero
        var pool: String
        var tags = IdentityTags()
        var published: [IdentitySnapshot] = []
    }

    let name: String
    let address: IPAddress
    let files: TestFiles
    let configuration: Configuration
    let controller: IdentityController
    private let world: TestWorld
    private let state: Shared

    /// Made before the controller, which publishes into it.
    private final class Shared: Sendable {
        let value: Mutex<State>
        let source = Mutex<TestHost?>(nil)

        init(pool: String) { value = Mutex(State(pool: pool)) }
    }

    init(_ name: String, _ number: UInt32, files: TestFiles, configuration: Configuration, world: TestWorld) throws {
        let shared = Shared(pool: "pool of \(name)")
        let address = IPAddress.v4(0x0a00_0000 + number)
        var environment = IdentityEnvironment(
            joinClient: JoinClient(dialMark: nil, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }),
            reachProbe: ReachProbe(dialMark: nil)
        )
        environment.ask = { message, target, trust async throws(JoinClientError) in
            guard let source = shared.source.withLock({ $0 }) else { throw .noAnswer(target) }
            return try await world.ask(message, target, trust, from: source)
        }
        environment.now = { world.now.advanced(by: shared.value.withLock { $0.offset }) }
        environment.sleep = { _ in try await Task.sleep(for: .seconds(3600)) }
        environment.lookUp = { peer, port in
            guard case .ip(let ip) = peer.host else { throw PeerLookupError(name: "\(peer)", reason: "no such name") }
            return [NetworkAddress(ip, port: peer.port ?? port)]
        }
        environment.ownAddress = { address }
        environment.probe = { target, _ in
            let isOpen = world.hosts.first { $0.address == target.address }?.isOpen ?? false
            return ReachAnswers(tunnel: isOpen, gossipStream: true, gossipDatagram: true)
        }
        environment.files = files
        guard let node = NodeName(name) else { throw PeerLookupError(name: name, reason: "no name") }
        self.controller = try IdentityController(
            configuration: configuration,
            name: node,
            stateDirectory: "/var/lib/weft",
            environment: environment,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            publish: { snapshot in shared.value.withLock { $0.published.append(snapshot) } }
        )
        self.name = name
        self.address = address
        self.files = files
        self.configuration = configuration
        self.world = world
        self.state = shared
        shared.source.withLock { $0 = self }
    }

    var now: WallTime { world.now.advanced(by: state.value.withLock { $0.offset }) }
    var isUp: Bool { state.value.withLock { $0.isUp } }
    var isOpen: Bool { state.value.withLock { $0.isOpen } }
    var pool: String { state.value.withLock { $0.pool } }
    var tags: IdentityTags { state.value.withLock { $0.tags } }
    var published: [IdentitySnapshot] { state.value.withLock { $0.published } }
    var snapshot: IdentitySnapshot? { published.last }

    func setUp(_ isUp: Bool) { state.value.withLock { $0.isUp = isUp } }
    func setOpen(_ isOpen: Bool) { state.value.withLock { $0.isOpen = isOpen } }
    func setClock(_ offset: Duration) { state.value.withLock { $0.offset = offset } }
    func enter(_ pool: String) { state.value.withLock { $0.pool = pool } }

    /// What its join service shows in handshakes: the host's chain, crossings and roots.
    var shown: [[UInt8]]? {
        guard let snapshot, let leaf = snapshot.certificates.first(where: { $0.identity == snapshot.host }) else {
            return nil
        }
        let bundle = snapshot.verifier.bundle
        return (leaf.chain + bundle.crossings + bundle.roots).map(\.der)
    }

    func member(isSelf: Bool) -> MeshMember {
        MeshMember(
            name: name,
            address: address,
            state: isUp ? .alive : .failed,
            isSelf: isSelf,
            isWeft: true,
            tags: tags
        )
    }

    func updateTags() async {
        guard isUp else { return }
        let texts = await controller.poolTerms().tags
        let tags = IdentityTags { texts[$0] }
        state.value.withLock { $0.tags = tags }
    }

    @discardableResult
    func join(_ token: String, force: Bool = false) async throws -> TokenJoinResponse {
        try await controller.join(TokenJoinRequest(token: token, force: force))
    }
}

/// The pool as one host's identity reaches it.
struct TestLink: MeshLink {
    let host: TestHost
    let world: TestWorld

    func identityChanged() async { await host.updateTags() }

    func sendIdentity(_ payload: [UInt8], to node: NodeName) async {
        guard let target = world.hosts.first(where: { $0.name == node.text }), target.isUp, host.isUp,
            target.pool == host.pool, let source = NodeName(host.name)
        else { return }
        await target.controller.trustReceived(payload, from: source)
    }

    func move(to hosts: [PeerAddress]) async throws -> PoolMove {
        let target = world.hosts.first { candidate in hosts.contains { $0.host == .ip(candidate.address) } }
        guard let target, target.isUp else { return PoolMove(alive: 1, failures: ["nobody answered"]) }
        host.enter(target.pool)
        await world.refresh()
        return PoolMove(alive: world.hosts.filter { $0.pool == target.pool && $0.isUp }.count, failures: [])
    }
}

/// The code of the refusal that `body` ends with.
func refusal(_ body: () async throws -> Void) async -> ErrorResponse? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? APIFailure)?.answer
    }
}

/// A service of a host, as capture finds it.
func localService(_ name: String, tenant: String = "system") throws -> LocalService {
    LocalService(
        name: try #require(ServiceName(name)),
        unit: "\(name).service",
        tenant: try #require(TenantName(tenant)),
        uid: .root,
        port: 8080,
        addresses: [.anyV4],
        isExposed: true,
        labels: [:],
        protocolHint: nil
    )
}

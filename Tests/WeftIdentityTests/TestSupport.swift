import WeftCore
import WeftIdentity

/// A generator with a seed, so that serials and jitter are the same in every run (splitmix64, Vigna).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// A mesh with an authority, and a clock that only tests move.
struct TestMesh {
    var authority: MeshAuthority
    var rng: SeededGenerator
    var now: WallTime

    /// 2026-11-22T00:00:00Z.
    static let start = WallTime(millisecondsSince1970: 1_795_305_600_000)

    init(_ name: String = "prod", seed: UInt64 = 1, now: WallTime = start, lifetimes: Lifetimes = .standard) throws {
        var rng = SeededGenerator(seed)
        self.authority = try MeshAuthority.found(mesh(name), now: now, lifetimes: lifetimes, using: &rng)
        self.rng = rng
        self.now = now
    }

    /// A mesh on an authority that the test has made.
    init(authority: MeshAuthority, now: WallTime = start) {
        self.authority = authority
        self.rng = SeededGenerator(1)
        self.now = now
    }

    mutating func join(
        _ node: String,
        allowed: AllowedServices? = nil,
        lifetimes: Lifetimes = .standard
    ) throws -> NodeIdentity {
        let key = NodeKey()
        let identity = SpiffeID(mesh: authority.mesh, node: try nodeName(node))
        let request = try NodeRequest(der: key.request(for: identity).der)
        let chain = try authority.sign(request, allowed: allowed, now: now, lifetimes: lifetimes, using: &rng)
        return try NodeIdentity(key: key, chain: chain)
    }

    mutating func mint(
        _ service: String,
        tenant: String = "system",
        on node: NodeIdentity,
        lifetime: Duration = .seconds(86_400)
    ) throws -> WorkloadCertificate {
        let identity = try workload(service, tenant: tenant, mesh: authority.mesh.text)
        return try node.mint(identity, lifetime: lifetime, now: now, using: &rng)
    }

    var verifier: PeerVerifier { PeerVerifier(bundle: authority.bundle) }

    mutating func advance(_ duration: Duration) { now = now + duration }
}

func + (time: WallTime, duration: Duration) -> WallTime {
    WallTime(
        millisecondsSince1970: time.millisecondsSince1970 + duration.components.seconds * 1000
            + duration.components.attoseconds / 1_000_000_000_000_000
    )
}

extension Duration {
    static func hours(_ count: Int) -> Duration { .seconds(count * 3600) }
    static func days(_ count: Int) -> Duration { .hours(24 * count) }
}

extension WorkloadCertificate {
    var presented: [[UInt8]] { chain.map(\.der) }
}

struct BadName: Error {
    let text: String
}

func mesh(_ text: String) throws -> MeshName {
    guard let name = MeshName(text) else { throw BadName(text: text) }
    return name
}

func nodeName(_ text: String) throws -> NodeName {
    guard let name = NodeName(text) else { throw BadName(text: text) }
    return name
}

func workload(_ service: String, tenant: String = "system", mesh name: String = "prod") throws -> SpiffeID {
    guard let tenant = TenantName(tenant), let service = ServiceName(service) else { throw BadName(text: service) }
    return SpiffeID(mesh: try mesh(name), tenant: tenant, service: service)
}

import Testing
import WeftAPI
import WeftCatalog
import WeftCore
import WeftProxy

@testable import WeftDaemon
@testable import WeftTransport

@Suite("Rows of the API")
struct RowsTests {
    private static let web = Workload(
        unit: "web.service",
        slice: "shop-eu.slice",
        tenant: named("shop"),
        cgroupPath: "/shop.slice/shop-eu.slice/web.service"
    )

    static func named(_ tenant: String) -> TenantName {
        guard let name = TenantName(tenant) else { preconditionFailure("\(tenant) is no tenant") }
        return name
    }

    private static func service(_ name: String, unit: String, tenant: TenantName, port: UInt16 = 80) throws
        -> LocalService
    {
        LocalService(
            name: try #require(ServiceName(name)),
            unit: unit,
            tenant: tenant,
            uid: UserID(33),
            port: port,
            addresses: [.v4(0), .v6(high: 0, low: 1)],
            isExposed: true,
            labels: ["version": "2"],
            protocolHint: "http"
        )
    }

    private static let client = ClientAddress(NetworkAddress(.v4(0x0a00_0005), port: 41000))
    private static let destination = OriginalDestination(NetworkAddress(.v6(high: 0xfd00 << 48, low: 9), port: 8080))

    @Test("A service of this host, and one that only others offer")
    func serviceRows() throws {
        let own = try Self.service("web", unit: "web.service", tenant: Self.named("shop"))
        var builder = MeshBuilder()
        builder.setLocal(services: [own], ownAddresses: [.loopbackV4])
        var change = CatalogueChange()
        change.added = try [
            Self.remote("web", on: "db-1", healthy: false), Self.remote("api", on: "db-1", healthy: true),
        ]
        builder.apply(change)
        let snapshot = builder.build().snapshot
        let address = IPAddress.v4(0x0a00_0001)
        let rows = ServiceRow.rows(of: snapshot, node: "here", address: address) { _ in true }
        let web = try #require(rows.last)
        #expect(rows.map(\.name) == ["api", "web"])
        #expect(rows[0].unit == nil && rows[0].exposed && rows[0].addresses == [])
        #expect(web.unit == "web.service" && web.tenant == "shop" && web.addresses == ["0.0.0.0", "::1"])
        #expect(web.virtualAddresses.count == 2 && web.labels == ["version": "2"] && web.protocol == "http")
        #expect(
            web.endpoints == [
                EndpointRow(node: "here", address: "10.0.0.1", port: 80, healthy: true, labels: ["version": "2"]),
                EndpointRow(
                    node: "db-1",
                    address: "10.0.0.9",
                    port: 80,
                    healthy: false,
                    labels: [:],
                    speaker: "gossip"
                ),
            ]
        )
        // Who does not see the mesh sees its own services only.
        #expect(ServiceRow.rows(of: snapshot, node: "here", address: address) { $0 != nil } == [web])
    }

    private static func remote(_ name: String, on node: String, healthy: Bool) throws -> Endpoint {
        let service = try #require(ServiceName(name))
        return try #require(
            Endpoint(
                service: service,
                node: NodeName(node),
                port: 80,
                addresses: [.v4(0x0a00_0009)],
                isHealthy: healthy
            )
        )
    }

    @Test("A workload has its own services and traffic, ended and open, and nobody else's")
    func workloadRow() throws {
        var counters = TrafficCounters()
        func pair(_ source: String, _ tenant: String, _ destination: String) -> TrafficPair {
            TrafficPair(source: source, tenant: tenant, destination: destination, path: .outside)
        }
        let completed = Outcome(.completed, side: .client)
        for destination in ["api", "outside"] {
            for _ in 0..<3 { counters.opened(pair("web.service", "shop", destination)) }
            counters.closed(pair("web.service", "shop", destination), bytesOut: 10, bytesIn: 1, outcome: completed)
        }
        for (source, tenant) in [("web.service", "system"), ("other.service", "shop")] {
            counters.opened(pair(source, tenant, "api"))
            counters.closed(pair(source, tenant, "api"), bytesOut: 500, bytesIn: 500, outcome: completed)
        }
        let shop = Self.named("shop")
        let services = [
            try Self.service("zeta", unit: "web.service", tenant: shop),
            try Self.service("web", unit: "web.service", tenant: shop, port: 80),
            try Self.service("web", unit: "web.service", tenant: shop, port: 443),
            // Another tenant's unit of the same name, and another unit of the tenant.
            try Self.service("theirs", unit: "web.service", tenant: .system),
            try Self.service("api", unit: "api.service", tenant: shop),
        ]
        let unit = Workloads.Unit(name: "web.service", workload: Self.web)
        let expected = WorkloadRow(
            unit: "web.service",
            slice: "shop-eu.slice",
            tenant: "shop",
            processes: 7,
            services: ["web", "zeta"],
            connectionsOpen: 4,
            connectionsTotal: 6,
            bytesOut: 20,
            bytesIn: 2
        )
        #expect(WorkloadRow(unit, processes: 7, services: services, counters: counters) == expected)
        let idle = WorkloadRow(unit, processes: 0, services: [], counters: TrafficCounters())
        #expect(idle.services == [] && idle.connectionsTotal == 0 && idle.connectionsOpen == 0)
    }

    @Test("A source is a unit, the host, or an address only")
    func sourceRow() {
        let owner = SocketOwner(uid: UserID(33), inode: 9, cgroup: CgroupID(4))
        #expect(
            SourceRow(Source(workload: Self.web, owner: owner, address: Self.client), processID: 812)
                == SourceRow(unit: "web.service", uid: 33, tenant: "shop", pid: 812, address: "10.0.0.5:41000")
        )
        #expect(
            SourceRow(Source(workload: .host, owner: nil, address: Self.client), processID: nil)
                == SourceRow(unit: "host", uid: nil, tenant: "system", pid: nil, address: "10.0.0.5:41000")
        )
        #expect(
            SourceRow(Source(workload: nil, owner: nil, address: Self.client), processID: nil)
                == SourceRow(unit: nil, uid: nil, tenant: nil, pid: nil, address: "10.0.0.5:41000")
        )
    }

    private static let caller = SpiffeID("spiffe://prod/ns/shop/sa/web")

    @Test(
        "A live connection",
        arguments: [
            (Path.outside, RelayMachine.Phase.dialling, "outside", "dialling"), (.local, .open, "local", "open"),
            (.inbound, .halfClosed, "inbound", "half-closed"),
        ]
    )
    func connectionRow(_ path: Path, _ phase: RelayMachine.Phase, _ pathText: String, _ state: String) throws {
        let source = Source(workload: Self.web, owner: nil, address: Self.client)
        let connection = LiveConnection(
            id: ConnectionID(loop: 1, count: 0x2a),
            source: source,
            destination: Self.destination,
            service: ServiceName("api"),
            path: path,
            security: .mtls,
            identity: IdentityPair(source: Self.caller, destination: nil),
            wire: .http1,
            phase: phase,
            bytesOut: .max,
            bytesIn: 7,
            age: .milliseconds(1250)
        )
        let expected = ConnectionRow(
            id: "10000000000002a",
            source: SourceRow(source, processID: 5),
            destination: "[fd00::9]:8080",
            service: "api",
            path: pathText,
            security: .mtls,
            identity: IdentityRow(source: "spiffe://prod/ns/shop/sa/web", destination: nil),
            protocol: "http/1.1",
            state: state,
            bytesOut: .max,
            bytesIn: 7,
            ageSeconds: 1.25
        )
        #expect(ConnectionRow(connection, processID: 5) == expected)
    }

    @Test("A decision")
    func decisionRow() {
        let source = Source(workload: nil, owner: nil, address: Self.client)
        let decision = Decision(
            id: ConnectionID(number: 255),
            started: WallTime(millisecondsSince1970: 1_000_000_000_007),
            source: source,
            destination: Self.destination,
            service: nil,
            path: .inbound,
            security: .plaintext,
            identity: IdentityPair(),
            rule: "strict",
            detail: "why",
            bytesOut: 3,
            bytesIn: 4,
            duration: .microseconds(500),
            outcome: Outcome(.connectTimeout, side: .destination)
        )
        let expected = DecisionRow(
            id: "ff",
            time: "2001-09-09T01:46:40.007Z",
            source: SourceRow(source, processID: nil),
            destination: "[fd00::9]:8080",
            service: nil,
            path: "inbound",
            security: .plaintext,
            identity: IdentityRow(source: nil, destination: nil),
            rule: "strict",
            detail: "why",
            bytesOut: 3,
            bytesIn: 4,
            durationSeconds: 0.0005,
            ending: "connect-timeout",
            side: "destination"
        )
        #expect(DecisionRow(decision) == expected)
    }
}

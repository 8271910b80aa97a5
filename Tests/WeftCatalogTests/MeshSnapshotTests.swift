import Testing
import WeftCore

@testable import WeftCatalog

@Suite("Locating destinations")
struct MeshSnapshotTests {
    private static let own: Set<IPAddress> = Set(
        ["127.0.0.1", "::1", "10.0.0.5", "fd00::5", "10.0.0.6"].compactMap { IPAddress($0) }
    )

    private func service(_ name: String, port: UInt16, _ addresses: [String], unit: String? = nil) throws
        -> LocalService
    {
        LocalService(
            name: try #require(ServiceName(name)),
            unit: unit ?? "\(name).service",
            tenant: .system,
            uid: .root,
            port: port,
            addresses: try addresses.map { try #require(IPAddress($0)) }.sorted(),
            isExposed: true,
            labels: [:],
            protocolHint: nil
        )
    }

    private func snapshot(_ services: [LocalService]) -> MeshSnapshot {
        MeshSnapshot(
            localServices: services,
            virtualAddresses: VirtualAddresses().allocating(services.map(\.name)),
            ownAddresses: Self.own
        )
    }

    private func address(_ text: String) throws -> NetworkAddress { try #require(NetworkAddress(text)) }

    /// The virtual address of a service, and what a client of each family is led to.
    private func virtual(_ snapshot: MeshSnapshot, _ service: LocalService) throws -> VirtualAddress {
        try #require(snapshot.service(named: service.name)?.virtualAddress)
    }

    private func target(_ snapshot: MeshSnapshot, _ ip: IPAddress, port: UInt16) -> NetworkAddress? {
        guard case .virtual(let group) = snapshot.locate(NetworkAddress(ip, port: port)) else { return nil }
        return group.endpoints[0].target(preferring: ip.family)
    }

    @Test(
        "Real addresses: own ones with a service behind them are local, everything else is outside",
        arguments: [
            ("10.0.0.5:80", "web"), ("10.0.0.6:80", "web"), ("127.0.0.1:80", "web"), ("127.9.9.9:80", "web"),
            ("[fd00::5]:80", nil), ("10.0.0.5:81", nil), ("10.0.0.9:80", nil), ("10.0.0.5:8080", "api"),
            ("10.0.0.6:8080", nil), ("[::1]:9090", "six"), ("[fd00::5]:9090", "six"), ("127.0.0.1:9090", nil),
            ("93.184.216.34:80", nil), ("[2001:db8::1]:9090", nil),
        ] as [(String, String?)]
    )
    func realAddresses(_ destination: String, _ expected: String?) throws {
        let snapshot = snapshot([
            try service("web", port: 80, ["0.0.0.0"]), try service("api", port: 8080, ["10.0.0.5"]),
            try service("six", port: 9090, ["::"]),
        ])
        switch snapshot.locate(try address(destination)) {
        case .local(let service): #expect(service.name.text == expected)
        case .outside: #expect(expected == nil)
        case .virtual, .endpoint: Issue.record("\(destination) is neither virtual nor another host's")
        }
    }

    @Test(
        "A virtual address leads to loopback where the service listens there, else to its own address",
        arguments: [
            (["0.0.0.0"], "127.0.0.1:80", "127.0.0.1:80"), (["0.0.0.0", "::"], "127.0.0.1:80", "[::1]:80"),
            (["::"], "[::1]:80", "[::1]:80"), (["127.0.0.1"], "127.0.0.1:80", "127.0.0.1:80"),
            (["127.0.0.53"], "127.0.0.53:80", "127.0.0.53:80"), (["::1"], "[::1]:80", "[::1]:80"),
            (["10.0.0.5"], "10.0.0.5:80", "10.0.0.5:80"), (["10.0.0.5", "fd00::5"], "10.0.0.5:80", "[fd00::5]:80"),
            (["10.0.0.5", "127.0.0.1"], "127.0.0.1:80", "127.0.0.1:80"),
            (["fe80::1", "10.0.0.5"], "10.0.0.5:80", "10.0.0.5:80"),
            (["169.254.0.9"], "169.254.0.9:80", "169.254.0.9:80"),
        ]
    )
    func virtualAddresses(_ listensOn: [String], _ v4: String, _ v6: String) throws {
        let web = try service("web", port: 80, listensOn)
        let snapshot = snapshot([web])
        let virtual = try virtual(snapshot, web)
        #expect(target(snapshot, virtual.v4, port: 80) == (try address(v4)))
        #expect(target(snapshot, virtual.v6, port: 80) == (try address(v6)))
    }

    @Test("A virtual address answers only at the service's ports, and each port leads to its own")
    func virtualPorts() throws {
        let web = try service("web", port: 80, ["0.0.0.0"])
        let secure = try service("web", port: 443, ["10.0.0.5"])
        let snapshot = snapshot([secure, web])
        let virtual = try virtual(snapshot, web)
        #expect(target(snapshot, virtual.v4, port: 443) == (try address("10.0.0.5:443")))
        #expect(snapshot.locate(NetworkAddress(virtual.v4, port: 81)) == .outside)
        #expect(snapshot.isVirtual(virtual.v4) && snapshot.isVirtual(virtual.v6))
        #expect(!snapshot.isVirtual(.loopbackV4) && !snapshot.isVirtual(.loopbackV6))
    }

    @Test("A service on IPv6 link-local addresses only cannot be dialled by its virtual address")
    func linkLocalOnly() throws {
        let web = try service("web", port: 80, ["fe80::1"])
        let snapshot = snapshot([web])
        #expect(snapshot.service(named: web.name) == nil)
        let virtual = try #require(VirtualAddresses().allocating([web.name])[web.name])
        #expect(snapshot.locate(NetworkAddress(virtual.v6, port: 80)) == .outside)
    }

    @Test("A listener on one address wins over one on all, and the first unit over the others")
    func precedence() throws {
        let all = try service("all", port: 80, ["0.0.0.0"])
        let one = try service("one", port: 80, ["10.0.0.5"])
        let twin = try service("all", port: 80, ["0.0.0.0"], unit: "b.service")
        let snapshot = snapshot([twin, one, all])
        #expect(snapshot.localServices == [all, twin, one])
        #expect(snapshot.locate(try address("10.0.0.5:80")) == .local(one))
        #expect(snapshot.locate(try address("10.0.0.6:80")) == .local(all))
        #expect(snapshot.service(listeningOn: try address("10.0.0.6:80")) == all)
    }

    @Test("The snapshot without services knows nothing")
    func emptySnapshot() throws {
        #expect(MeshSnapshot().locate(try address("127.0.0.1:80")) == .outside)
    }
}

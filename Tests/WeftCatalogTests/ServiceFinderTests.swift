import Testing
import WeftCore

@testable import WeftCatalog

@Suite("Services of this host")
struct ServiceFinderTests {
    private static let units: [UInt64: String] = [
        1: "/system.slice/api.service",
        2: "/system.slice/system-postgresql.slice/postgresql@15-main.service",
        3: "/system.slice/system-postgresql.slice/postgresql@16-test.service",
        4: "/system.slice/ssh.service",
        5: "/system.slice/weftd.service",
        6: "/user.slice/user-1000.slice/user@1000.service/app.slice/web.service",
        7: "/user.slice/user-1000.slice/session-3.scope",
        8: "/system.slice/cups.socket",
        9: "/system.slice/cups.service",
        10: "/shop.slice/shop-eu.slice/Shop\\x2dFront.service",
        11: "/init.scope",
        12: "/system.slice/ssh.socket",
        13: "/system.slice/sshd@2-10.0.0.1:22-10.0.0.2:999.service",
        14: "/system.slice/docker-" + String(repeating: "0123456789abcdef", count: 4) + ".scope",
        15: "/system.slice/data.mount",
    ]

    private static let workloads = Dictionary(
        uniqueKeysWithValues: units.map { (CgroupID($0.key), Workload(cgroupPath: $0.value)) }
    )

    private func listener(
        _ address: String,
        cgroup: UInt64,
        uid: UInt32 = 33,
        inode: UInt32 = 1,
        v6Only: Bool = false
    ) throws -> ListeningSocket {
        ListeningSocket(
            address: try #require(NetworkAddress(address)),
            owner: SocketOwner(uid: UserID(uid), inode: inode, cgroup: CgroupID(cgroup)),
            isV6Only: v6Only
        )
    }

    private func services(
        _ listeners: [ListeningSocket],
        overrides: [ServiceName: ServiceOverride] = [:]
    ) -> [LocalService] {
        ServiceFinder.services(listeners: listeners, workloads: Self.workloads, overrides: overrides)
    }

    private func name(_ text: String) throws -> ServiceName { try #require(ServiceName(text)) }

    @Test("A unit with a listener on a reachable address is an exposed service of the unit's name")
    func plainService() throws {
        let found = services([try listener("10.0.0.5:8080", cgroup: 1)])
        #expect(
            found == [
                LocalService(
                    name: try name("api"),
                    unit: "api.service",
                    tenant: .system,
                    uid: UserID(33),
                    port: 8080,
                    addresses: [.v4(0x0a00_0005)],
                    isExposed: true,
                    labels: [:],
                    protocolHint: nil
                )
            ]
        )
    }

    @Test(
        "Exposure follows from where it listens",
        arguments: [
            (["0.0.0.0:80"], true), (["127.0.0.1:80"], false), (["[::1]:80"], false), (["127.0.0.53:80"], false),
            (["[fe80::1]:80"], false), (["169.254.1.1:80"], false), (["[::]:80"], true),
            (["127.0.0.1:80", "[::1]:80", "192.168.1.1:80"], true), (["127.0.0.1:80", "[fe80::1]:80"], false),
            (["[fd00::1]:80"], true),
        ]
    )
    func exposure(_ addresses: [String], _ isExposed: Bool) throws {
        let found = services(try addresses.map { try listener($0, cgroup: 1) })
        #expect(found.map(\.isExposed) == [isExposed])
    }

    @Test("An IPv6 wildcard serves both families, unless it is IPv6 only")
    func dualStack() throws {
        #expect(services([try listener("[::]:80", cgroup: 1)]).map(\.addresses) == [[.anyV4, .anyV6]])
        #expect(services([try listener("[::]:80", cgroup: 1, v6Only: true)]).map(\.addresses) == [[.anyV6]])
    }

    @Test("Several sockets of one unit and port are one service; another port or unit is another")
    func merging() throws {
        let found = services([
            try listener("[::1]:5432", cgroup: 2, inode: 5), try listener("127.0.0.1:5432", cgroup: 2, inode: 6),
            try listener("127.0.0.1:5432", cgroup: 2, inode: 7), try listener("10.0.0.1:5433", cgroup: 2),
            try listener("10.0.0.1:5434", cgroup: 3),
        ])
        #expect(
            found.map { "\($0.name) \($0.unit) \($0.port) \($0.addresses.count)" } == [
                "postgresql postgresql@15-main.service 5432 2", "postgresql postgresql@15-main.service 5433 1",
                "postgresql postgresql@16-test.service 5434 1",
            ]
        )
    }

    @Test("A socket unit's listener belongs to its service, and merges with the service's own")
    func socketActivation() throws {
        let found = services([try listener("10.0.0.1:631", cgroup: 8), try listener("[::1]:631", cgroup: 9)])
        #expect(found.map(\.unit) == ["cups.service"])
        #expect(found.first?.addresses.count == 2)
    }

    @Test(
        "SSH and weft, users, the host, other kinds of unit and unknown cgroups offer nothing",
        arguments: [
            4, 5, 6, 7, 11, 12, 13, 15, 99,
        ] as [UInt64]
    )
    func neverServices(_ cgroup: UInt64) throws {
        #expect(services([try listener("0.0.0.0:8000", cgroup: cgroup)]) == [])
    }

    @Test("weft's own ports and 22 are no service, whoever listens", arguments: [22, 7946, 15001, 15006, 15008])
    func neverPorts(_ port: Int) throws {
        #expect(services([try listener("0.0.0.0:\(port)", cgroup: 1)]) == [])
    }

    @Test(
        "A unit's name becomes a service's",
        arguments: [
            ("api.service", "api"), ("postgresql@15-main.service", "postgresql"),
            ("NetworkManager.service", "networkmanager"),
            ("my\\x2dapp.service", "my-app"), ("a b.service", "a-b"), ("_odd.service", "odd"), ("x.y.service", "x.y"),
            ("run-u42.scope", "run-u42"), ("-.service", nil), ("@x.service", nil), ("x.socket", nil), ("x", nil),
            ("sshd.service", nil), ("SSH.service", nil), ("weft.service", nil), ("weft-demo.service", "weft-demo"),
            ("docker-" + String(repeating: "0123456789abcdef", count: 4) + ".scope", "docker-0123456789ab"),
        ] as [(String, String?)]
    )
    func names(_ unit: String, _ expected: String?) {
        #expect(ServiceFinder.defaultName(ofUnit: unit)?.text == expected)
    }

    @Test("Units with very long names that start alike keep different names")
    func longNames() throws {
        let start = String(repeating: "n", count: 80)
        let one = try #require(ServiceFinder.defaultName(ofUnit: start + "1.service"))
        let two = try #require(ServiceFinder.defaultName(ofUnit: start + "2.service"))
        #expect(one != two)
        #expect(one.text.utf8.count <= 63)
    }

    @Test("Overrides rename, label, declare and decide exposure; the key is the name without them")
    func overrides() throws {
        let listeners = [try listener("127.0.0.1:8080", cgroup: 1), try listener("0.0.0.0:80", cgroup: 10)]
        let found = services(
            listeners,
            overrides: [
                try name("api"): ServiceOverride(
                    rename: try name("orders"),
                    labels: ["version": "2"],
                    protocolHint: "http",
                    expose: true
                ),
                try name("orders"): ServiceOverride(expose: false),
                try name("shop-front"): ServiceOverride(expose: false),
            ]
        )
        #expect(found.map(\.name.text) == ["orders", "shop-front"])
        #expect(found.map(\.isExposed) == [true, false])
        #expect(found.map(\.labels) == [["version": "2"], [:]])
        #expect(found.map(\.protocolHint) == ["http", nil])
        #expect(found.map(\.tenant.text) == ["system", "shop"])
    }

    @Test("The answer does not depend on the order of the sockets")
    func determinism() throws {
        var listeners: [ListeningSocket] = []
        for cgroup in [1, 2, 3, 9, 10] as [UInt64] {
            for port in 8000..<8010 {
                listeners.append(try listener("0.0.0.0:\(port)", cgroup: cgroup, uid: UInt32(port)))
            }
        }
        let expected = services(listeners)
        #expect(expected.count == 50)
        var generator = Seeded(state: 3)
        for _ in 0..<20 { #expect(services(listeners.shuffled(using: &generator)) == expected) }
    }
}

import Glibc
import Testing
import WeftCapture
import WeftCore
import WeftHost

/// What happens to real connections of a captured host.
@Suite(.serialized)
struct NetfilterOutboundTests {
    let world: TestWorld

    init() throws { world = try TestWorld() }

    static let outside = ["192.0.2.10:80", "[2001:db8::10]:80"]
    static let virtual = ["240.1.2.3:80", "[fd77:6566:7400:1::9]:80"]

    @Test(arguments: outside + virtual)
    func outboundConnectionComesToWeft(address: String) throws {
        try world.capture()
        #expect(try world.dial(address, in: world.host, reaches: world.outbound(address)))
    }

    @Test(arguments: outside)
    func weftsOwnConnectionGoesDirect(address: String) throws {
        try world.capture()
        let server = try world.outside.run { try TestSocket.listening(on: address) }
        #expect(try world.dial(address, in: world.host, reaches: server, mark: CaptureMark.own))
    }

    @Test(arguments: ["192.0.2.10:22", "[2001:db8::10]:22", "192.0.2.10:5432", "[2001:db8::10]:5433", "10.1.0.2:80"])
    func excludedConnectionGoesDirect(address: String) throws {
        try world.capture {
            $0.excludedPorts = [PortRange(first: 5432, last: 5433)].compactMap { $0 }
            $0.excludedAddresses = [IPPrefix("10.1.0.0/24")].compactMap { $0 }
        }
        let server = try world.outside.run { try TestSocket.listening(on: address) }
        #expect(try world.dial(address, in: world.host, reaches: server))
    }

    @Test(arguments: ["127.0.0.1:8000", "[::1]:8000", "10.1.0.1:8000", "[fd01::1]:8000"])
    func connectionWithinTheHostIsLeftAlone(address: String) throws {
        try world.capture()
        let server = try world.host.run { try TestSocket.listening(on: address) }
        #expect(try world.dial(address, in: world.host, reaches: server))
    }

    @Test(arguments: ["10.1.0.1:8000", "[fd01::1]:8000"])
    func connectionToAnOwnAddressIsCapturedWhenAskedFor(address: String) throws {
        try world.capture { $0.capturesLocal = true }
        #expect(try world.dial(address, in: world.host, reaches: world.outbound(address)))
        for loopback in ["127.0.0.1:8000", "[::1]:8000", address.replacing("8000", with: "9000")] {
            let server = try world.host.run { try TestSocket.listening(on: loopback) }
            #expect(try world.dial(loopback, in: world.host, reaches: server))
        }
    }

    @Test func linkLocalConnectionIsLeftAlone() throws {
        try world.capture()
        try world.outside.shell("ip addr add 169.254.1.1/16 dev o0")
        try world.host.shell("ip addr add 169.254.1.2/16 dev h0")
        let server = try world.outside.run { try TestSocket.listening(on: "169.254.1.1:80") }
        #expect(try world.dial("169.254.1.1:80", in: world.host, reaches: server))
    }

    @Test(arguments: outside)
    func scopeMeshCapturesOnlyWhatTheMeshKnows(address: String) throws {
        let known = try #require(NetworkAddress(address))
        try world.capture {
            $0.scope = .mesh
            $0.meshDestinations = [known]
        }
        #expect(try world.dial(address, in: world.host, reaches: world.outbound(address)))
        let other = NetworkAddress(known.ip, port: 81).description
        let server = try world.outside.run { try TestSocket.listening(on: other) }
        #expect(try world.dial(other, in: world.host, reaches: server))
        let virtual = known.ip.family == .v4 ? Self.virtual[0] : Self.virtual[1]
        #expect(try world.dial(virtual, in: world.host, reaches: world.outbound(virtual)))
    }

    @Test func excludedUserGoesDirect() throws {
        try world.capture { $0.excludedUsers = [UserID(4321)] }
        let server = try world.outside.run { try TestSocket.listening(on: "192.0.2.10:80") }
        #expect(try world.dialAs(4321, "192.0.2.10", 80))
        #expect(server.hasConnection && !world.outboundV4.hasConnection)
        #expect(try world.dialAs(4322, "192.0.2.10", 80))
        #expect(world.outboundV4.hasConnection)
    }

    @Test func excludedUnitGoesDirectAtEachDepth() throws {
        let mount = try #require(
            try outerShell("grep -m1 ' - cgroup2 ' /proc/self/mountinfo").split(separator: " ").dropFirst(4).first
        )
        let root = "\(mount)/wXcap\(getpid())"
        let directories = ["\(root)/a.service", "\(root)/b.slice/c.service", "\(root)/b.slice/d.slice/e.service"]
        try outerShell("mkdir -p \(directories.joined(separator: " "))")
        defer { _ = try? outerShell("find \(root) -depth -type d -exec rmdir {} +") }
        let ids = try directories.map { directory in
            CgroupID(try #require(UInt64(try outerShell("stat -c %i \(directory)").filter(\.isNumber))))
        }
        try world.capture { spec in
            spec.ownCgroup = CgroupReference(level: 2, id: ids[0])
            spec.excludedCgroups = [CgroupReference(level: 3, id: ids[1]), CgroupReference(level: 4, id: ids[2])]
        }
        let server = try world.outside.run { try TestSocket.listening(on: "192.0.2.10:80") }
        for directory in directories {
            #expect(try world.dialAs(0, "192.0.2.10", 80, setup: "echo 0 > \(directory)/cgroup.procs"))
            #expect(server.hasConnection, "from \(directory)")
            _ = try server.accepted()
        }
        #expect(!world.outboundV4.hasConnection)
    }

    @Test(arguments: outside)
    func olderConnectionsAndCapturedOnesLiveThroughReplacements(address: String) throws {
        let server = try world.outside.run { try TestSocket.listening(on: address) }
        let old = try world.host.run { try TestSocket.connected(to: address) }
        let oldServer = try server.accepted()
        try world.capture()
        #expect(try old.says("still here", to: oldServer))
        let captured = try world.host.run { try TestSocket.connected(to: address) }
        let relay = try world.outbound(address).accepted()
        for round in 0..<50 {
            try world.capture { $0.excludedPorts = [PortRange(UInt16(1000 + round))] }
            #expect(try captured.says("round \(round)", to: relay) && relay.says("and back", to: captured))
            #expect(try world.dial(address, in: world.host, reaches: world.outbound(address)))
            #expect(try old.says("round \(round)", to: oldServer) && oldServer.says("and back", to: old))
        }
    }

    @Test(arguments: outside)
    func clientOfAKilledDaemonSeesTheEndAndThenGoesDirect(address: String) throws {
        var session: NetfilterSession? = try world.host.run { try NetfilterSession() }
        try session?.apply(CaptureRules.ruleset(for: .forTests()))
        let client = try world.host.run { try TestSocket.connected(to: address) }
        var relay: TestSocket? = try world.outbound(address).accepted()
        #expect(try client.says("hello", to: #require(relay)))
        session = nil
        try eventually("the table goes with its owner") {
            try !world.host.shell("nft list tables").contains("inet weft\n")
        }
        relay = nil
        var byte: UInt8 = 0
        #expect(recv(client.descriptor, &byte, 1, 0) == 0, "the end should come, not silence")
        let server = try world.outside.run { try TestSocket.listening(on: address) }
        #expect(try world.dial(address, in: world.host, reaches: server))
    }

    @Test func firewallThatRejectsMappedDestinationsDoesNotStopIPv6() throws {
        try world.host.shell(
            """
            nft add table inet firewalld
            nft add chain inet firewalld o '{ type filter hook output priority 10; }'
            nft add rule inet firewalld o ip6 daddr ::/96 reject with icmpv6 addr-unreachable
            """
        )
        try world.capture()
        #expect(try world.dial("[2001:db8::10]:80", in: world.host, reaches: world.outboundV6))
    }

    @Test func otherHostsCannotReachTheIPv6Listener() throws {
        try world.capture { $0.inboundPorts = [] }
        try world.outside.shell("ip -6 route add fd77:6566:7400::1/128 via fd01::1")
        #expect(throws: DialFailure(code: ECONNREFUSED)) {
            try world.outside.run { try TestSocket.connected(to: "[fd77:6566:7400::1]:15001") }
        }
    }

    @Test func closedUserIsRefusedWhileWeftIsAway() throws {
        let direct = try world.outside.run { try TestSocket.listening(on: "192.0.2.10:80") }
        let ssh = try world.outside.run { try TestSocket.listening(on: "192.0.2.10:22") }
        let ruleset = try CaptureRules.ruleset(
            for: .forTests {
                $0.failClosed = true
                $0.failClosedUsers = [UserID(4321)]
            }
        )
        var session: NetfilterSession? = try world.host.run { try NetfilterSession() }
        try session?.apply(ruleset)
        for (name, captured) in [("192.0.2.10", world.outboundV4), ("2001:db8::10", world.outboundV6)] {
            #expect(try world.dialAs(4321, name, 80), "while weft lives")
            #expect(captured.hasConnection)
        }
        session = nil
        try eventually("the table goes") { try !world.host.shell("nft list tables").contains("inet weft\n") }
        #expect(try !world.dialAs(4321, "192.0.2.10", 80), "the closed user")
        #expect(try !world.dialAs(4321, "2001:db8::10", 80), "the closed user over IPv6")
        #expect(try world.dialAs(4321, "192.0.2.10", 22) && ssh.hasConnection, "SSH is never held back")
        #expect(try world.dialAs(4322, "192.0.2.10", 80) && direct.hasConnection, "another user")
        try world.session.remove(keepingClosed: true)
        #expect(try !world.dialAs(4321, "192.0.2.10", 80), "after a clean stop")
        try world.session.remove()
        #expect(try world.dialAs(4321, "192.0.2.10", 80), "after `weft off`")
    }
}

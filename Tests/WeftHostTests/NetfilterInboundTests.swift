import Glibc
import Testing
import WeftCapture
import WeftCore
import WeftHost

/// What happens to real connections that come to a captured host from another.
@Suite(.serialized)
struct NetfilterInboundTests {
    let world: TestWorld

    init() throws { world = try TestWorld() }

    static let services = ["10.1.0.1:8000", "[fd01::1]:8000"]

    @Test(arguments: services, [1, 2])
    func connectionToAServiceComesToWeft(address: String, syncookies: Int) throws {
        try world.host.shell("echo \(syncookies) > /proc/sys/net/ipv4/tcp_syncookies")
        try world.capture()
        let application = try world.host.run { try TestSocket.listening(on: address) }
        let client = try world.outside.run { try TestSocket.connected(to: address) }
        let server = try world.inbound(address).accepted()
        #expect(try client.says("ping", to: server) && server.says("pong", to: client))
        #expect(server.local == NetworkAddress(address), "the listener learns the original destination")
        #expect(server.peer == client.local)
        #expect(!application.hasConnection)
    }

    @Test(arguments: ["10.1.0.1:9000", "[fd01::1]:9000", "10.1.0.1:22", "[fd01::1]:22", "10.1.0.1:7000"])
    func otherPortsGoToTheApplication(address: String) throws {
        try world.capture {
            $0.inboundPorts = [8000, 22, 7000, 15001, 15006]
            $0.excludedPorts = [PortRange(7000)]
        }
        let application = try world.host.run { try TestSocket.listening(on: address) }
        #expect(try world.dial(address, in: world.outside, reaches: application))
    }

    @Test(arguments: services)
    func connectionsOlderThanTheRulesGoOn(address: String) throws {
        let application = try world.host.run { try TestSocket.listening(on: address) }
        let client = try world.outside.run { try TestSocket.connected(to: address) }
        let server = try application.accepted()
        try world.capture { $0.failClosed = true }
        #expect(try client.says("still here", to: server) && server.says("here too", to: client))
    }

    @Test(arguments: services)
    func publishedPortOfAContainerIsLeftAlone(address: String) throws {
        let container = try TestNamespace("ctr")
        try world.host.link("h1", to: container, "k0")
        try world.host.shell("ip addr add 10.2.0.1/24 dev h1 && ip addr add fd02::1/64 dev h1 nodad")
        try container.shell("ip addr add 10.2.0.2/24 dev k0 && ip addr add fd02::2/64 dev k0 nodad")
        try container.shell("ip route add default via 10.2.0.1 && ip -6 route add default via fd02::1")
        try world.host.shell("echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
        // Priority -100 as docker has it, and -90 as firewalld has it.
        try world.host.shell(
            """
            nft add table inet other
            nft add chain inet other docker '{ type nat hook prerouting priority -100; }'
            nft add rule inet other docker tcp dport 8000 meta nfproto ipv4 dnat ip to 10.2.0.2:80
            nft add chain inet other firewalld '{ type nat hook prerouting priority -90; }'
            nft add rule inet other firewalld tcp dport 8000 meta nfproto ipv6 dnat ip6 to '[fd02::2]:80'
            """
        )
        try world.capture()
        let inside = address.hasPrefix("[") ? "[fd02::2]:80" : "10.2.0.2:80"
        let server = try container.run { try TestSocket.listening(on: inside) }
        #expect(try world.dial(address, in: world.outside, reaches: server))
    }

    @Test(arguments: services)
    func portRedirectedWithinTheHostIsCapturedAsWhereItEnds(address: String) throws {
        try world.host.shell(
            """
            nft add table inet other
            nft add chain inet other pre '{ type nat hook prerouting priority -100; }'
            nft add rule inet other pre tcp dport 80 redirect to :8000
            """
        )
        try world.capture()
        let dialled = address.replacing("8000", with: "80")
        let client = try world.outside.run { try TestSocket.connected(to: dialled) }
        let server = try world.inbound(address).accepted()
        #expect(server.local == NetworkAddress(address))
        #expect(try client.says("ping", to: server) && server.says("pong", to: client))
    }

    @Test(arguments: services)
    func firewallJudgesTheRealPort(address: String) throws {
        try world.host.shell(
            """
            nft add table inet other
            nft add chain inet other in '{ type filter hook input priority 0; policy drop; }'
            nft add rule inet other in meta l4proto ipv6-icmp accept
            nft add rule inet other in tcp dport 8000 accept
            """
        )
        try world.capture { $0.inboundPorts = [8000, 8001] }
        #expect(try world.dial(address, in: world.outside, reaches: world.inbound(address)))
        let closed = address.replacing("8000", with: "8001")
        #expect(throws: DialFailure(code: EINPROGRESS)) {
            try world.outside.run { try TestSocket.connected(to: closed) }
        }
    }

    @Test(arguments: services)
    func withoutAListenerTheApplicationAnswersOrGuardRefuses(address: String) throws {
        try world.capture()
        shutdown(world.inbound(address).descriptor, Int32(SHUT_RD))
        let application = try world.host.run { try TestSocket.listening(on: address) }
        #expect(try world.dial(address, in: world.outside, reaches: application))
        try world.capture { $0.failClosed = true }
        #expect(throws: DialFailure(code: ECONNREFUSED)) {
            try world.outside.run { try TestSocket.connected(to: address) }
        }
    }

    @Test(arguments: services)
    func skippedInterfaceGoesToTheApplication(address: String) throws {
        try world.capture {
            $0.failClosed = true
            $0.inboundSkippedInterfaces = Set([InterfaceName("h0")].compactMap { $0 })
        }
        let application = try world.host.run { try TestSocket.listening(on: address) }
        #expect(try world.dial(address, in: world.outside, reaches: application))
    }

    @Test(arguments: services, [0, 1])
    func applicationSeesTheClientsAddress(address: String, reversePathFilter: Int) throws {
        try world.host.shell(
            "for i in all default h0 lo; do echo \(reversePathFilter) > /proc/sys/net/ipv4/conf/$i/rp_filter; done"
        )
        try world.capture()
        let application = try world.host.run { try TestSocket.listening(on: address) }
        let client = try world.outside.run { try TestSocket.connected(to: address) }
        let relay = try world.inbound(address).accepted()
        let source = NetworkAddress(try #require(client.local).ip, port: 0).description
        let onward = try world.host.run {
            try TestSocket.connected(to: address, mark: CaptureMark.transparentSource, source: source)
        }
        let server = try application.accepted()
        #expect(server.peer?.ip == client.local?.ip)
        #expect(try client.says("one", to: relay) && onward.says("two", to: server) && server.says("three", to: onward))
    }
}

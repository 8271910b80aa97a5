import Glibc
import Testing
import WeftCapture
import WeftCore
import WeftHost

/// Routes, rules and the address, added to a real routing table and taken away again.
@Suite(.serialized)
struct NetfilterRoutingTests {
    let host: TestNamespace

    init() throws {
        host = try TestNamespace("host")
        try host.shell(
            """
            ip link add d0 type veth peer name d1 && ip link set d0 up && ip link set d1 up
            ip addr add 10.3.0.1/24 dev d0 && ip addr add fd03::1/64 dev d0 nodad
            ip rule add fwmark 0x77 lookup 100 && ip route add 10.9.0.0/16 dev d0 proto static
            """
        )
    }

    private let whole = RoutingPlan(CaptureSpec.forTests())

    private func state() throws -> String {
        try host.shell(
            """
            ip -j rule; ip -6 -j rule; ip -j route show table all; ip -6 -j route show table all
            ip -j addr | sed 's/valid_life_time":[0-9]*//g'
            """
        )
    }

    @Test func installAndRemoveLeaveNoTrace() throws {
        try eventually("the dummy's addresses have settled") { try !state().contains("tentative") }
        let before = try state()
        let routing = try host.run { try HostRouting() }
        #expect(try routing.install(whole) == [])
        let installed = try state()
        #expect(try host.shell("ip rule").contains("119:\tfrom all fwmark 0x5c02 lookup 23553 proto 119"))
        #expect(try host.shell("ip -6 rule").contains("119:\tfrom all fwmark 0x5c02 lookup 23553 proto 119"))
        #expect(try host.shell("ip route show table 23553").hasPrefix("local default dev lo proto 119 scope host"))
        #expect(try host.shell("ip -6 route show table 23553").hasPrefix("local default dev lo proto 119"))
        #expect(try host.shell("ip route").contains("240.0.0.0/8 dev lo proto 119 scope link"))
        #expect(try host.shell("ip -6 route").contains("fd77:6566:7400::/48 dev lo proto 119"))
        #expect(
            try host.shell("ip -6 addr show dev lo").contains("fd77:6566:7400::1/128 scope global nodad deprecated")
        )
        #expect(try routing.install(whole) == [], "a second time")
        #expect(try state() == installed)
        // Another process, which knows nothing of what the first added.
        #expect(try host.run { try HostRouting().remove() } == 7)
        #expect(try state() == before)
        #expect(try routing.remove() == 0)
    }

    @Test func coveredBlockGetsNoRoute() throws {
        try host.shell("ip route add default via 10.3.0.2 && ip -6 route add fd00::/8 via fd03::2")
        let routing = try host.run { try HostRouting() }
        #expect(try routing.install(whole) == [])
        #expect(try !host.shell("ip route; ip -6 route").contains("240.0.0.0/8"))
        #expect(try !host.shell("ip -6 route").contains("fd77:6566:7400::/48"))
        try host.shell("ip route del default")
        #expect(try routing.install(whole) == [])
        #expect(try host.shell("ip route").contains("240.0.0.0/8 dev lo"))
    }

    @Test func nothingBeyondThePlanIsAdded() throws {
        let before = try state()
        let routing = try host.run { try HostRouting() }
        #expect(
            try routing.install(RoutingPlan(virtualPrefixes: [], hasV6: false, preservesClientAddress: false)) == []
        )
        #expect(try state() == before)
    }

    @Test func switchedOffIPv6IsReportedAndIPv4Works() throws {
        try host.shell("for i in all default lo; do echo 1 > /proc/sys/net/ipv6/conf/$i/disable_ipv6; done")
        let before = try state()
        let routing = try host.run { try HostRouting() }
        let missing = try routing.install(whole)
        #expect(!missing.isEmpty && missing.allSatisfy { $0.hasPrefix("IPv6 is off") }, "\(missing)")
        #expect(try host.shell("ip route").contains("240.0.0.0/8 dev lo"))
        try routing.remove()
        #expect(try state() == before)
    }

    @Test(arguments: ["240.1.2.3:80", "[fd77:6566:7400::99]:80"])
    func virtualAddressIsReachableOnAHostWithoutARoute(address: String) throws {
        let routing = try host.run { try HostRouting() }
        #expect(try routing.install(whole) == [])
        let session = try host.run { try NetfilterSession() }
        try session.apply(CaptureRules.ruleset(for: .forTests()))
        let v4 = try host.run { try TestSocket.listening(on: "127.0.0.1:15001") }
        let v6 = try host.run { try TestSocket.listening(on: "[fd77:6566:7400::1]:15001") }
        let client = try host.run { try TestSocket.connected(to: address) }
        let server = try (address.hasPrefix("[") ? v6 : v4).accepted()
        #expect(try client.says("ping", to: server) && server.says("pong", to: client))
    }

    // MARK: Cleanup

    @Test func cleanupWaitsForALiveOwnerAndTouchesNothing() throws {
        let session = try host.run { try NetfilterSession() }
        try session.apply(CaptureRules.ruleset(for: .forTests()))
        try host.run { _ = try HostRouting().install(whole) }
        let before = try state() + host.shell("nft list ruleset")
        let outcome = try host.run {
            try NetfilterCleanup.removeLeftovers(includingClosed: true, patience: .milliseconds(100))
        }
        #expect(outcome == .ownerAlive)
        #expect(try state() + host.shell("nft list ruleset") == before)
        try session.remove()
    }

    @Test func cleanupRemovesWhatADeadDaemonLeft() throws {
        let before = try state()
        var session: NetfilterSession? = try host.run { try NetfilterSession() }
        try session?.apply(
            CaptureRules.ruleset(
                for: .forTests {
                    $0.failClosed = true
                    $0.failClosedUsers = [UserID(9)]
                }
            )
        )
        try host.run { _ = try HostRouting().install(whole) }
        session = nil
        let stopped = try host.run { try NetfilterCleanup.removeLeftovers(includingClosed: false) }
        #expect(stopped == .removed(tables: ["weft_keep"], routingItems: 7))
        #expect(try host.shell("nft list tables") == "table inet weft_closed\n")
        let gone = try host.run { try NetfilterCleanup.removeLeftovers(includingClosed: true) }
        #expect(gone == .removed(tables: ["weft_closed"], routingItems: 0))
        #expect(try host.shell("nft list ruleset") == "")
        #expect(try state() == before)
        #expect(
            try host.run { try NetfilterCleanup.removeLeftovers(includingClosed: true) }
                == .removed(tables: [], routingItems: 0)
        )
    }
}

import Glibc
import Testing
import WeftCapture
import WeftCore
import WeftHost

/// A host with weft's rules, routes and listeners, and a neighbour that is all the rest of the world to it.
///
/// ```
///   host 10.1.0.1, fd01::1  h0 ─────── o0  outside 10.1.0.2, fd01::2, 192.0.2.10, 2001:db8::10
/// ```
final class TestWorld {
    let host: TestNamespace
    let outside: TestNamespace
    let session: NetfilterSession
    let routing: HostRouting
    let outboundV4: TestSocket
    let outboundV6: TestSocket
    let inboundV4: TestSocket
    let inboundV6: TestSocket

    init() throws {
        host = try TestNamespace("host")
        outside = try TestNamespace("out")
        try host.link("h0", to: outside, "o0")
        try host.shell("ip addr add 10.1.0.1/24 dev h0 && ip addr add fd01::1/64 dev h0 nodad")
        try host.shell("ip route add default via 10.1.0.2 && ip -6 route add default via fd01::2")
        try outside.shell("ip addr add 10.1.0.2/24 dev o0 && ip addr add fd01::2/64 dev o0 nodad")
        try outside.shell("ip addr add 192.0.2.10/32 dev lo && ip addr add 2001:db8::10/128 dev lo")
        try outside.shell("ip route add default via 10.1.0.1 && ip -6 route add default via fd01::1")
        session = try host.run { try NetfilterSession() }
        routing = try host.run { try HostRouting() }
        let plan = RoutingPlan(CaptureSpec.forTests())
        #expect(try routing.install(plan) == [])
        outboundV4 = try host.run { try .listening(on: "127.0.0.1:15001") }
        outboundV6 = try host.run { try .listening(on: "[fd77:6566:7400::1]:15001") }
        inboundV4 = try host.run { try .listening(on: "127.0.0.1:15006", isTransparent: true) }
        inboundV6 = try host.run { try .listening(on: "[::1]:15006", isTransparent: true) }
    }

    /// Installs the rules for a spec.
    func capture(_ change: (inout CaptureSpec) -> Void = { _ in }) throws {
        try session.apply(CaptureRules.ruleset(for: CaptureSpec.forTests(change)))
    }

    func outbound(_ address: String) -> TestSocket { address.hasPrefix("[") ? outboundV6 : outboundV4 }

    func inbound(_ address: String) -> TestSocket { address.hasPrefix("[") ? inboundV6 : inboundV4 }

    /// Dials an address and says whether the connection came to a listener, with bytes passing both ways.
    func dial(
        _ address: String,
        in namespace: TestNamespace,
        reaches listener: TestSocket,
        mark: UInt32? = nil,
        source: String? = nil
    ) throws -> Bool {
        let client = try namespace.run { try TestSocket.connected(to: address, mark: mark, source: source) }
        guard listener.hasConnection else { return false }
        let server = try listener.accepted()
        return try client.says("to the server", to: server) && server.says("to the client", to: client)
    }

    /// Dials as another user by a program of its own; the exit status of bash, 0 for a connection.
    func dialAs(_ user: UInt32, _ host: String, _ port: UInt16, setup: String = ":") throws -> Bool {
        let script = "\(setup); exec setpriv --reuid=\(user) bash -c 'exec 3<>/dev/tcp/\(host)/\(port)' 2>/dev/null"
        return try self.host.shell("(\(script)) && echo connected || echo refused").contains("connected")
    }
}

extension CaptureSpec {
    /// Port 8000 is captured inbound, 9000 is not.
    static func forTests(_ change: (inout CaptureSpec) -> Void = { _ in }) -> CaptureSpec {
        var spec = CaptureSpec()
        spec.inboundPorts = [8000]
        change(&spec)
        return spec
    }
}

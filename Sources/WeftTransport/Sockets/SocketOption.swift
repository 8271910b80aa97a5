internal import Glibc
package import WeftCore

/// A socket option with a number for a value.
package struct SocketOption: Sendable {
    let level: CInt
    let name: CInt
    let title: StaticString

    package static let reuseAddress = SocketOption(level: SOL_SOCKET, name: SO_REUSEADDR, title: "SO_REUSEADDR")
    /// The packet mark; see `CaptureMark`. Needs CAP_NET_ADMIN or CAP_NET_RAW.
    package static let mark = SocketOption(level: SOL_SOCKET, name: SO_MARK, title: "SO_MARK")
    package static let keepAlive = SocketOption(level: SOL_SOCKET, name: SO_KEEPALIVE, title: "SO_KEEPALIVE")
    package static let v6Only = SocketOption(level: CInt(IPPROTO_IPV6), name: IPV6_V6ONLY, title: "IPV6_V6ONLY")
    package static let noDelay = SocketOption(level: CInt(IPPROTO_TCP), name: TCP_NODELAY, title: "TCP_NODELAY")
    /// Seconds of silence before the first probe.
    package static let keepIdle = SocketOption(level: CInt(IPPROTO_TCP), name: TCP_KEEPIDLE, title: "TCP_KEEPIDLE")
    /// Milliseconds that sent bytes may stay unacknowledged.
    package static let userTimeout = SocketOption(
        level: CInt(IPPROTO_TCP),
        name: TCP_USER_TIMEOUT,
        title: "TCP_USER_TIMEOUT"
    )
    /// Binds to an address that is not (yet) this host's.
    package static let freeBind = SocketOption(level: CInt(IPPROTO_IP), name: IP_FREEBIND, title: "IP_FREEBIND")
    /// Leaves the choice of the port to connect(), so that ports are shared between destinations (linux/in.h).
    package static let bindAddressNoPort = SocketOption(
        level: CInt(IPPROTO_IP),
        name: 24,
        title: "IP_BIND_ADDRESS_NO_PORT"
    )

    /// Accepts and uses foreign addresses (linux/in.h, linux/in6.h). Needs CAP_NET_ADMIN or CAP_NET_RAW.
    package static func transparent(_ family: IPFamily) -> SocketOption {
        switch family {
        case .v4: SocketOption(level: CInt(IPPROTO_IP), name: 19, title: "IP_TRANSPARENT")
        case .v6: SocketOption(level: CInt(IPPROTO_IPV6), name: 75, title: "IPV6_TRANSPARENT")
        }
    }
}

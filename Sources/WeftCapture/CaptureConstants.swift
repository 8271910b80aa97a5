package import WeftCore

/// Packet marks that weft gives to its own sockets. The one place that names them: rules compare the whole mark.
package enum CaptureMark {
    /// On every socket of weftd's that dials out (SO_MARK): the rules let it pass.
    package static let own: UInt32 = 0x5c01
    /// On sockets that dial a local service under the client's own address (capture.md section 6); also the connection
    /// mark by which the service's answers are led back to weftd.
    package static let transparentSource: UInt32 = 0x5c02
}

/// Ports of the listeners that captured connections are sent to. Both are bound to addresses of this host's `lo` only.
package enum CapturePort {
    /// Connections of local processes.
    package static let outbound: UInt16 = 15001
    /// Plaintext connections from other hosts; the listener needs IP_TRANSPARENT / IPV6_TRANSPARENT.
    package static let inbound: UInt16 = 15006
    /// Never captured, in or out.
    package static let ssh: UInt16 = 22
}

/// Addresses that the listeners are bound to, and that virtual addresses are taken from.
package enum CaptureAddress {
    /// IPv4 listeners: where `redirect` in the output hook leads.
    package static let v4 = IPAddress.loopbackV4
    /// The outbound IPv6 listener, `fd77:6566:7400::1`, a /128 that weft adds to `lo`. Not ::1, because firewalld's
    /// output chain rejects everything to ::/96 (capture.md section 8).
    package static let v6 = IPAddress.v6(high: 0xfd77_6566_7400_0000, low: 1)
    /// The inbound IPv6 listener. tproxy leaves the packet's own destination in place, so that no firewall sees this.
    package static let inboundV6 = IPAddress.loopbackV6
    /// 240.0.0.0/8 and fd77:6566:7400::/48.
    package static let virtualPrefixes: [IPPrefix] = [
        IPPrefix(.v4(0xf000_0000), length: 8), IPPrefix(.v6(high: 0xfd77_6566_7400_0000, low: 0), length: 48),
    ].compactMap { $0 }
}

/// Numbers that weft's routing state carries, so that it can be found and removed by whoever comes later.
package enum CaptureRouting {
    /// The table of the one route that brings transparent-source traffic back: 0x5c01.
    package static let table: UInt32 = 23553
    /// `rtm_protocol` and FRA_PROTOCOL of every route and rule of weft's; no routing daemon is registered under it.
    package static let protocolNumber: UInt8 = 0x77
    /// The rule's place: after the kernel's `local` table (0), before VPN software, which begins at about 5000.
    package static let rulePriority: UInt32 = 119
}

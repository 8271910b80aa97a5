package import WeftCore

/// A match or an action as people write it: a phrase of nft's language, and the expressions that it stands for.
package enum Statement: Sendable, Equatable {
    // MARK: Matches

    case mark(UInt32)
    case tcp
    case notTCP
    case family(IPFamily)
    case inputIsLoopback
    case outputIsLoopback
    case inputIn(String)
    /// TCP segments that open a connection (SYN alone of SYN, FIN, RST, ACK), or all others.
    case opening(Bool)
    case port(UInt16)
    case portIn(String)
    case portNotIn(String)
    case destination(IPPrefix)
    case destinationNot(IPPrefix)
    case source(IPPrefix)
    case destinationIn(IPFamily, String)
    /// Destination address and port together.
    case endpointIn(IPFamily, String)
    case destinationIsNotLocal
    case userIn(String)
    case userNotIn(String)
    case cgroupIn(String, level: UInt8)
    case notTransparent
    case invalidState
    case replyDirection
    case connectionMark(UInt32)

    // MARK: Actions

    case counter
    case verdict(Verdict)
    case redirect(port: UInt16)
    case destinationNAT(NetworkAddress)
    case transparentProxy(NetworkAddress)
    case rejectWithReset
    case setMark(UInt32)
    case setConnectionMark(UInt32)
}

extension Statement {
    /// What the kernel must have been asked before a statement's own expressions mean anything.
    enum Dependency: Hashable, Sendable {
        case tcp
        case family(IPFamily)

        /// IPPROTO_TCP, and NFPROTO_IPV4 and NFPROTO_IPV6 as NFT_META_NFPROTO gives them.
        var expressions: [Expression] {
            switch self {
            case .tcp: [.meta(.transportProtocol, into: .first), .compare(.first, .equal, [6])]
            case .family(.v4): [.meta(.family, into: .first), .compare(.first, .equal, [2])]
            case .family(.v6): [.meta(.family, into: .first), .compare(.first, .equal, [10])]
            }
        }
    }

    var dependencies: [Dependency] {
        switch self {
        case .tcp, .opening, .port, .portIn, .portNotIn: [.tcp]
        case .family(let family), .destinationIn(let family, _): [.family(family)]
        case .destination(let prefix), .destinationNot(let prefix), .source(let prefix): [.family(prefix.family)]
        case .endpointIn(let family, _): [.family(family), .tcp]
        default: []
        }
    }

    /// The phrase in nft's language. Dependencies are left out where nft leaves them out.
    package var text: String {
        switch self {
        case .mark(let mark): "meta mark \(hex(mark))"
        case .tcp: "meta l4proto tcp"
        case .notTCP: "meta l4proto != tcp"
        case .family(let family): "meta nfproto ipv\(family.rawValue)"
        case .inputIsLoopback: "iif \"lo\""
        case .outputIsLoopback: "oif \"lo\""
        case .inputIn(let set): "iifname @\(set)"
        case .opening(let positive): "tcp flags \(positive ? "" : "!= ")syn / fin,syn,rst,ack"
        case .port(let port): "tcp dport \(port)"
        case .portIn(let set): "tcp dport @\(set)"
        case .portNotIn(let set): "tcp dport != @\(set)"
        case .destination(let prefix): "\(prefix.family.nft) daddr \(prefix)"
        case .destinationNot(let prefix): "\(prefix.family.nft) daddr != \(prefix)"
        case .source(let prefix): "\(prefix.family.nft) saddr \(prefix)"
        case .destinationIn(let family, let set): "\(family.nft) daddr @\(set)"
        case .endpointIn(let family, let set): "\(family.nft) daddr . tcp dport @\(set)"
        case .destinationIsNotLocal: "fib daddr type != local"
        case .userIn(let set): "meta skuid @\(set)"
        case .userNotIn(let set): "meta skuid != @\(set)"
        case .cgroupIn(let set, let level): "socket cgroupv2 level \(level) @\(set)"
        case .notTransparent: "socket transparent 0"
        case .invalidState: "ct state invalid"
        case .replyDirection: "ct direction reply"
        case .connectionMark(let mark): "ct mark \(hex(mark))"
        case .counter: "counter"
        case .verdict(let verdict): verdict.rawValue
        case .redirect(let port): "redirect to :\(port)"
        case .destinationNAT(let target): "dnat \(target.ip.family.nft) to \(target)"
        case .transparentProxy(let target): "tproxy \(target.ip.family.nft) to \(target)"
        case .rejectWithReset: "reject with tcp reset"
        case .setMark(let mark): "meta mark set \(hex(mark))"
        case .setConnectionMark(let mark): "ct mark set \(hex(mark))"
        }
    }
}

extension IPFamily {
    /// `ip` or `ip6`.
    var nft: String { self == .v4 ? "ip" : "ip6" }
}

private func hex(_ mark: UInt32) -> String {
    let digits = String(mark, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}

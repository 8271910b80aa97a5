package import WeftCore

/// One nf_tables expression: what the kernel's little machine runs. Each case is exactly one libnftnl expression.
///
/// Data is in the byte order that the kernel compares: host order for meta, socket, fib and conntrack values, network
/// order for packet fields, addresses and ports.
package enum Expression: Sendable, Equatable {
    case meta(MetaKey, into: Register)
    case setMetaMark(from: Register)
    case socket(SocketKey, into: Register)
    case payload(PayloadBase, offset: UInt32, length: UInt32, into: Register)
    /// `register = register & mask`.
    case mask(Register, with: [UInt8])
    case compare(Register, Comparison, [UInt8])
    case lookup(Register, set: String, inverted: Bool)
    /// The kind of address (RTN_UNICAST, RTN_LOCAL, ...) that the packet's destination is here.
    case destinationKind(into: Register)
    case conntrack(ConntrackKey, into: Register)
    case setConntrackMark(from: Register)
    case immediate([UInt8], into: Register)
    case verdict(Verdict)
    case counter
    /// To this host itself (127.0.0.1 or ::1 in the output hook).
    case redirect(port: Register)
    case destinationNAT(IPFamily, address: Register, port: Register)
    case transparentProxy(IPFamily, address: Register, port: Register)
    case rejectWithReset
}

/// A register of the kernel's machine, by its NFT_REG_* number.
package struct Register: Sendable, Equatable {
    package let number: UInt32

    /// NFT_REG_1 and NFT_REG_2: 16 bytes each.
    package static let first = Register(number: 1)
    package static let second = Register(number: 2)

    /// NFT_REG32_00 and what follows: 4 bytes each; the first four are the same storage as `first`.
    package static func word(_ index: UInt32) -> Register { Register(number: 8 + index) }
}

/// NFT_META_*
package enum MetaKey: Sendable, Equatable {
    case mark, inputInterface, outputInterface, inputInterfaceName, transportProtocol, family, user
}

/// NFT_SOCKET_*
package enum SocketKey: Sendable, Equatable {
    case transparent
    case cgroup(level: UInt8)
}

/// NFT_PAYLOAD_*
package enum PayloadBase: Sendable, Equatable {
    case network, transport
}

/// NFT_CMP_*
package enum Comparison: Sendable, Equatable {
    case equal, notEqual
}

/// NFT_CT_*
package enum ConntrackKey: Sendable, Equatable {
    case state, direction, mark
}

/// What becomes of a packet (NF_* and NFT_*).
package enum Verdict: String, Sendable, Equatable {
    case accept
    case `return`
}

/// The bytes of a number in this machine's order.
func hostBytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number) { Array($0) }
}

/// The bytes of a number in network order.
func networkBytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] { hostBytes(number.bigEndian) }

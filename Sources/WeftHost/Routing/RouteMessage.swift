internal import CWeftLinux
internal import Glibc
internal import WeftCore

/// A netlink request under construction: header, fixed part, attributes. All in this machine's byte order but
/// addresses.
struct RouteMessage {
    private(set) var bytes: [UInt8]
    let sequence: UInt32

    /// - Parameter fixed: the request's own header (`rtmsg`, `fib_rule_hdr`, `ifaddrmsg`, ...), a multiple of 4 bytes.
    init(_ type: Int, flags: Int32, sequence: UInt32, fixed: [UInt8]) {
        self.sequence = sequence
        bytes =
            Self.bytes(of: UInt32(0)) + Self.bytes(of: UInt16(type)) + Self.bytes(of: UInt16(NLM_F_REQUEST | flags))
            + Self.bytes(of: sequence) + Self.bytes(of: UInt32(0)) + fixed
        updateLength()
    }

    /// A request with the contents of something that a dump gave: the exact way to delete it.
    init(_ type: Int, sequence: UInt32, contentsOf answer: NetlinkAnswer) {
        self.init(type, flags: NLM_F_ACK, sequence: sequence, fixed: Array(answer.payload))
    }

    mutating func add(_ type: Int, _ value: [UInt8]) {
        bytes += Self.bytes(of: UInt16(4 + value.count)) + Self.bytes(of: UInt16(type)) + value
        bytes += repeatElement(0, count: -value.count & 3)
        updateLength()
    }

    mutating func add(_ type: Int, number: UInt32) { add(type, Self.bytes(of: number)) }

    private mutating func updateLength() { bytes.replaceSubrange(0..<4, with: Self.bytes(of: UInt32(bytes.count))) }

    static func bytes<Number: FixedWidthInteger>(of number: Number) -> [UInt8] {
        withUnsafeBytes(of: number) { Array($0) }
    }

    /// `struct rtmsg`: family, lengths of destination and source, tos, table, protocol, scope, type, flags.
    static func route(
        _ family: IPFamily,
        destinationLength: Int,
        scope: Int,
        kind: Int,
        protocolNumber: UInt8
    ) -> [UInt8] {
        [
            family.addressFamily, UInt8(destinationLength), 0, 0, UInt8(RT_TABLE_UNSPEC.rawValue), protocolNumber,
            UInt8(scope), UInt8(kind), 0, 0, 0, 0,
        ]
    }

    /// `struct fib_rule_hdr`: family, lengths, tos, table, two reserved, action, flags.
    static func rule(_ family: IPFamily) -> [UInt8] {
        [family.addressFamily, 0, 0, 0, UInt8(RT_TABLE_UNSPEC.rawValue), 0, 0, UInt8(FR_ACT_TO_TBL), 0, 0, 0, 0]
    }
}

extension IPFamily {
    /// AF_INET or AF_INET6.
    var addressFamily: UInt8 { UInt8(self == .v4 ? AF_INET : AF_INET6) }
}

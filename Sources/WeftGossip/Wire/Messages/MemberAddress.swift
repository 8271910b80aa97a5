package import WeftCore

/// Where a member listens, with the address bytes verbatim as that member sent them, and the port.
///
/// The 4-byte and the 16-byte form of one IPv4 address are different here, because stock agents compare the bytes and
/// see a conflict when a relay changes the form (specification 3). Two words and no array: one per member is kept.
package struct MemberAddress: Hashable, Sendable {
    /// The first 8 bytes in network order, of a 4-byte address its 4 in the low half.
    private let high: UInt64
    /// The last 8 bytes of a 16-byte address, else 0.
    private let low: UInt64
    package let port: UInt16
    /// Whether the address was sent as 16 bytes.
    package let isLong: Bool

    /// Keeps 4 or 16 bytes in network order. Nil for any other number of bytes.
    package init?(bytes: some Collection<UInt8>, port: UInt16) {
        func word(_ part: some Sequence<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        switch bytes.count {
        case 4: (high, low, isLong) = (word(bytes), 0, false)
        case 16: (high, low, isLong) = (word(bytes.prefix(8)), word(bytes.suffix(8)), true)
        default: return nil
        }
        self.port = port
    }

    /// The form in which weft announces itself: 4 bytes for IPv4, also for a v4-mapped address.
    package init(_ address: NetworkAddress) {
        switch address.ip {
        case .v4(let bits): (high, low, isLong) = (UInt64(bits), 0, false)
        case .v6(let high, let low): (self.high, self.low, isLong) = (high, low, true)
        }
        port = address.port
    }

    /// 4 or 16 bytes, as they were sent.
    package var bytes: [UInt8] {
        func octets(_ word: UInt64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: word >> (8 * (count - 1 - $0))) }
        }
        return isLong ? octets(high, 8) + octets(low, 8) : octets(high, 4)
    }

    /// The address to dial; a v4-mapped address becomes IPv4, and both forms of one address become equal.
    package var networkAddress: NetworkAddress {
        if !isLong || (high == 0 && low >> 32 == 0xffff) {
            return NetworkAddress(.v4(UInt32(truncatingIfNeeded: isLong ? low : high)), port: port)
        }
        return NetworkAddress(.v6(high: high, low: low), port: port)
    }

    /// The same address with another port: 0 on the wire means "the port that you listen on yourself".
    package func withPort(_ port: UInt16) -> MemberAddress { MemberAddress(copying: self, port: port) }

    private init(copying other: MemberAddress, port: UInt16) {
        (high, low, isLong, self.port) = (other.high, other.low, other.isLong, port)
    }
}

extension MemberAddress: CustomStringConvertible {
    package var description: String { networkAddress.description }
}

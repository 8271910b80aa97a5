/// A block of addresses in CIDR form, such as `10.0.0.0/8`. Host bits are zero by construction.
package struct IPPrefix: Hashable, Sendable {
    package let first: IPAddress
    /// Number of leading bits that are fixed: 0...32 or 0...128.
    package let length: Int

    /// Makes the block that `address` lies in; host bits are cleared. Nil when the length is out of range.
    package init?(_ address: IPAddress, length: Int) {
        guard (0...address.family.bitWidth).contains(length) else { return nil }
        self.first = address.masked(to: length)
        self.length = length
    }

    /// Reads `10.0.0.0/8`, `fd00::/8`, or a single address (a block of one). Nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(String(parts[0])) else { return nil }
        guard parts.count == 2 else {
            self.init(address, length: address.family.bitWidth)
            return
        }
        guard parts[1].allSatisfy({ $0.isASCII && $0.isNumber }), let length = Int(parts[1]) else { return nil }
        self.init(address, length: length)
    }

    package var family: IPFamily { first.family }

    /// The highest address of the block.
    package var last: IPAddress {
        switch first {
        case .v4(let bits):
            return .v4(length == 0 ? .max : bits | ~(UInt32.max << (32 - UInt32(length))))
        case .v6(let high, let low):
            let (maskHigh, maskLow) = IPAddress.mask(length)
            return .v6(high: high | ~maskHigh, low: low | ~maskLow)
        }
    }

    package func contains(_ address: IPAddress) -> Bool {
        address.family == family && address.masked(to: length) == first
    }
}

extension IPPrefix: CustomStringConvertible {
    package var description: String { length == family.bitWidth ? "\(first)" : "\(first)/\(length)" }
}

extension IPPrefix: Comparable {
    package static func < (left: IPPrefix, right: IPPrefix) -> Bool {
        (left.first, left.length) < (right.first, right.length)
    }
}

extension IPAddress {
    /// The two halves of a 128-bit mask with `length` leading ones.
    fileprivate static func mask(_ length: Int) -> (UInt64, UInt64) {
        let high: UInt64 = length == 0 ? 0 : length >= 64 ? .max : ~(UInt64.max >> UInt64(length))
        let low: UInt64 = length <= 64 ? 0 : length == 128 ? .max : ~(UInt64.max >> UInt64(length - 64))
        return (high, low)
    }

    fileprivate func masked(to length: Int) -> IPAddress {
        switch self {
        case .v4(let bits):
            return .v4(length == 0 ? 0 : bits & (UInt32.max << (32 - UInt32(length))))
        case .v6(let high, let low):
            let (maskHigh, maskLow) = IPAddress.mask(length)
            return .v6(high: high & maskHigh, low: low & maskLow)
        }
    }
}

package import WeftCore

/// A non-empty run of addresses of one family, both ends included.
///
/// Kept as numbers rather than `IPAddress`, which folds `::ffff:a.b.c.d` into IPv4: the end of an IPv6 range may lie
/// there.
package struct AddressRange: Hashable, Sendable {
    package let family: IPFamily
    package let first: UInt128
    package let last: UInt128

    package init(_ prefix: IPPrefix) {
        let width = prefix.family.bitWidth
        family = prefix.family
        first = prefix.first.number
        last = first | (prefix.length == width ? 0 : (UInt128.max >> UInt128(128 - (width - prefix.length))))
    }

    init(family: IPFamily, first: UInt128, last: UInt128) {
        self.family = family
        self.first = first
        self.last = last
    }

    var firstBytes: [UInt8] { bytes(of: first) }

    /// The address after the last; nil at the end of the family's space.
    var bytesAfter: [UInt8]? { last == family.lastNumber ? nil : bytes(of: last + 1) }

    private func bytes(of number: UInt128) -> [UInt8] { Array(networkBytes(number).suffix(family.bitWidth / 8)) }
}

extension AddressRange: Comparable {
    package static func < (left: AddressRange, right: AddressRange) -> Bool {
        (left.family.rawValue, left.first, left.last) < (right.family.rawValue, right.first, right.last)
    }
}

extension AddressRange: CustomStringConvertible {
    /// In CIDR form where the range is a block, as nft writes it, else `first-last`.
    package var description: String {
        let size = last - first
        let isBlock = size & (size &+ 1) == 0 && first & size == 0
        guard isBlock else { return "\(text(of: first))-\(text(of: last))" }
        let length = family.bitWidth - (128 - size.leadingZeroBitCount)
        return length == family.bitWidth ? text(of: first) : "\(text(of: first))/\(length)"
    }

    private func text(of number: UInt128) -> String {
        switch family {
        case .v4: "\(IPAddress.v4(UInt32(truncatingIfNeeded: number)))"
        case .v6: "\(IPAddress.v6(high: UInt64(number >> 64), low: UInt64(truncatingIfNeeded: number)))"
        }
    }
}

/// Sorts ranges and joins those that overlap or touch: the kernel answers EEXIST to overlapping ones.
package func merged(_ prefixes: some Sequence<IPPrefix>) -> [AddressRange] {
    var result: [AddressRange] = []
    for range in prefixes.map(AddressRange.init).sorted() {
        guard let previous = result.last, previous.family == range.family,
            previous.last == previous.family.lastNumber || range.first <= previous.last + 1
        else {
            result.append(range)
            continue
        }
        result[result.count - 1] = AddressRange(
            family: range.family,
            first: previous.first,
            last: max(previous.last, range.last)
        )
    }
    return result
}

/// Sorts ranges and joins those that overlap or touch.
package func merged(_ ranges: some Sequence<PortRange>) -> [PortRange] {
    var result: [PortRange] = []
    for range in ranges.sorted() {
        guard let previous = result.last, previous.last == .max || range.first <= previous.last + 1,
            let joined = PortRange(first: previous.first, last: max(previous.last, range.last))
        else {
            result.append(range)
            continue
        }
        result[result.count - 1] = joined
    }
    return result
}

extension IPAddress {
    fileprivate var number: UInt128 {
        switch self {
        case .v4(let bits): UInt128(bits)
        case .v6(let high, let low): UInt128(high) << 64 | UInt128(low)
        }
    }
}

extension IPFamily {
    fileprivate var lastNumber: UInt128 { self == .v4 ? UInt128(UInt32.max) : .max }
}

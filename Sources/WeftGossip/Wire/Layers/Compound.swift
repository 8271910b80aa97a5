/// Several messages in one: `07 | n:u8 | len[n]:u16 | part | part ...` (specification 1.3).
package enum Compound {
    /// Bytes that a compound costs, and that each part in it costs.
    package static let overhead = 2
    package static let partOverhead = 2

    /// Joins 1 to `WireLimits.compoundParts` parts of at most 65,535 bytes each.
    static func wrap(_ parts: ArraySlice<[UInt8]>) -> [UInt8] {
        precondition((1...WireLimits.compoundParts).contains(parts.count), "a compound of \(parts.count) parts")
        var bytes = [MemberlistType.compound.rawValue, UInt8(parts.count)]
        bytes.reserveCapacity(parts.reduce(overhead) { $0 + partOverhead + $1.count })
        for part in parts { bytes += [UInt8(part.count >> 8), UInt8(part.count & 0xff)] }
        for part in parts { bytes += part }
        return bytes
    }

    /// Joins as many messages as the format allows into each compound. A message alone needs no wrapper.
    static func pack(_ messages: [[UInt8]]) -> [[UInt8]] {
        var packed: [[UInt8]] = []
        var open = messages[...]
        while let first = open.first {
            let run = open.prefix(WireLimits.compoundParts).prefix { $0.count <= 0xffff }
            packed.append(run.count > 1 ? wrap(run) : first)
            open = open.dropFirst(max(1, run.count))
        }
        return packed
    }

    /// The parts of what follows the type byte, and whether some are missing: those that still fit are good. Bytes
    /// behind the last part are ignored.
    static func parts(of body: ArraySlice<UInt8>) throws(WireError) -> (parts: [ArraySlice<UInt8>], isTruncated: Bool) {
        guard let count = body.first.map(Int.init), body.count > 2 * count else { throw .truncatedCompound }
        var lengths = body.dropFirst()
        var rest = body.dropFirst(1 + 2 * count)
        var parts: [ArraySlice<UInt8>] = []
        for _ in 0..<count {
            let length = lengths.prefix(2).reduce(0) { $0 << 8 | Int($1) }
            lengths = lengths.dropFirst(2)
            guard length <= rest.count else { return (parts, true) }
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return (parts, false)
    }
}

/// A member's name exactly as it is on the wire: any bytes, compared byte by byte.
///
/// Not a `String`: names need not be UTF-8 (specification 11.5), and Swift compares strings by canonical equivalence,
/// so two names that other members tell apart could be one here.
package struct MemberName: Hashable, Sendable {
    /// The raw bytes, at most `WireLimits.nameLength` of them when decoded.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    package init(_ text: String) { bytes = Array(text.utf8) }

    package var isEmpty: Bool { bytes.isEmpty }
}

extension MemberName: Comparable {
    /// By bytes, a prefix before what it begins.
    package static func < (left: MemberName, right: MemberName) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

extension MemberName: ExpressibleByStringLiteral {
    package init(stringLiteral text: String) { self.init(text) }
}

extension MemberName: CustomStringConvertible {
    /// For people: bytes that are not UTF-8 are replaced, so two names may look the same.
    package var description: String { String(decoding: bytes, as: UTF8.self) }
}

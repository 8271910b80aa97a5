/// The name of a host in the mesh: its gossip name, 1 to 128 bytes of ASCII letters, digits, `-`, `.` and `_`.
package struct NodeName: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// What stock serf agents accept as well.
    package static let bytesMax = 128

    package let text: String

    /// Nil when the text breaks a rule above.
    package init?(_ text: String) {
        guard (1...Self.bytesMax).contains(text.utf8.count), text.utf8.allSatisfy(Self.isNameByte) else { return nil }
        self.text = text
    }

    package var description: String { text }

    package static func < (left: NodeName, right: NodeName) -> Bool { left.text < right.text }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }
}

/// The name of a mesh, which is the trust domain of all identities in it (SPIFFE-ID section 2.1): lower-case letters,
/// digits, `-`, `_` and `.`, 1 to 63 bytes, starting with a letter or a digit.
package struct MeshName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    /// Nil when the text breaks a rule above.
    package init?(_ text: String) {
        guard isName(text, maximum: 63) else { return nil }
        self.text = text
    }

    package var description: String { text }

    package static func < (left: MeshName, right: MeshName) -> Bool { left.text < right.text }
}

/// Weft's own bytes with their sender, in a section or a direct message: neither the stream nor Serf names it.
///
/// `version:u8 = 1 | length:u8 | sender's name | content`
package struct WeftFrame: Sendable, Equatable {
    package let sender: MemberName
    package let content: [UInt8]

    package init(sender: MemberName, content: [UInt8]) {
        self.sender = sender
        self.content = content
    }

    private static let version: UInt8 = 1

    /// Nil for another version, an empty name, or bytes that end inside the name.
    package init?(decoding bytes: [UInt8]) {
        guard bytes.count >= 2, bytes[0] == Self.version else { return nil }
        let length = Int(bytes[1])
        guard length > 0, bytes.count >= 2 + length else { return nil }
        sender = MemberName(bytes: Array(bytes[2..<2 + length]))
        content = Array(bytes[(2 + length)...])
    }

    package func encoded() -> [UInt8] {
        [Self.version, UInt8(clamping: sender.bytes.count)] + sender.bytes.prefix(255) + content
    }
}

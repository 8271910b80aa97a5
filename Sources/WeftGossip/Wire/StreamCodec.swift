/// Which end of a stream we are: the dialler sends first, and alone writes a label header.
package enum StreamRole: Sendable {
    case dialler
    case acceptor
}

/// Messages to the bytes of a stream: `[label][encrypt frame][compress] message` (specification 4.1). The other way is
/// `StreamDecoder`'s.
package enum StreamCodec {
    /// Bytes before an encrypted frame's contents: type and length.
    static let frameHeaderSize = 5

    /// All bytes that carry the message. With `compress` it is compressed even when it grows, as agents do. A message
    /// beyond `WireLimits.encryptedFrameSize` is refused by the other side.
    package static func encode(
        _ message: StreamMessage,
        role: StreamRole,
        security: WireSecurity,
        compress: Bool,
        using rng: inout some RandomNumberGenerator
    ) -> [UInt8] {
        var bytes = message.encoded()
        if compress { bytes = Compression.wrap(bytes) }
        if let key = security.sendingKey {
            let header = frameHeader(length: bytes.count + Encryption.overhead)
            let nonce = Encryption.nonce(using: &rng)
            bytes = header + Encryption.seal(bytes, key: key, nonce: nonce, context: header + security.label)
        }
        return role == .dialler ? Label.header(security.label) + bytes : bytes
    }

    private static func frameHeader(length: Int) -> [UInt8] {
        [MemberlistType.encrypt.rawValue] + bigEndianBytes(UInt32(clamping: length))
    }
}

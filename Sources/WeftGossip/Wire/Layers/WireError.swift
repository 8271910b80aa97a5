/// Why a datagram, a part of one, or a stream is not processed. Raw values are metric labels: they stay as they are.
package enum WireError: String, Error, Sendable, CaseIterable {
    /// No bytes at all, or a wrapper with nothing inside.
    case empty
    /// More bytes than one datagram, frame or message may have.
    case tooLarge = "too_large"
    /// A label where we have none.
    case unexpectedLabel = "unexpected_label"
    /// No label, or another one, where we have one.
    case wrongLabel = "wrong_label"
    /// A label header with no length, or that is cut off.
    case malformedLabel = "malformed_label"
    /// None of our keys opens it (or it is not encrypted at all, which looks the same in a datagram).
    case undecryptable
    /// An encrypted stream, and we have no key.
    case noKey = "no_key"
    /// A stream in clear, and we want encryption.
    case notEncrypted = "not_encrypted"
    /// An encryption version that nobody speaks.
    case encryptionVersion = "encryption_version"
    /// Opened, but the padding of encryption version 0 is impossible.
    case padding
    /// The checksum does not match.
    case checksum
    /// A compression algorithm other than LZW.
    case compressionAlgorithm = "compression_algorithm"
    /// Compressed bytes that make no sense.
    case corruptCompression = "corrupt_compression"
    /// Compressed bytes that become more than we accept.
    case decompressedTooLarge = "decompressed_too_large"
    /// A compound that ends before its parts do; the parts that fit are processed.
    case truncatedCompound = "truncated_compound"
    /// Wrappers nested deeper than `WireLimits.wrapperDepth`.
    case nestedTooDeep = "nested_too_deep"
    /// More messages than `WireLimits.messagesPerDatagram`.
    case tooManyMessages = "too_many_messages"
    /// A memberlist type that we do not know, or that has no place there.
    case unknownType = "unknown_type"
    /// A Serf type that we do not know, or that has no place there.
    case unknownSerfType = "unknown_serf_type"
    /// A message that is not what its type says.
    case malformedMessage = "malformed_message"
    /// A name, list or other field longer than we accept.
    case oversizedField = "oversized_field"
    /// A stream that ended inside a message.
    case truncatedStream = "truncated_stream"
}

extension WireError {
    /// What a failure to decode a message body means for who counts it.
    init(_ error: DecodeError, type: UInt8) {
        switch error {
        case .truncated, .unexpected, .outOfRange: self = .malformedMessage
        case .tooLong: self = .oversizedField
        case .tooDeep: self = .nestedTooDeep
        case .unknownType: self = type == MemberlistType.user.rawValue ? .unknownSerfType : .unknownType
        }
    }
}

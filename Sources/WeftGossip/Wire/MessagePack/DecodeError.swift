/// Why bytes are not the message they should be. Offsets count from the start of the buffer that was decoded.
package enum DecodeError: Error, Equatable, Sendable {
    /// The bytes end inside a value.
    case truncated(at: Int)
    /// A value of another kind than the field has.
    case unexpected(byte: UInt8, at: Int)
    /// A number, address or version that the field cannot hold.
    case outOfRange(at: Int)
    /// More bytes or elements than we accept.
    case tooLong(at: Int, limit: Int)
    /// Arrays and maps nested deeper than `WireLimits.messagePackDepth`.
    case tooDeep(at: Int)
    /// A type byte, of a Serf message or a payload, that is not known here.
    case unknownType(UInt8)
}

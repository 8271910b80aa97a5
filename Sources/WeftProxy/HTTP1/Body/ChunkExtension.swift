/// Follows the extensions of one chunk from behind the first semicolon to the CR (RFC 9112, section 7.1.1). They mean
/// nothing here, but where they end has to be certain: recipients that skip them carelessly have been made to see a
/// line's end in them.
struct ChunkExtension: Sendable {
    private enum State: Sendable {
        /// A name has to begin.
        case name
        case inName
        /// A value has to begin.
        case value
        case inValue
        case quoted
        /// Behind a backslash in a quoted string.
        case escaped
        case behindQuotes
    }

    private var state = State.name

    /// Takes the next byte; true for the CR that ends the line.
    mutating func take(_ byte: UInt8) throws(FramingError) -> Bool {
        switch state {
        case .name where byte.isToken: state = .inName
        case .value where byte.isToken: state = .inValue
        case .value where byte == UInt8(ascii: "\""): state = .quoted
        case .inName where byte.isToken, .inValue where byte.isToken: break
        case .inName where byte == UInt8(ascii: "="): state = .value
        case .inName, .inValue, .behindQuotes: return try takeEnd(byte)
        case .quoted where byte == UInt8(ascii: "\""): state = .behindQuotes
        case .quoted where byte == UInt8(ascii: "\\"): state = .escaped
        case .quoted where Self.isQuotable(byte): break
        case .escaped where Self.isQuotable(byte): state = .quoted
        case .name, .value, .quoted, .escaped: throw Self.refusal(of: byte)
        }
        return false
    }

    private mutating func takeEnd(_ byte: UInt8) throws(FramingError) -> Bool {
        if byte == .carriageReturn { return true }
        guard byte == UInt8(ascii: ";") else { throw Self.refusal(of: byte) }
        state = .name
        return false
    }

    /// Printable ASCII, space and tab.
    private static func isQuotable(_ byte: UInt8) -> Bool { byte == .tab || (byte >= .space && byte < .delete) }

    private static func refusal(of byte: UInt8) -> FramingError {
        byte == .lineFeed ? .bareLineFeed : .malformedChunkExtension
    }
}

/// Follows the trailer section behind the last chunk (RFC 9112, section 7.1.2) byte by byte, as nothing of it is held
/// back: the rules of field lines are those of a head, and fields that frame or route a message are refused (RFC 9110,
/// section 6.5.1), since a recipient may merge trailers into the head.
struct TrailerScanner: Sendable {
    private enum State: Sendable {
        /// A line begins.
        case start
        case name
        case value
        /// Behind the CR of a field line.
        case lineEnd
        /// Behind the CR of the empty line.
        case lastLineEnd
    }

    private var state = State.start
    private var length = 0
    /// Of the name so far, in lower case: the name itself need not be kept.
    private var hash = NameHash()

    /// Moves `offset` behind the last byte of the section that is there, or to a byte that is wrong. True at its end.
    mutating func scan(_ bytes: RawSpan, at offset: inout Int) throws(FramingError) -> Bool {
        while offset < bytes.byteCount {
            guard length < HTTP1Limits.trailerSize else { throw .trailersTooLarge }
            let byte = bytes[offset]
            switch state {
            case .start: try takeStart(byte)
            case .name: try takeName(byte)
            case .value: try takeValue(byte)
            case .lineEnd:
                guard byte == .lineFeed else { throw .bareCarriageReturn }
                state = .start
            case .lastLineEnd:
                guard byte == .lineFeed else { throw .bareCarriageReturn }
                offset += 1
                return true
            }
            offset += 1
            length += 1
        }
        return false
    }

    private mutating func takeStart(_ byte: UInt8) throws(FramingError) {
        switch byte {
        case .carriageReturn: state = .lastLineEnd
        case .space, .tab: throw .foldedLine
        case UInt8(ascii: ":"): throw .emptyFieldName
        default:
            hash = NameHash()
            state = .name
            try takeName(byte)
        }
    }

    private mutating func takeName(_ byte: UInt8) throws(FramingError) {
        if byte.isToken { return hash.add(byte.lowercased) }
        switch byte {
        case UInt8(ascii: ":"):
            guard !NameHash.forbidden.contains(hash) else { throw .forbiddenTrailer }
            state = .value
        case .space, .tab: throw .whitespaceBeforeColon
        case .carriageReturn: throw .missingColon
        case 0..<0x20, .delete: throw HeadLines.refusal(of: byte)
        default: throw .malformedFieldName
        }
    }

    private mutating func takeValue(_ byte: UInt8) throws(FramingError) {
        if byte == .carriageReturn {
            state = .lineEnd
        } else if (byte < .space && byte != .tab) || byte == .delete {
            throw HeadLines.refusal(of: byte)
        }
    }
}

/// FNV-1a of a name. Another name with the same 64 bits would be refused in vain, which harms only who sought it.
private struct NameHash: Sendable, Equatable {
    private var value: UInt64 = 0xcbf2_9ce4_8422_2325

    static let forbidden = ["content-length", "transfer-encoding", "host", "connection"].map { name in
        name.utf8.reduce(into: NameHash()) { $0.add($1) }
    }

    mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
}

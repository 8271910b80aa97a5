/// Follows the chunked transfer coding (RFC 9112, section 7.1) byte by byte between the chunks, and in one step over
/// their data:
///
/// ```
/// chunk   = 1*HEXDIG *(";" token ["=" (token / quoted-string)]) CRLF data CRLF
/// message = *chunk 1*"0" [extensions] CRLF *(field-line CRLF) CRLF
/// ```
///
/// No white space around sizes and extensions, no bare LF, no other bytes behind data: each of these has let two
/// recipients see different chunks.
struct ChunkScanner: Sendable {
    private enum State: Sendable {
        case size
        case `extension`(ChunkExtension)
        /// Between CR and LF of the chunk's line.
        case lineEnd
        case data
        /// The CR, then the LF behind the data.
        case dataReturn
        case dataLineFeed
        case trailers(TrailerScanner)
    }

    private var state = State.size
    /// Of this chunk: the size while it is being read, then what is left of it.
    private var size: UInt64 = 0
    private var digits = 0
    private var isLast = false
    /// Bytes of this chunk's line.
    private var lineLength = 0
    /// Bytes of lines beyond what chunks of sensible sizes need.
    private var overhead = 0

    /// Moves `offset` behind the coding's last byte that is there, or to a byte that is wrong. True at its end.
    mutating func scan(_ bytes: RawSpan, at offset: inout Int) throws(FramingError) -> Bool {
        while offset < bytes.byteCount {
            switch state {
            case .data:
                let count = min(size, UInt64(bytes.byteCount - offset))
                offset += Int(count)
                size -= count
                if size == 0 { state = .dataReturn }
            case .trailers(var trailers):
                let isComplete = try trailers.scan(bytes, at: &offset)
                state = .trailers(trailers)
                return isComplete
            default:
                try take(bytes[offset])
                offset += 1
            }
        }
        return false
    }

    /// Takes one byte that is not data.
    private mutating func take(_ byte: UInt8) throws(FramingError) {
        switch state {
        case .size: try takeSize(byte)
        case .extension(var part):
            lineLength += 1
            guard overhead + lineLength <= HTTP1Limits.chunkOverhead else { throw .tooMuchChunkOverhead }
            state = try part.take(byte) ? .lineEnd : .extension(part)
        case .lineEnd:
            guard byte == .lineFeed else { throw .bareCarriageReturn }
            try endLine()
        case .dataReturn:
            guard byte == .carriageReturn else { throw .malformedChunkEnd }
            state = .dataLineFeed
        case .dataLineFeed:
            guard byte == .lineFeed else { throw .malformedChunkEnd }
            (state, digits, lineLength) = (.size, 0, 0)
        case .data, .trailers: break
        }
    }

    private mutating func takeSize(_ byte: UInt8) throws(FramingError) {
        if let value = byte.hexValue {
            // Sixteen digits hold every size; more are zeros in front, or too many.
            guard digits < 16, size >> 59 == 0 else { throw .chunkTooLarge }
            size = size << 4 | UInt64(value)
            digits += 1
            lineLength += 1
            return
        }
        guard digits > 0 else { throw byte == .lineFeed ? .bareLineFeed : .malformedChunkSize }
        switch byte {
        case .carriageReturn: state = .lineEnd
        case UInt8(ascii: ";"):
            lineLength += 1
            state = .extension(ChunkExtension())
        case .lineFeed: throw .bareLineFeed
        default: throw .malformedChunkSize
        }
    }

    private mutating func endLine() throws(FramingError) {
        if size == 0 {
            state = .trailers(TrailerScanner())
            return
        }
        // Many small chunks are what some programs do; long lines for little data are what attackers do.
        let free = 16 + 2 * min(size, UInt64(HTTP1Limits.chunkOverhead))
        overhead = max(0, overhead + lineLength + 2 - Int(free))
        guard overhead <= HTTP1Limits.chunkOverhead else { throw .tooMuchChunkOverhead }
        state = .data
    }
}

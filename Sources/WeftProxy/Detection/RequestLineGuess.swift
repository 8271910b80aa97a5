/// Whether a client's first line is a request line of HTTP/1, right or nearly right; resumable at any byte.
///
/// ```
/// *(CR / LF) 1*32token 1*(SP / HTAB) 1*anything 1*(SP / HTAB) "HTTP/" DIGIT anything LF
/// ```
///
/// Other protocols begin with a word and a space as well (NATS, STOMP, IRC, memcached, Redis, RTSP, SIP), so it takes a
/// whole line to say yes; the first byte that no request line has says no. A line without a version, which is HTTP/0.9 or
/// a `GET /key` typed to Redis, is no, as nothing else of HTTP can follow it.
///
/// A method is in capitals, as every registered one is: what begins with a small letter (memcached, IRC, a greeting) is
/// known at its first byte, and nobody waits for the rest of a line that may never come.
struct RequestLineGuess: Sendable, Hashable {
    private enum Position: Sendable, Hashable {
        case beforeMethod
        case method
        case behindMethod
        case rest
    }

    /// The longest method that is waited for; registered ones have up to 17 letters.
    private static let methodMax = 32

    private var position = Position.beforeMethod
    private var offset = 0
    private var start = 0
    private var targetStart = 0
    /// The last eight bytes of the method.
    private var packed: UInt64 = 0
    /// Whether the line begins as hardly anything else does: a method of RFC 9110, and a path.
    private var beginsLikeHTTP = false

    /// What a line is that has not ended.
    var likely: WireProtocol { beginsLikeHTTP ? .http1 : .opaque }

    /// Goes on with `bytes`, which begin with the client's first one; nil while the line has not ended.
    mutating func advance(_ bytes: RawSpan) -> Bool? {
        while offset < bytes.byteCount {
            let byte = bytes[offset]
            switch position {
            case .beforeMethod:
                if byte != .carriageReturn && byte != .lineFeed {
                    guard byte.isCapital else { return false }
                    (position, start, packed) = (.method, offset, UInt64(byte))
                }
            case .method:
                if byte.isBlank {
                    position = .behindMethod
                } else {
                    guard byte.isMethodByte, offset - start < Self.methodMax else { return false }
                    packed = packed << 8 | UInt64(byte)
                }
            case .behindMethod:
                if !byte.isBlank {
                    guard byte > .space else { return false }
                    (position, targetStart) = (.rest, offset)
                    let method = try? RequestMethod(packed: packed)
                    beginsLikeHTTP = byte == UInt8(ascii: "/") && method != nil && method != .other
                }
            case .rest:
                if byte == .lineFeed { return isRequestLine(bytes) }
                if byte == 0 && !beginsLikeHTTP { return false }
            }
            offset += 1
        }
        return nil
    }

    /// At the line's end: whether the last word, behind the target's first one, is a version.
    private func isRequestLine(_ bytes: RawSpan) -> Bool {
        var end = offset
        while end > targetStart, bytes[end - 1].isBlank || bytes[end - 1] == .carriageReturn { end -= 1 }
        var word = end
        while word > targetStart, !bytes[word - 1].isBlank { word -= 1 }
        guard word > targetStart, end - word >= 6, bytes.matches("http/", in: word..<word + 5) else { return false }
        return bytes[word + 5].isDigit
    }
}

extension UInt8 {
    fileprivate var isCapital: Bool { self &- 0x41 < 26 }

    /// What a token may have (RFC 9110, section 5.6.2), without small letters.
    fileprivate var isMethodByte: Bool { isToken && !(self &- 0x61 < 26) }
}

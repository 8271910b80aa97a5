/// `method SP request-target SP HTTP-version` (RFC 9112, section 3), with one space each and nothing else between them.
struct RequestLine: Sendable, Hashable {
    var method = RequestMethod.other
    var version = HTTPVersion.http11
    var form = TargetForm.origin
    var methodName = HeadSlice.none
    var target = HeadSlice.none
    /// Of the target: empty unless its form has one.
    var authority = HeadSlice.none

    init() {}

    /// Reads a line that `HeadLines` found.
    init(_ line: Range<Int>, in bytes: RawSpan) throws(FramingError) {
        let methodEnd = try readMethod(line, in: bytes)
        // The version has eight bytes and a space before it, so the target ends there if the line is right.
        let targetEnd = line.upperBound - 9
        guard targetEnd > methodEnd, bytes[targetEnd] == .space else {
            throw Self.refusal(of: line, after: methodEnd, in: bytes)
        }
        version = try Self.version(at: targetEnd + 1, in: bytes)
        target = HeadSlice(methodEnd + 1..<targetEnd)
        try readTarget(in: bytes)
    }

    /// Where the method ends.
    @inline(__always)
    private mutating func readMethod(_ line: Range<Int>, in bytes: RawSpan) throws(FramingError) -> Int {
        var (offset, packed): (Int, UInt64) = (line.lowerBound, 0)
        while offset < line.upperBound, bytes[offset].isToken {
            packed = packed &<< 8 | UInt64(bytes[offset])
            offset &+= 1
        }
        guard offset > line.lowerBound else { throw .malformedMethod }
        guard offset < line.upperBound else { throw .malformedRequestLine }
        guard bytes[offset] == .space else { throw .malformedMethod }
        methodName = HeadSlice(line.lowerBound..<offset)
        method = offset - line.lowerBound < 8 ? try RequestMethod(packed: packed) : .other
        return offset
    }

    /// `HTTP/1.0` or `HTTP/1.1` (RFC 9112, section 2.3).
    @inline(__always)
    static func version(at offset: Int, in bytes: RawSpan) throws(FramingError) -> HTTPVersion {
        switch UInt64(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)) {
        case 0x4854_5450_2f31_2e31: return .http11
        case 0x4854_5450_2f31_2e30: return .http10
        case let word:
            let isVersion =
                word >> 24 == 0x48_5454_502f && bytes[offset + 5].isDigit && bytes[offset + 6] == UInt8(ascii: ".")
                && bytes[offset + 7].isDigit
            throw isVersion ? .unsupportedVersion : .malformedVersion
        }
    }

    /// Three words of which the last is no version, or another number of words.
    @inline(never)
    private static func refusal(of line: Range<Int>, after methodEnd: Int, in bytes: RawSpan) -> FramingError {
        let words = line.reduce(1) { $0 + (bytes[$1] == .space ? 1 : 0) }
        return words == 3 && bytes[line.upperBound - 1] != .space && bytes[methodEnd + 1] != .space
            ? .malformedVersion : .malformedRequestLine
    }

    private mutating func readTarget(in bytes: RawSpan) throws(FramingError) {
        let range = target.range
        guard !range.isEmpty else { throw .malformedRequestLine }
        // No white space, and no `#`: a fragment is never sent, and recipients disagree on where a path with one ends.
        let stop = bytes.first(below: 0x21, or: UInt8(ascii: "#"), in: range)
        guard stop == range.upperBound else {
            throw bytes[stop] == UInt8(ascii: "#") ? .malformedTarget : .malformedRequestLine
        }
        if method == .connect {
            form = .authority
            authority = target
            guard let port = Authority.check(range, in: bytes), !port.isEmpty else { throw .malformedTarget }
        } else if bytes[range.lowerBound] != UInt8(ascii: "/") {
            try readRareTarget(range, in: bytes)
        }
    }

    /// Asterisk form, for OPTIONS alone, and absolute form (RFC 9112, sections 3.2.2 and 3.2.4).
    private mutating func readRareTarget(_ range: Range<Int>, in bytes: RawSpan) throws(FramingError) {
        if range.count == 1, bytes[range.lowerBound] == UInt8(ascii: "*") {
            guard method == .options else { throw .malformedTarget }
            form = .asterisk
            return
        }
        form = .absolute
        let start = try Self.authorityStart(range, in: bytes)
        let end = (start..<range.upperBound).first { [0x2f, 0x3f].contains(bytes[$0]) } ?? range.upperBound
        authority = HeadSlice(start..<end)
        guard start < end, Authority.check(start..<end, in: bytes) != nil else { throw .malformedTarget }
    }

    /// Behind `scheme "://"` (RFC 3986, sections 3.1 and 3.2). A scheme is letters only: no other one has HTTP's authority.
    private static func authorityStart(_ range: Range<Int>, in bytes: RawSpan) throws(FramingError) -> Int {
        let colon = range.first { !bytes[$0].isLetter }
        guard let colon, colon > range.lowerBound, bytes.matches("://", in: colon..<min(colon + 3, range.upperBound))
        else {
            throw .malformedTarget
        }
        return colon + 3
    }
}

/// The forms of a request target (RFC 9112, section 3.2).
package enum TargetForm: UInt8, Sendable, Hashable {
    /// A path, and perhaps a query.
    case origin
    /// A URI, as proxies are sent.
    case absolute
    /// Host and port: CONNECT.
    case authority
    /// `*`: OPTIONS for a server as a whole.
    case asterisk
}

/// What the field lines of one head say about framing, persistence and routing. Taken line by line; `finish` judges
/// what only all lines together tell.
struct FieldFacts: Sendable, Hashable {
    /// What has been seen.
    struct Seen: OptionSet, Sendable, Hashable {
        let rawValue: UInt16

        static let host = Seen(rawValue: 1 << 0)
        static let length = Seen(rawValue: 1 << 1)
        static let chunked = Seen(rawValue: 1 << 2)
        static let close = Seen(rawValue: 1 << 3)
        static let keepAlive = Seen(rawValue: 1 << 4)
        static let upgrade = Seen(rawValue: 1 << 5)
        static let expectsContinue = Seen(rawValue: 1 << 6)
        static let acceptsTrailers = Seen(rawValue: 1 << 7)
        static let traceParent = Seen(rawValue: 1 << 8)
    }

    private(set) var seen: Seen = []
    private(set) var length: UInt64 = 0
    private(set) var host = HeadSlice.none
    private(set) var upgrade = HeadSlice.none
    private(set) var traceParent = HeadSlice.none

    /// Takes one line, without its end, that `HeadLines` found.
    @inline(__always)
    mutating func take(_ line: Range<Int>, in bytes: RawSpan) throws(FramingError) {
        let name = try Self.name(of: line, in: bytes)
        // Lengths first: most fields of a request have another one than those below.
        switch name.count {
        case 2, 4, 6, 7, 10, 11, 14, 17:
            try take(name, value: name.upperBound &+ 1..<line.upperBound, in: bytes)
        default: break
        }
    }

    /// The field's name (RFC 9112, section 5.1): a token right before a colon, at the line's beginning.
    @inline(__always)
    private static func name(of line: Range<Int>, in bytes: RawSpan) throws(FramingError) -> Range<Int> {
        var offset = line.lowerBound
        while offset < line.upperBound, bytes[offset].isToken { offset &+= 1 }
        guard offset < line.upperBound, offset > line.lowerBound, bytes[offset] == UInt8(ascii: ":") else {
            throw refusal(of: line, at: offset, in: bytes)
        }
        return line.lowerBound..<offset
    }

    @inline(never)
    private static func refusal(of line: Range<Int>, at offset: Int, in bytes: RawSpan) -> FramingError {
        guard offset < line.upperBound else { return .missingColon }
        let byte = bytes[offset]
        if offset == line.lowerBound {
            return byte.isBlank ? .foldedLine : byte == UInt8(ascii: ":") ? .emptyFieldName : .malformedFieldName
        }
        return byte.isBlank ? .whitespaceBeforeColon : .malformedFieldName
    }

    private mutating func take(_ name: Range<Int>, value: Range<Int>, in bytes: RawSpan) throws(FramingError) {
        switch bytes[name.lowerBound].lowercased {
        case UInt8(ascii: "c"):
            if bytes.matches("content-length", in: name) {
                try takeLength(Self.framingValue(value, in: bytes), in: bytes)
            } else if bytes.matches("connection", in: name) {
                try takeConnection(value, in: bytes)
            }
        case UInt8(ascii: "t"):
            if bytes.matches("transfer-encoding", in: name) {
                try takeTransferEncoding(value, in: bytes)
            } else if bytes.matches("traceparent", in: name) {
                seen.insert(.traceParent)
                traceParent = HeadSlice(bytes.trimmed(value))
            } else if bytes.matches("te", in: name) {
                try takeOptions(value, in: bytes)
            }
        case UInt8(ascii: "h") where bytes.matches("host", in: name):
            guard !seen.contains(.host) else { throw .duplicateHost }
            seen.insert(.host)
            host = HeadSlice(bytes.trimmed(value))
        case UInt8(ascii: "u") where bytes.matches("upgrade", in: name):
            seen.insert(.upgrade)
            upgrade = HeadSlice(bytes.trimmed(value))
        case UInt8(ascii: "e") where bytes.matches("expect", in: name):
            if bytes.matches("100-continue", in: bytes.trimmed(value)) { seen.insert(.expectsContinue) }
        default: break
        }
    }

    /// `TE` (RFC 9110, section 10.1.4): all that matters here is whether trailers are welcome.
    private mutating func takeOptions(_ value: Range<Int>, in bytes: RawSpan) throws(FramingError) {
        var elements = ListElements(value)
        while let element = elements.next(bytes) {
            if bytes.matches("trailers", in: element) { seen.insert(.acceptsTrailers) }
        }
    }

    /// `Connection` (RFC 9110, section 7.6.1). Something that is no token leaves open whether the connection persists: it
    /// is then not used again.
    private mutating func takeConnection(_ value: Range<Int>, in bytes: RawSpan) throws(FramingError) {
        var elements = ListElements(value)
        while let element = elements.next(bytes) {
            switch element.count {
            case 5 where bytes.matches("close", in: element): seen.insert(.close)
            case 10 where bytes.matches("keep-alive", in: element): seen.insert(.keepAlive)
            case 4 where bytes.matches("host", in: element),
                14 where bytes.matches("content-length", in: element),
                17 where bytes.matches("transfer-encoding", in: element):
                throw .framingFieldInConnection
            default:
                if !element.allSatisfy({ bytes[$0].isToken }) { seen.insert(.close) }
            }
        }
    }

    /// The value of a field that frames the message: spaces around it may be, but no tabs, of which recipients have made
    /// a part of the value, and then nothing of the field.
    private static func framingValue(_ value: Range<Int>, in bytes: RawSpan) -> Range<Int> {
        var (start, end) = (value.lowerBound, value.upperBound)
        while start < end, bytes[start] == .space { start += 1 }
        while start < end, bytes[end - 1] == .space { end -= 1 }
        return start..<end
    }

    /// `Content-Length` (RFC 9112, section 6.2; RFC 9110, section 8.6): digits, once.
    private mutating func takeLength(_ value: Range<Int>, in bytes: RawSpan) throws(FramingError) {
        guard !seen.contains(.length) else { throw .duplicateLength }
        guard !value.isEmpty else { throw .malformedLength }
        var number: UInt64 = 0
        for offset in value {
            let byte = bytes[offset]
            guard byte.isDigit else { throw byte == UInt8(ascii: ",") ? .duplicateLength : .malformedLength }
            // What is below this has room for another digit in 64 bits.
            guard number <= UInt64(Int64.max) / 10 else { throw .lengthTooLarge }
            number = number * 10 + UInt64(byte &- 0x30)
            guard number <= UInt64(Int64.max) else { throw .lengthTooLarge }
        }
        seen.insert(.length)
        length = number
    }

    /// `Transfer-Encoding` (RFC 9112, section 6.1): exactly `chunked`, once. What comes before chunked would be legal, but
    /// then two recipients have to agree on a coding that nobody uses.
    private mutating func takeTransferEncoding(_ value: Range<Int>, in bytes: RawSpan) throws(FramingError) {
        guard !seen.contains(.chunked) else { throw .duplicateTransferEncoding }
        let coding = Self.framingValue(value, in: bytes)
        guard bytes.matches("chunked", in: coding) else { throw Self.refusal(ofCodings: coding, in: bytes) }
        seen.insert(.chunked)
    }

    @inline(never)
    private static func refusal(ofCodings value: Range<Int>, in bytes: RawSpan) -> FramingError {
        var (count, chunked, last) = (0, 0, false)
        var start = value.lowerBound
        while start <= value.upperBound {
            let end = bytes.first(UInt8(ascii: ","), in: start..<value.upperBound) ?? value.upperBound
            let element = bytes.trimmed(start..<end)
            guard !element.isEmpty, element.allSatisfy({ bytes[$0].isToken }) else { return .malformedTransferEncoding }
            last = bytes.matches("chunked", in: element)
            count += 1
            chunked += last ? 1 : 0
            start = end + 1
        }
        if count == chunked { return count > 1 ? .chunkedTwice : .malformedTransferEncoding }
        return chunked > 1 ? .chunkedTwice : last ? .unknownTransferCoding : .chunkedNotLast
    }
}

extension FieldFacts {
    /// Checks what the lines say together (RFC 9112, section 6.1).
    @inline(__always)
    func finish(version: HTTPVersion) throws(FramingError) {
        guard seen.contains(.chunked) else { return }
        guard version == .http11 else { throw .transferEncodingInHTTP10 }
        guard !seen.contains(.length) else { throw .lengthWithTransferEncoding }
    }

    /// What the fields say, whatever the message is.
    @inline(__always)
    var framing: BodyFraming? {
        if seen.contains(.chunked) { return .chunked }
        return seen.contains(.length) ? length == 0 ? .empty : .length(length) : nil
    }

    /// Whether the sender wants the connection to go on behind this message (RFC 9112, section 9.3).
    @inline(__always)
    func persists(version: HTTPVersion) -> Bool {
        !seen.contains(.close) && (version == .http11 || seen.contains(.keepAlive))
    }
}

/// The elements of a comma-separated list (RFC 9110, section 5.6.1), without white space; empty ones are left out.
struct ListElements {
    private var rest: Range<Int>

    init(_ value: Range<Int>) { rest = value }

    mutating func next(_ bytes: RawSpan) -> Range<Int>? {
        while !rest.isEmpty {
            let end = bytes.first(UInt8(ascii: ","), in: rest) ?? rest.upperBound
            let element = bytes.trimmed(rest.lowerBound..<end)
            rest = min(end + 1, rest.upperBound)..<rest.upperBound
            if !element.isEmpty { return element }
        }
        return nil
    }
}

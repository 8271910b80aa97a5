/// Finds a response's head at the front of a receive buffer (RFC 9112, sections 2, 4 and 5): `RequestHeadScanner` for
/// the other direction, with the same duties.
package struct ResponseHeadScanner: Sendable {
    private var lines = HeadLines()
    private var facts = FieldFacts()
    private var version = HTTPVersion.http11
    private var status: UInt16 = 0
    /// Zero until the status line has been read.
    private var fieldsStart = 0
    private var failure: FramingError?

    package init() {}

    /// The head, once it is complete. What is wrong with it is thrown as soon as it is seen, and ever after.
    package mutating func scan(_ bytes: RawSpan) throws(FramingError) -> ResponseHead? {
        if let failure { throw failure }
        do throws(FramingError) {
            while let line = try lines.next(bytes) {
                if fieldsStart == 0 {
                    try takeStatusLine(line, in: bytes)
                    fieldsStart = lines.start
                } else if line.isEmpty {
                    return try complete()
                } else {
                    try facts.take(line, in: bytes)
                }
            }
            return nil
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func complete() throws(FramingError) -> ResponseHead {
        try facts.finish(version: version)
        let head = ResponseHead(
            status: status,
            version: version,
            fieldsStart: fieldsStart,
            length: lines.start,
            facts: facts
        )
        self = ResponseHeadScanner()
        return head
    }

    /// `HTTP-version SP status-code [SP reason-phrase]` (RFC 9112, section 4). The last space belongs there even before
    /// no reason; servers leave it out, and nothing hangs on it.
    private mutating func takeStatusLine(_ line: Range<Int>, in bytes: RawSpan) throws(FramingError) {
        guard !line.isEmpty else { throw .emptyStartLine }
        let (space, end) = (line.lowerBound + 8, line.lowerBound + 12)
        guard line.upperBound >= end, bytes[space] == .space else { throw .malformedStatusLine }
        version = try RequestLine.version(at: line.lowerBound, in: bytes)
        for offset in space + 1..<end {
            guard bytes[offset].isDigit else { throw .malformedStatusLine }
            status = status * 10 + UInt16(bytes[offset] - 0x30)
        }
        guard status >= 100, line.upperBound == end || bytes[end] == .space else { throw .malformedStatusLine }
    }
}

/// Finds a request's head at the front of a receive buffer, and what decisions need of it (RFC 9112, sections 2 to 5).
///
/// Each call gets all bytes that are there, from the same first byte on; the scanner remembers how far it is, so that
/// it can stop and go on at any byte. It copies nothing and allocates nothing. When a head is complete it is returned
/// and the scanner is ready for the next one; the bytes stay the caller's to take. Runs on the connection's loop.
package struct RequestHeadScanner: Sendable {
    private var lines = HeadLines()
    private var line = RequestLine()
    private var facts = FieldFacts()
    private var leading = 0
    /// Zero until the request line has been read.
    private var fieldsStart = 0
    private var failure: FramingError?

    package init() {}

    /// Whether a part of a head has been seen. An empty line in front is none: old clients send one behind a body.
    package var isPartial: Bool { fieldsStart > 0 || lines.hasBytes }

    /// The head, once it is complete. What is wrong with it is thrown as soon as it is seen, and ever after.
    package mutating func scan(_ bytes: RawSpan) throws(FramingError) -> RequestHead? {
        if let failure { throw failure }
        do throws(FramingError) {
            guard try advance(bytes) else { return nil }
            let head = try complete(bytes)
            self = RequestHeadScanner()
            return head
        } catch {
            // The request line has a status of its own.
            let reason = error == .headTooLarge && fieldsStart == 0 ? .requestLineTooLong : error
            failure = reason
            throw reason
        }
    }

    /// True behind the empty line.
    private mutating func advance(_ bytes: RawSpan) throws(FramingError) -> Bool {
        while let range = try lines.next(bytes) {
            if fieldsStart == 0 {
                try takeStart(range, in: bytes)
            } else if range.isEmpty {
                return true
            } else {
                try facts.take(range, in: bytes)
            }
        }
        return false
    }

    private mutating func takeStart(_ range: Range<Int>, in bytes: RawSpan) throws(FramingError) {
        if range.isEmpty {
            guard leading == 0 else { throw .emptyStartLine }
            leading = lines.start
            lines.restart()
        } else {
            line = try RequestLine(range, in: bytes)
            fieldsStart = lines.start
        }
    }

    /// What only the whole head tells.
    private func complete(_ bytes: RawSpan) throws(FramingError) -> RequestHead {
        try facts.finish(version: line.version)
        try checkHost(bytes)
        if line.method == .connect, facts.framing ?? .empty != .empty { throw .unexpectedBody }
        return RequestHead(leading: leading, line: line, fieldsStart: fieldsStart, length: lines.start, facts: facts)
    }

    /// RFC 9112, section 3.2: one `Host` in HTTP/1.1, and a valid one. A proxy would replace it by the authority of the
    /// target; as heads are forwarded as they came, the two have to agree.
    private func checkHost(_ bytes: RawSpan) throws(FramingError) {
        guard facts.seen.contains(.host) else {
            guard line.version == .http10 else { throw .missingHost }
            return
        }
        let host = facts.host.range
        // Empty is right where the target has no authority (RFC 9110, section 7.2).
        guard host.isEmpty || Authority.check(host, in: bytes) != nil else { throw .malformedHost }
        guard !line.authority.isEmpty else { return }
        guard Authority.isSame(host, as: line.authority.range, form: line.form, in: bytes) else { throw .hostMismatch }
    }
}

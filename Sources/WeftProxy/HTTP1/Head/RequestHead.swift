/// What decisions need of a request's head; the head itself stays where it was received and is forwarded as it came.
///
/// All slices count from the first byte that the scanner was given. That is `leading` bytes before the request line:
/// the empty line that a server should ignore (RFC 9112, section 2.2) and that is not forwarded.
///
/// ```
/// leading      methodName  target   version          fields          insertionOffset   length
/// |CRLF| POST SP /upload SP HTTP/1.1 CRLF Host: a CRLF ... Expect: b CRLF | CRLF |
/// ```
package struct RequestHead: MessageHead {
    package let leading: Int
    package let length: Int
    package let fieldsStart: Int
    private let line: RequestLine
    private let facts: FieldFacts

    init(leading: Int, line: RequestLine, fieldsStart: Int, length: Int, facts: FieldFacts) {
        (self.leading, self.line, self.fieldsStart, self.length, self.facts) = (
            leading, line, fieldsStart, length, facts
        )
    }

    package var method: RequestMethod { line.method }

    package var methodName: HeadSlice { line.methodName }

    package var target: HeadSlice { line.target }

    package var form: TargetForm { line.form }

    package var version: HTTPVersion { line.version }

    /// Whom the request is for: the target's authority, which goes before `Host`'s (RFC 9112, section 3.2.2). Empty when
    /// neither says.
    package var authority: HeadSlice { line.authority.isEmpty ? facts.host : line.authority }

    package var framing: BodyFraming { facts.framing ?? .empty }

    /// Whether the client wants the connection to go on behind this request.
    package var persists: Bool { facts.persists(version: version) }

    /// Whether the client waits for 100 (Continue) before it sends the body (RFC 9110, section 10.1.1: not in HTTP/1.0).
    package var expectsContinue: Bool {
        facts.seen.contains(.expectsContinue) && version == .http11 && framing != .empty
    }

    /// Whether the upstream may answer 101. It has to ignore `Upgrade` in HTTP/1.0 (RFC 9110, section 7.8).
    package var offersUpgrade: Bool { facts.seen.contains(.upgrade) && version == .http11 }

    /// The protocols in `Upgrade`; empty when there is none.
    package var upgrade: HeadSlice { facts.upgrade }

    /// Whether the client takes trailers (`te: trailers`).
    package var acceptsTrailers: Bool { facts.seen.contains(.acceptsTrailers) }

    package var hasTraceParent: Bool { facts.seen.contains(.traceParent) }

    /// The value of the last `traceparent`; empty when there is none.
    package var traceParent: HeadSlice { facts.traceParent }

    /// The path of the target, without query: empty for CONNECT and `*`, and for an absolute target that ends with its
    /// authority.
    package func path(in bytes: RawSpan) -> HeadSlice {
        guard form == .origin || form == .absolute else { return .none }
        let start = form == .origin ? target.range.lowerBound : line.authority.range.upperBound
        let rest = start..<target.range.upperBound
        return HeadSlice(start..<(bytes.first(UInt8(ascii: "?"), in: rest) ?? rest.upperBound))
    }
}

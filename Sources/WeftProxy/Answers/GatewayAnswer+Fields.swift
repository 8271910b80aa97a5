internal import WeftCore

/// One field of a header section; names are in lower case.
package struct AnswerField: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension GatewayAnswer {
    /// The answer on an HTTP/2 stream: the fields, and the body behind them. An empty body ends the stream with the fields
    /// (END_STREAM). Nil when the client is gone.
    ///
    /// No `connection` here: RFC 9113, section 8.2.2 forbids it. Where the flag closes an HTTP/1.1 connection, an HTTP/2
    /// one goes on, as its frames tell where the stream ends; `draining` is said by GOAWAY.
    package func http2(to request: Request) -> (fields: [AnswerField], body: [UInt8])? {
        guard let status = flag.httpStatus else { return nil }
        let body = Array(body.utf8)
        var fields = [
            AnswerField(":status", "\(status)"), AnswerField("server", "weft"),
            AnswerField("date", request.date.httpDate),
            AnswerField("content-type", "text/plain; charset=utf-8"), AnswerField("content-length", "\(body.count)"),
        ]
        fields += ownFields
        if let seconds = retryAfterSeconds { fields.append(AnswerField("retry-after", "\(seconds)")) }
        return (fields, request.isHead ? [] : body)
    }

    /// The answer to a gRPC call: Trailers-Only, one header section that ends the stream (grpc,
    /// doc/PROTOCOL-HTTP2.md). Nil when the client is gone.
    ///
    /// The HTTP status is 200: gRPC's clients read `grpc-status` only then. `grpc-retry-pushback-ms` (gRFC A6) holds the
    /// client's own retries back for as long as `retry-after` would.
    package func grpc() -> [AnswerField]? {
        guard flag.httpStatus != nil else { return nil }
        var fields = [
            AnswerField(":status", "200"), AnswerField("content-type", "application/grpc"),
            AnswerField("grpc-status", "\(flag.grpcStatus.rawValue)"),
            AnswerField("grpc-message", Self.percentEncoded("weft: \(reason)")), AnswerField("server", "weft"),
        ]
        fields += ownFields
        if let retryAfter {
            let milliseconds = min(max(1, retryAfter.rounded(upTo: 1_000_000)), Int64(Int32.max))
            fields.append(AnswerField("grpc-retry-pushback-ms", "\(milliseconds)"))
        }
        return fields
    }

    /// The end of a gRPC response that the application did not end.
    package var grpcTrailers: [AnswerField] {
        let status = AnswerField("grpc-status", "\(flag.grpcStatus.rawValue)")
        return [status, AnswerField("grpc-message", Self.percentEncoded("weft: \(reason)"))] + ownFields
    }

    private var ownFields: [AnswerField] {
        [AnswerField("weft-flags", flag.rawValue), AnswerField("weft-decision", "\(decision)")]
    }

    /// Printable ASCII but `%` stays, the rest becomes `%XX` (grpc, doc/PROTOCOL-HTTP2.md, Percent-Encoded).
    static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if (0x20...0x7e).contains(byte), byte != UInt8(ascii: "%") {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

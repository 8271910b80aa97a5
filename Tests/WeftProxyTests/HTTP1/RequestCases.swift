import WeftProxy

/// Requests that are refused, with the reason: RFC 9112's rules one by one, and what desync attacks are made of.
enum RequestCases {
    struct Refused: Sendable {
        let text: String
        let reason: FramingError

        init(_ text: String, _ reason: FramingError) {
            self.text = text
            self.reason = reason
        }

        var bytes: [UInt8] { latin1(text) }
    }

    static let refused = startLines + targets + lineEnds + fieldLines + hosts + lengths + codings + connections

    /// A request with one more field line.
    private static func with(_ field: String, _ reason: FramingError, method: String = "POST") -> Refused {
        Refused("\(method) / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n", reason)
    }

    private static func line(_ text: String, _ reason: FramingError) -> Refused {
        Refused("\(text)\r\nHost: a\r\n\r\n", reason)
    }

    private static let startLines = [
        line("GET  / HTTP/1.1", .malformedRequestLine), line("GET /  HTTP/1.1", .malformedRequestLine),
        line("GET\t/ HTTP/1.1", .malformedMethod), line("GET /\tHTTP/1.1", .malformedRequestLine),
        line("GET / HTTP/1.1 ", .malformedRequestLine), line(" GET / HTTP/1.1", .malformedMethod),
        line("GET / x HTTP/1.1", .malformedRequestLine), line("GET /\tx HTTP/1.1", .malformedRequestLine),
        line("GET /", .malformedRequestLine), line("GET", .malformedRequestLine), line("GET ", .malformedRequestLine),
        line("GET HTTP/1.1", .malformedRequestLine), line("GET  HTTP/1.1", .malformedRequestLine),
        line("G@T / HTTP/1.1", .malformedMethod), line("GE\u{e9} / HTTP/1.1", .malformedMethod),
        line("GET: / HTTP/1.1", .malformedMethod), line("\"GET\" / HTTP/1.1", .malformedMethod),
        line("head / HTTP/1.1", .ambiguousMethod), line("Head / HTTP/1.1", .ambiguousMethod),
        line("Connect a:80 HTTP/1.1", .ambiguousMethod), line("GET / HTTP/1.2", .unsupportedVersion),
        line("GET / HTTP/2.0", .unsupportedVersion), line("PRI * HTTP/2.0", .ambiguousMethod),
        line("PRI / HTTP/1.1", .ambiguousMethod),
        line("GET / HTTP/0.9", .unsupportedVersion), line("GET / http/1.1", .malformedVersion),
        line("GET / HTTP/1.", .malformedVersion), line("GET / HTTP/1", .malformedVersion),
        line("GET / HTTP/11.1", .malformedVersion), line("GET / HTTP/1.10", .malformedVersion),
        line("GET / HTTP/1,1", .malformedVersion), line("GET / HTTP/1.x", .malformedVersion),
        line("GET / HTTPS/1.1", .malformedVersion), line("GET / XTTP/1.1", .malformedVersion),
        line("GET / ICAP/1.0", .malformedVersion), line("GET / HTTP /1.1", .malformedRequestLine),
        Refused("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .emptyStartLine),
        Refused("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareLineFeed),
        Refused("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareCarriageReturn),
        Refused("\r\n GET / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedMethod),
    ]

    private static let targets = [
        line("GET * HTTP/1.1", .malformedTarget), line("GET a HTTP/1.1", .malformedTarget),
        line("GET a:80 HTTP/1.1", .malformedTarget), line("GET ? HTTP/1.1", .malformedTarget),
        line("OPTIONS ** HTTP/1.1", .malformedTarget), line("GET /a#b HTTP/1.1", .malformedTarget),
        line("GET http:/a/ HTTP/1.1", .malformedTarget), line("GET http:// HTTP/1.1", .malformedTarget),
        line("GET http:///x HTTP/1.1", .malformedTarget), line("GET http://u@a/ HTTP/1.1", .malformedTarget),
        line("GET http://a:99999/ HTTP/1.1", .malformedTarget), line("GET http://a:x/ HTTP/1.1", .malformedTarget),
        line("GET 1http://a/ HTTP/1.1", .malformedTarget), line("GET mailto:a HTTP/1.1", .malformedTarget),
        line("GET ://a/ HTTP/1.1", .malformedTarget), line("GET h2://a/ HTTP/1.1", .malformedTarget),
        line("GET a+b://a/ HTTP/1.1", .malformedTarget),
        line("GET http://a\\b/ HTTP/1.1", .malformedTarget), line("GET http://[::1/ HTTP/1.1", .malformedTarget),
        line("CONNECT / HTTP/1.1", .malformedTarget), line("CONNECT a HTTP/1.1", .malformedTarget),
        line("CONNECT a: HTTP/1.1", .malformedTarget), line("CONNECT :80 HTTP/1.1", .malformedTarget),
        line("CONNECT http://a:80/ HTTP/1.1", .malformedTarget), line("CONNECT a:80/ HTTP/1.1", .malformedTarget),
        line("CONNECT u@a:80 HTTP/1.1", .malformedTarget),
        line("GET \u{0}/ HTTP/1.1", .nul), line("GET /\u{1f} HTTP/1.1", .controlCharacter),
        line("GET /\u{7f} HTTP/1.1", .controlCharacter),
    ]

    private static let lineEnds = [
        Refused("GET / HTTP/1.1\nHost: a\n\n", .bareLineFeed),
        Refused("GET / HTTP/1.1\r\nHost: a\n\r\n", .bareLineFeed),
        Refused("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed),
        Refused("GET / HTTP/1.1\rHost: a\r\n\r\n", .bareCarriageReturn),
        Refused("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", .bareCarriageReturn),
        Refused("GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", .bareCarriageReturn),
        Refused("GET / HTTP/1.1\r\nHost: a\r\n\rX", .bareCarriageReturn),
        with("X: a\u{0}b", .nul), with("X\u{0}: a", .nul), with("X: a\u{1}", .controlCharacter),
        with("X: \u{b}a", .controlCharacter), with("X: a\u{c}", .controlCharacter),
        with("X: a\u{7f}", .controlCharacter), with("X: a\u{1b}[0m", .controlCharacter),
        with("X: a\nTransfer-Encoding: chunked", .bareLineFeed),
    ]

    private static let fieldLines = [
        with("X : a", .whitespaceBeforeColon), with("X\t: a", .whitespaceBeforeColon),
        with("Content-Length : 5", .whitespaceBeforeColon), with("Transfer-Encoding : chunked", .whitespaceBeforeColon),
        with(" X: a", .foldedLine), with("\tX: a", .foldedLine), with("X: a\r\n b", .foldedLine),
        with("X: a\r\n\tb", .foldedLine), with("Transfer-Encoding:\r\n chunked", .malformedTransferEncoding),
        Refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .foldedLine), with("X", .missingColon),
        with(": a", .emptyFieldName), with(":", .emptyFieldName), with("X(y): a", .malformedFieldName),
        with("X\u{e9}: a", .malformedFieldName), with("X\"y\": a", .malformedFieldName),
        with("X/y: a", .malformedFieldName), with("\u{a0}Content-Length: 5", .malformedFieldName),
        with("X y: a", .whitespaceBeforeColon), with("[X]: a", .malformedFieldName),
        with("Content-Length\u{a0}: 5", .malformedFieldName), with("\0X: a", .nul),
    ]

    private static let hosts = [
        Refused("GET / HTTP/1.1\r\n\r\n", .missingHost), Refused("GET / HTTP/1.1\r\nX: a\r\n\r\n", .missingHost),
        Refused("GET http://a/ HTTP/1.1\r\n\r\n", .missingHost),
        with("Host: a", .duplicateHost), with("host: b", .duplicateHost),
        Refused("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", .duplicateHost),
        host("a b"), host("a/b"), host("a,b"), host("a, b"), host("u@a"), host("a:b"), host("a:80:80"), host(":80"),
        host("a:65536"), host("a:-1"), host("http://a"), host("a?b"), host("a#b"), host("[::1"), host("[::1]x"),
        host("[]"), host("[::1%eth0]"), host("a%2"), host("a%zz"), host("a\\b"), host("\u{e9}"), host("a\tb"),
        host("a\""), host("<a>"),
        Refused("GET / HTTP/1.0\r\nHost: a b\r\n\r\n", .malformedHost),
        Refused("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", .hostMismatch),
        Refused("GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n", .hostMismatch),
        Refused("GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", .hostMismatch),
        Refused("GET http://a/ HTTP/1.1\r\nHost: a:81\r\n\r\n", .hostMismatch),
        Refused("GET http://a/ HTTP/1.1\r\nHost: aa\r\n\r\n", .hostMismatch),
        Refused("CONNECT a:443 HTTP/1.1\r\nHost: b:443\r\n\r\n", .hostMismatch),
        Refused("CONNECT a:443 HTTP/1.1\r\nHost: a:444\r\n\r\n", .hostMismatch),
        Refused("CONNECT a:443 HTTP/1.1\r\n\r\n", .missingHost),
    ]

    private static func host(_ value: String) -> Refused {
        Refused("GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n", .malformedHost)
    }

    private static let lengths = [
        with("Content-Length:", .malformedLength), with("Content-Length: ", .malformedLength),
        with("Content-Length: +5", .malformedLength), with("Content-Length: -5", .malformedLength),
        with("Content-Length: 0x5", .malformedLength), with("Content-Length: 5.0", .malformedLength),
        with("Content-Length: 5 5", .malformedLength), with("Content-Length: 5a", .malformedLength),
        with("Content-Length: a", .malformedLength), with("Content-Length:\t5", .malformedLength),
        with("Content-Length: 5\t", .malformedLength), with("Content-Length:\t", .malformedLength),
        with("Content-Length: 1_000", .malformedLength),
        with("Content-Length: \"5\"", .malformedLength), with("Content-Length: \u{b2}", .malformedLength),
        with("Content-Length: 5;x=y", .malformedLength), with("Content-Length: 5\u{b}", .controlCharacter),
        with("Content-Length: 5, 5", .duplicateLength), with("Content-Length: 5,6", .duplicateLength),
        with("Content-Length: 5,", .duplicateLength), with("Content-Length: ,5", .duplicateLength),
        with("Content-Length: 5\r\nContent-Length: 5", .duplicateLength),
        with("Content-Length: 5\r\ncontent-length: 6", .duplicateLength),
        with("Content-Length: 0\r\nX: y\r\nCONTENT-LENGTH: 5", .duplicateLength),
        with("Content-Length: 9223372036854775808", .lengthTooLarge),
        with("Content-Length: 18446744073709551616", .lengthTooLarge),
        with("Content-Length: 18446744073709551621", .lengthTooLarge),
        with("Content-Length: 99999999999999999999999999", .lengthTooLarge),
        Refused("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\n\r\n", .unexpectedBody),
        Refused("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nTransfer-Encoding: chunked\r\n\r\n", .unexpectedBody),
    ]

    private static let codings = [
        with("Transfer-Encoding: chunked\r\nContent-Length: 5", .lengthWithTransferEncoding),
        with("Content-Length: 5\r\nTransfer-Encoding: chunked", .lengthWithTransferEncoding),
        with("Content-Length: 0\r\nTransfer-Encoding: chunked", .lengthWithTransferEncoding),
        with("Content-Length: 5\r\nTRANSFER-ENCODING: CHUNKED", .lengthWithTransferEncoding),
        coding("gzip", .chunkedNotLast), coding("identity", .chunkedNotLast), coding("chunked, gzip", .chunkedNotLast),
        coding("chunked, identity", .chunkedNotLast), coding("xchunked", .chunkedNotLast),
        coding("chunkedx", .chunkedNotLast), coding("chunke", .chunkedNotLast), coding("chunk", .chunkedNotLast),
        coding("gzip, chunked", .unknownTransferCoding), coding("x,chunked", .unknownTransferCoding),
        coding("identity, chunked", .unknownTransferCoding), coding("chunked, chunked", .chunkedTwice),
        coding("chunked,gzip,chunked", .chunkedTwice), coding("", .malformedTransferEncoding),
        coding("\tchunked", .malformedTransferEncoding), coding("chunked \t", .malformedTransferEncoding),
        coding("\tchunked,\tchunked", .chunkedTwice), coding(",chunked", .malformedTransferEncoding),
        coding("chunked,", .malformedTransferEncoding),
        coding(", chunked", .malformedTransferEncoding), coding("chunked;q=1", .malformedTransferEncoding),
        coding("chunked ;x", .malformedTransferEncoding), coding("\"chunked\"", .malformedTransferEncoding),
        coding("'chunked'", .chunkedNotLast), coding("chun ked", .malformedTransferEncoding),
        coding("chunked\u{a0}", .malformedTransferEncoding), coding("\u{b}chunked", .controlCharacter),
        coding("chunked\u{0}", .nul), coding("chunked\r\nTransfer-Encoding: chunked", .duplicateTransferEncoding),
        coding("chunked\r\nTransfer-Encoding: identity", .duplicateTransferEncoding),
        coding("identity\r\nTransfer-Encoding: chunked", .chunkedNotLast),
        Refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", .transferEncodingInHTTP10),
        Refused(
            "POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            .transferEncodingInHTTP10
        ),
    ]

    private static func coding(_ value: String, _ reason: FramingError) -> Refused {
        with("Transfer-Encoding: \(value)", reason)
    }

    private static let connections = ["content-length", "Transfer-Encoding", "close, Host", "HOST,keep-alive"].map {
        with("Connection: \($0)", .framingFieldInConnection)
    }
}

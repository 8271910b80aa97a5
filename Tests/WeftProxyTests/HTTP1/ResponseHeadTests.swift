import Testing
import WeftProxy

@Suite struct ResponseHeadTests {
    typealias Event = MessageReader.Event

    private func events(_ text: String, answering method: RequestMethod = .get) -> [Event] {
        let bytes = latin1(text)
        let whole = MessageReader.events([bytes], answering: [method])
        for pieces in Splits.all(bytes) {
            #expect(MessageReader.events(pieces, answering: [method]) == whole, "in \(pieces.map(\.count))")
        }
        return whole
    }

    /// RFC 9112, section 6.3.
    @Test(arguments: [
        ("200 OK", "Content-Length: 5", RequestMethod.get, BodyFraming.length(5)), ("200 OK", "", .get, .untilClose),
        ("200 OK", "Transfer-Encoding: chunked", .get, .chunked), ("200 OK", "Content-Length: 0", .post, .empty),
        ("200 OK", "Content-Length: 5", .head, .empty), ("200 OK", "Transfer-Encoding: chunked", .head, .empty),
        ("200 OK", "", .head, .empty), ("404 Not Found", "Content-Length: 9", .head, .empty),
        ("304 Not Modified", "Content-Length: 5", .get, .empty), ("304 Not Modified", "", .get, .empty),
        ("304 Not Modified", "Transfer-Encoding: chunked", .get, .empty), ("204 No Content", "", .get, .empty),
        ("204 No Content", "Content-Length: 0", .get, .empty), ("205 Reset Content", "Content-Length: 0", .get, .empty),
        ("100 Continue", "", .post, .empty), ("103 Early Hints", "Link: a", .get, .empty),
        ("101 Switching Protocols", "Upgrade: x", .get, .empty), ("200 OK", "", .connect, .empty),
        ("299 OK", "Content-Length: 0", .connect, .empty), ("403 Forbidden", "Content-Length: 5", .connect, .length(5)),
        ("999 Odd", "Content-Length: 1", .get, .length(1)), ("500 ", "", .get, .untilClose),
        ("200", "", .get, .untilClose),
        ("200 \u{e9}\t!", "Content-Length: 1", .get, .length(1)),
    ])
    func framing(status: String, field: String, method: RequestMethod, framing: BodyFraming) throws {
        let line = field.isEmpty ? "" : field + "\r\n"
        let bytes = latin1("HTTP/1.1 \(status)\r\n\(line)\r\n")
        var scanner = ResponseHeadScanner()
        let head = try #require(try scanner.scan(bytes.span.bytes))
        #expect(String(head.status) == status.prefix(3))
        #expect(try head.framing(answering: method) == framing)
        #expect(head.insertionOffset == bytes.count - 2)
    }

    @Test(arguments: [
        ("100 Continue", "Content-Length: 5", RequestMethod.get),
        ("103 Early Hints", "Transfer-Encoding: chunked", .get),
        ("204 No Content", "Content-Length: 5", .get), ("204 No Content", "Transfer-Encoding: chunked", .get),
        ("101 Switching", "Content-Length: 1", .get), ("200 OK", "Content-Length: 5", .connect),
        ("200 OK", "Transfer-Encoding: chunked", .connect), ("204 No Content", "Content-Length: 5", .head),
    ])
    func bodyWhereNoneMayBeIsRefused(status: String, field: String, method: RequestMethod) {
        #expect(events("HTTP/1.1 \(status)\r\n\(field)\r\n\r\n", answering: method) == [.failed(.unexpectedBody)])
    }

    @Test(arguments: [
        ("HTTP/1.1  200 OK", FramingError.malformedStatusLine), ("HTTP/1.1\t200 OK", .malformedStatusLine),
        ("HTTP/1.1 20 OK", .malformedStatusLine), ("HTTP/1.1 2000 OK", .malformedStatusLine),
        ("HTTP/1.1 099 OK", .malformedStatusLine), ("HTTP/1.1 000 OK", .malformedStatusLine),
        ("HTTP/1.1 +20 OK", .malformedStatusLine), ("HTTP/1.1 2x0 OK", .malformedStatusLine),
        ("HTTP/1.1 200\tOK", .malformedStatusLine), ("HTTP/1.1", .malformedStatusLine),
        ("HTTP/1.1 ", .malformedStatusLine),
        ("200 OK", .malformedStatusLine), ("HTTP/2.0 200 OK", .unsupportedVersion),
        ("HTTP/1.2 200 OK", .unsupportedVersion),
        ("http/1.1 200 OK", .malformedVersion), ("ICY 200 OK", .malformedStatusLine),
        ("HTTP/2 200 OK", .malformedStatusLine),
        ("HTTQ/1.1 200 OK", .malformedVersion), ("", .emptyStartLine), ("HTTP/1.1 200 O\u{1}K", .controlCharacter),
        ("HTTP/1.1 200 OK\n", .bareLineFeed), ("HTTP/1.1 200 OK\rX", .bareCarriageReturn), ("HTTP/1.1 200 \u{0}", .nul),
    ])
    func statusLineIsRefused(_ line: String, _ reason: FramingError) {
        #expect(events("\(line)\r\nContent-Length: 0\r\n\r\n") == [.failed(reason)])
    }

    /// Field lines follow the rules of requests.
    @Test(arguments: RequestCases.refused.filter { $0.text.hasPrefix("POST / HTTP/1.1\r\nHost: a\r\n") })
    func fieldLinesAreRefused(_ refused: RequestCases.Refused) {
        guard refused.reason != .duplicateHost else { return }
        let fields = refused.text.dropFirst("POST / HTTP/1.1\r\nHost: a\r\n".count)
        #expect(
            MessageReader.events([latin1("HTTP/1.1 200 OK\r\n" + fields)], answering: [.get]) == [
                .failed(refused.reason)
            ]
        )
    }

    @Test func codingsInHTTP10AreFaulty() {
        let text = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        #expect(events(text) == [.failed(.transferEncodingInHTTP10)])
    }

    @Test func largeHeadIsRefused() {
        let bytes = latin1("HTTP/1.1 200 ") + [UInt8](repeating: 0x61, count: HTTP1Limits.headSize)
        #expect(MessageReader.events([bytes], answering: [.get]) == [.failed(.headTooLarge)])
        #expect(MessageReader.events(bytes.map { [$0] }, answering: [.get]) == [.failed(.headTooLarge)])
    }

    @Test func interimResponsesComeBeforeTheFinalOne() {
        let interim = "HTTP/1.1 100 Continue\r\n\r\n"
        let hints = "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
        let final = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
        let expected: [Event] = [
            .head(latin1(interim), .empty), .end, .head(latin1(hints), .empty), .end,
            .head(latin1(final), .length(2)), .body(latin1("hi")), .end,
        ]
        #expect(events(interim + hints + final + "hi") == expected)
    }

    @Test func bodyUntilCloseEndsWithTheConnection() {
        let head = "HTTP/1.0 200 OK\r\n\r\n"
        #expect(events(head + "all") == [.head(latin1(head), .untilClose), .body(latin1("all")), .end])
        #expect(events(head) == [.head(latin1(head), .untilClose), .end])
    }

    @Test func truncatedMessagesAreSeen() {
        let length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        #expect(events(length + "hell").last == .truncated)
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for body in ["", "5", "5\r\n", "5\r\nhello", "5\r\nhello\r\n", "0", "0\r\n", "0\r\n\r", "0\r\nX: y\r\n"] {
            #expect(events(chunked + body).last == .truncated)
        }
        #expect(events("HTTP/1.1 200 OK\r\n") == [.truncated])
    }
}

import NIOHTTP1
import WeftProxy

/// Every way in which weft and llhttp (NIOHTTP1) differ about a stream, and why that is right.
enum DifferenceTable {
    struct Entry: Sendable {
        let difference: Difference
        let why: String
        /// A stream that shows it.
        let example: String
        var isResponse = false
        /// Whether the difference is this one and not another with the same name.
        var isMeant: @Sendable ([UInt8]) -> Bool = { _ in true }
    }

    static let requests: [Entry] = [
        stricter(.bareLineFeed, "recipients differ in whether it ends a line", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        stricter(.bareCarriageReturn, "the same", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        stricter(.emptyStartLine, "one line is what old clients send", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        stricter(.malformedRequestLine, "spaces that some count to the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        stricter(
            .malformedTarget,
            "RFC 9112, section 3.2: a form for each method",
            "GET * HTTP/1.1\r\nHost: a\r\n\r\n"
        ),
        stricter(.missingHost, "RFC 9112, section 3.2", "GET / HTTP/1.1\r\n\r\n"),
        stricter(.duplicateHost, "the same: who routes by which?", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        stricter(.malformedHost, "the same", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        stricter(.hostMismatch, "heads go on unchanged", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        stricter(.framingFieldInConnection, "the next hop may drop it", post("Connection: content-length") + "\r\n"),
        stricter(.malformedLength, "a tab may become a part of the value", post("Content-Length:\t1") + "\r\nx"),
        stricter(.lengthTooLarge, "signed numbers overflow", post("Content-Length: 9223372036854775808") + "\r\n"),
        stricter(.transferEncodingInHTTP10, "RFC 9112, section 6.1", "POST / HTTP/1.0\r\n\(chunked)\r\n\r\n0\r\n\r\n"),
        stricter(
            .malformedTransferEncoding,
            "who ignores it sees no body",
            post("Transfer-Encoding:") + "\r\n0\r\n\r\n"
        ),
        stricter(.chunkedNotLast, "no end that a request may have", post("Transfer-Encoding: gzip") + "\r\n0\r\n\r\n"),
        stricter(
            .duplicateTransferEncoding,
            "one may be seen",
            post(chunked + "\r\nTransfer-Encoding:") + "\r\n0\r\n\r\n"
        ),
        stricter(.malformedChunkExtension, "careless skipping", post(chunked) + "\r\n1;a=\r\nx\r\n0\r\n\r\n"),
        stricter(.chunkTooLarge, "no 64 bits", post(chunked) + "\r\n00000000000000001\r\nx\r\n0\r\n\r\n"),
        stricter(.unknownTransferCoding, "nobody uses one", post("Transfer-Encoding: gzip, chunked") + "\r\n0\r\n\r\n"),
        stricter(.forbiddenTrailer, "who merges trailers?", post(chunked) + "\r\n0\r\nHost: b\r\n\r\n"),
        stricter(.unexpectedBody, "before a tunnel", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 1\r\n\r\n"),
        Entry(
            difference: .laxer(.invalidMethod),
            why: "RFC 9110, section 9.1: any token is a method; the framing is that of all requests",
            example: "QUERY-ME / HTTP/1.1\r\nHost: a\r\n\r\n",
            isMeant: { MessageReader(reading: $0).requests.contains { $0.method == .other } }
        ),
        Entry(
            difference: .laxer(.invalidURL),
            why: "programs send UTF-8 in targets, and no recipient ends a target there",
            example: "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n",
            isMeant: { $0.contains { $0 >= 0x80 } }
        ),
        Entry(
            difference: .laxer(.closedConnection),
            why: "RFC 9112, appendix C.2.2: Proxy-Connection means nothing",
            example: "GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            isMeant: isProxyConnection
        ),
    ]

    static let responses: [Entry] = [
        response(.bareLineFeed, "recipients differ in whether it ends a line", "\nHTTP/1.1 204 No\r\n\r\n"),
        response(.bareCarriageReturn, "the same", "\rHTTP/1.1 204 No\r\n\r\n"),
        response(.emptyStartLine, "bytes that nobody asked for", "\r\nHTTP/1.1 204 No\r\n\r\n"),
        response(.nul, "the same", "HTTP/1.1 204 \0No\r\n\r\n"),
        response(
            .malformedStatusLine,
            "RFC 9110, section 15: 100 to 999",
            "HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n"
        ),
        response(.malformedChunkExtension, "careless skipping", ok(chunked) + "1;a=\r\nx\r\n0\r\n\r\n"),
        response(.chunkTooLarge, "no 64 bits", ok(chunked) + "00000000000000001\r\nx\r\n0\r\n\r\n"),
        response(.controlCharacter, "RFC 9112, section 4", "HTTP/1.1 204 \u{b}No\r\n\r\n"),
        response(
            .duplicateHost,
            "means nothing; one rule for all heads",
            "HTTP/1.1 204 No\r\nHost: a\r\nHost: a\r\n\r\n"
        ),
        response(.framingFieldInConnection, "may be dropped", "HTTP/1.1 204 No\r\nConnection: content-length\r\n\r\n"),
        response(.malformedLength, "a tab may become a part of it", "HTTP/1.1 200 OK\r\nContent-Length:\t1\r\n\r\nx"),
        response(.lengthTooLarge, "overflows", "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n"),
        response(.transferEncodingInHTTP10, "RFC 9112, section 6.1", "HTTP/1.0 200 OK\r\n\(chunked)\r\n\r\n0\r\n\r\n"),
        response(.malformedTransferEncoding, "a coding?", "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n"),
        response(.chunkedNotLast, "has no end of its own", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
        response(.chunkedTwice, "once?", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
        response(
            .duplicateTransferEncoding,
            "the same",
            "HTTP/1.1 200 OK\r\n\(chunked)\r\n\(chunked)\r\n\r\n0\r\n\r\n"
        ),
        response(
            .unknownTransferCoding,
            "unused",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
        ),
        response(.forbiddenTrailer, "may be merged", "HTTP/1.1 200 OK\r\n\(chunked)\r\n\r\n0\r\nHost: a\r\n\r\n"),
        response(.unexpectedBody, "some would wait for it", "HTTP/1.1 204 No\r\nContent-Length: 1\r\n\r\n"),
        Entry(
            difference: .laxer(.closedConnection),
            why: "RFC 9112, appendix C.2.2: Proxy-Connection means nothing",
            example: "HTTP/1.1 204 No\r\nProxy-Connection: close\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
            isResponse: true,
            isMeant: isProxyConnection
        ),
    ]

    private static let chunked = "Transfer-Encoding: chunked"

    private static func post(_ field: some StringProtocol) -> String { "POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\n" }

    private static func ok(_ field: String) -> String { "HTTP/1.1 200 OK\r\n\(field)\r\n\r\n" }

    private static func stricter(_ reason: FramingError, _ why: String, _ example: String) -> Entry {
        Entry(difference: .stricter(reason), why: why, example: example)
    }

    private static func response(_ reason: FramingError, _ why: String, _ example: String) -> Entry {
        Entry(difference: .stricter(reason), why: why, example: example, isResponse: true)
    }

    @Sendable private static func isProxyConnection(_ bytes: [UInt8]) -> Bool {
        String(decoding: bytes, as: UTF8.self).lowercased().contains("\r\nproxy-connection:")
    }
}

extension MessageReader {
    fileprivate init(reading bytes: [UInt8]) {
        self.init()
        receive(bytes)
    }
}

/// Request smuggling as it is done: a request of which one recipient sees the end before the other does, and behind it
/// the one that should reach the application unseen. The tests of weft's machines and those of real servers share them.
package struct DesyncAttack: Sendable, CustomStringConvertible {
    package let name: String
    /// What the client sends, a byte for each character; `smuggled` follows.
    package let stream: String

    package var description: String { name }

    /// A request of 35 bytes, for the lengths in the streams; its number is what a server's log shows of it.
    package static func smuggled(_ number: Int = 0) -> String {
        let digits = String(number)
        return "GET /smug/\(String(repeating: "0", count: 3 - digits.count) + digits) HTTP/1.1\r\nHost: a\r\n\r\n"
    }

    private static let line = "POST / HTTP/1.1\r\nHost: a\r\n"
    private static let chunked = line + "Transfer-Encoding: chunked\r\n\r\n"

    private static func attack(_ name: String, _ fields: String, body: String = "0\r\n\r\n") -> DesyncAttack {
        DesyncAttack(name: name, stream: line + fields + "\r\n\r\n" + body)
    }

    /// Not to be taken for requests; their first one is broken in its head.
    package static let refused: [DesyncAttack] = [
        attack("CL.TE", "Content-Length: 6\r\nTransfer-Encoding: chunked", body: "0\r\n\r\nG"),
        attack("TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 4"),
        attack("CL.CL", "Content-Length: 0\r\nContent-Length: 35", body: ""),
        attack("CL list", "Content-Length: 0, 35", body: ""),
        attack("CL hidden by case", "Content-Length: 0\r\ncontent-LENGTH: 35", body: ""),
        attack("CL with sign", "Content-Length: +35", body: ""),
        attack("CL beyond 64 bits", "Content-Length: 18446744073709551652", body: ""),
        attack("CL behind a space", "Content-Length : 35", body: ""),
        attack("CL folded", "Content-Length:\r\n 35", body: ""),
        attack("CL behind NUL", "Content-Length: \u{0}35", body: ""),
        attack("CL behind a bare LF", "X: y\nContent-Length: 35", body: ""),
        attack("CL behind a bare CR", "X: y\rContent-Length: 35", body: ""),
        attack("CL named in Connection", "Connection: close, Content-Length\r\nContent-Length: 35", body: ""),
        attack("CL behind a vertical tab", "\u{b}Content-Length: 35", body: ""),
        attack("TE.TE", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x"),
        attack("TE.TE before", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"),
        attack("TE list", "Transfer-Encoding: chunked, identity"),
        attack("TE unknown", "Transfer-Encoding: xchunked"), attack("TE quoted", "Transfer-Encoding: \"chunked\""),
        attack("TE with tab", "Transfer-Encoding:\tchunked"),
        attack("TE behind a space", "Transfer-Encoding : chunked"),
        attack("TE with vertical tab", "Transfer-Encoding:\u{b}chunked"),
        attack("TE folded", "X: y\r\n Transfer-Encoding: chunked"),
        attack("TE folded value", "Transfer-Encoding:\r\n chunked"),
        attack("TE behind a bare LF", "X: y\nTransfer-Encoding: chunked"),
        attack("TE behind a bare CR", "X: y\rTransfer-Encoding: chunked"),
        attack("TE behind NUL", "Transfer-Encoding: chunked\u{0}"),
        attack("TE empty element", "Transfer-Encoding: ,chunked"),
        attack("TE with parameter", "Transfer-Encoding: chunked;x=y"), attack("TE empty", "Transfer-Encoding:"),
        attack("TE with a letter of Latin 1", "Transfer-Encoding: ch\u{fc}nked"),
        attack("first line folded", " Transfer-Encoding: chunked"),
        .init(
            name: "TE in HTTP/1.0",
            stream: "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        .init(name: "HTTP/0.9", stream: "GET /\r\n"), .init(name: "no version", stream: "GET / \r\nHost: a\r\n\r\n"),
        .init(name: "head in small letters", stream: "head / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
        .init(name: "two hosts", stream: "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        .init(name: "two hosts in one", stream: "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"),
        .init(name: "CONNECT with a body", stream: "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 35\r\n\r\n"),
    ]

    /// Requests that turn out to have no end.
    package static let refusedInBody: [DesyncAttack] = [
        "0\n\n", "0\r\n\n", "00000000000000000\r\n\r\n", "0 \r\n\r\n", "0;\n\r\n\r\n", "0;a\nb\r\n\r\n",
        "0;a=\"\r\n\"\r\n\r\n",
        "0x0\r\n\r\n", "-0\r\n\r\n", "\r\n0\r\n\r\n", "0\r\nContent-Length: 35\r\n\r\n", "0\r\nHost: b\r\n\r\n",
        "0\rX\r\n\r\n",
        "0\r\nX : y\r\n\r\n", "0\r\n X\r\n\r\n", "0\r\nX\n\r\n", "2\r\nxxG", "2\r\nxx\n0\r\n\r\n",
        "1\r\nxx\r\n0\r\n\r\n",
        "10000000000000000\r\n", "ffffffffffffffff\r\n", "1\r\nx\rX0\r\n\r\n",
    ].map { DesyncAttack(name: $0.debugDescription, stream: chunked + $0) }

    private static func long(_ count: Int) -> String { String(repeating: "x", count: count) }

    /// Beyond what weft reads of a head.
    package static let tooLarge: [DesyncAttack] = [
        attack("field too large", "X: \(long(70_000))\r\nContent-Length: 35", body: ""),
        .init(name: "target too large", stream: "GET /\(long(70_000)) HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]

    /// Beyond what weft reads between the data of a body.
    package static let tooLargeInBody: [DesyncAttack] = [
        .init(name: "chunk extension too large", stream: chunked + "0;\(long(20_000))\r\n\r\n"),
        .init(name: "trailers too large", stream: chunked + "0\r\nX: \(long(20_000))\r\n\r\n"),
    ]

    /// Whole requests: the other one is their body, to everybody.
    package static let sound: [DesyncAttack] = [
        .init(name: "in a length", stream: line + "Content-Length: 35\r\n\r\n" + smuggled()),
        .init(name: "in a chunk", stream: chunked + "23\r\n" + smuggled() + "\r\n0\r\n\r\n"),
        .init(
            name: "in the body of GET",
            stream: "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n" + smuggled()
        ),
    ]
}

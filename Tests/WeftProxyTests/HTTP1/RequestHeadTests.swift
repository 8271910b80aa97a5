import Testing
import WeftProxy

@Suite struct RequestHeadTests {
    private func head(_ text: String) throws -> (RequestHead, [UInt8]) {
        let bytes = latin1(text)
        var scanner = RequestHeadScanner()
        return (try #require(try scanner.scan(bytes.span.bytes)), bytes)
    }

    private func text(_ slice: HeadSlice, _ bytes: [UInt8]) -> String {
        String(decoding: bytes[slice.range], as: UTF8.self)
    }

    @Test func headIsFoundInPlace() throws {
        let fields = "Host: example.com:8080\r\nUser-Agent: x\r\nTraceparent:  00-1-2-03 \r\nTE: gzip, trailers\r\n"
        let (head, bytes) = try head("PURGE /a/b?c=d HTTP/1.1\r\n\(fields)\r\nGET / HTTP")
        #expect(head.method == .other)
        #expect(text(head.methodName, bytes) == "PURGE")
        #expect(text(head.target, bytes) == "/a/b?c=d")
        #expect(text(head.path(in: bytes.span.bytes), bytes) == "/a/b")
        #expect(text(head.authority, bytes) == "example.com:8080")
        #expect(text(head.traceParent, bytes) == "00-1-2-03")
        #expect(head.hasTraceParent && head.acceptsTrailers && head.persists && !head.offersUpgrade)
        #expect((head.form, head.version, head.framing, head.leading) == (.origin, .http11, .empty, 0))
        #expect(head.length == bytes.count - 10)
        #expect(head.insertionOffset == head.length - 2)
        #expect(text(HeadSlice(head.fieldsStart..<head.insertionOffset), bytes) == fields)
    }

    @Test func oneEmptyLineBeforeTheRequestIsNotForwarded() throws {
        let (head, bytes) = try head("\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect((head.leading, head.length) == (2, bytes.count))
        #expect(text(head.target, bytes) == "/x")
        #expect(text(head.authority, bytes) == "a")
    }

    @Test(arguments: [
        ("GET", RequestMethod.get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("DELETE", .delete),
        ("OPTIONS", .options), ("TRACE", .trace), ("PATCH", .patch), ("get", .other), ("GETT", .other), ("G", .other),
        ("PROPFIND", .other), ("VERSION-CONTROL", .other), ("CONNECTX", .other), ("XCONNECT", .other),
        ("xxxxxxxxHEAD", .other), ("M-SEARCH", .other), ("!#$%&'*+-.^_`|~", .other),
    ])
    func method(_ name: String, _ method: RequestMethod) throws {
        let (head, bytes) = try head("\(name) / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(head.method == method)
        #expect(text(head.methodName, bytes) == name)
    }

    struct Target: Sendable {
        let line: String
        let host: String
        let form: TargetForm
        let path: String
        let authority: String
    }

    @Test(arguments: [
        Target(line: "GET /", host: "a", form: .origin, path: "/", authority: "a"),
        Target(line: "GET /", host: "", form: .origin, path: "/", authority: ""),
        Target(line: "GET //b/c?d?e", host: "a", form: .origin, path: "//b/c", authority: "a"),
        Target(line: "GET /%zz|{}\"<>\\^`", host: "a:", form: .origin, path: "/%zz|{}\"<>\\^`", authority: "a:"),
        Target(line: "GET /?", host: "[::1]:80", form: .origin, path: "/", authority: "[::1]:80"),
        Target(line: "OPTIONS *", host: "a", form: .asterisk, path: "", authority: "a"),
        Target(line: "OPTIONS /", host: "a_b.c-d", form: .origin, path: "/", authority: "a_b.c-d"),
        Target(line: "GET http://a/x?y", host: "a", form: .absolute, path: "/x", authority: "a"),
        Target(line: "GET http://A.example", host: "a.EXAMPLE", form: .absolute, path: "", authority: "A.example"),
        Target(line: "GET http://a:80?x", host: "a", form: .absolute, path: "", authority: "a:80"),
        Target(line: "GET http://a/", host: "a:80", form: .absolute, path: "/", authority: "a"),
        Target(line: "GET http://a:/", host: "a", form: .absolute, path: "/", authority: "a:"),
        Target(
            line: "GET coap://[::1]:8080/",
            host: "[::1]:8080",
            form: .absolute,
            path: "/",
            authority: "[::1]:8080"
        ),
        Target(line: "CONNECT a:443", host: "a:443", form: .authority, path: "", authority: "a:443"),
        Target(line: "CONNECT a:443", host: "A", form: .authority, path: "", authority: "a:443"),
        Target(line: "CONNECT [fe80::1]:1", host: "[fe80::1]:1", form: .authority, path: "", authority: "[fe80::1]:1"),
        Target(
            line: "GET /",
            host: "%2Fvar%2Frun%2Fdocker.sock",
            form: .origin,
            path: "/",
            authority: "%2Fvar%2Frun%2Fdocker.sock"
        ),
    ])
    func target(_ target: Target) throws {
        let (head, bytes) = try head("\(target.line) HTTP/1.1\r\nHost: \(target.host)\r\n\r\n")
        #expect(head.form == target.form)
        #expect(text(head.path(in: bytes.span.bytes), bytes) == target.path)
        #expect(text(head.authority, bytes) == target.authority)
    }

    /// RFC 9112, section 9.3.
    @Test(arguments: [
        ("1.1", "", true), ("1.1", "Connection: close", false), ("1.1", "Connection: x, CLOSE", false),
        ("1.1", "Connection: keep-alive", true), ("1.1", "Connection: keep-alive\r\nConnection: close", false),
        ("1.1", "Connection: ,, upgrade ,", true), ("1.1", "Connection: close;x", false),
        ("1.1", "Connection: a b", false),
        ("1.0", "", false), ("1.0", "Connection: Keep-Alive", true), ("1.0", "Connection: keep-alive, close", false),
        ("1.1", "Proxy-Connection: close", true), ("1.1", "X-Connection: close", true),
    ])
    func persistence(version: String, field: String, persists: Bool) throws {
        let line = field.isEmpty ? "" : field + "\r\n"
        #expect(try head("GET / HTTP/\(version)\r\nHost: a\r\n\(line)\r\n").0.persists == persists)
    }

    @Test(arguments: [
        ("", BodyFraming.empty), ("Content-Length: 0", .empty), ("content-LENGTH:5", .length(5)),
        ("Content-Length:   0005  ", .length(5)), ("Content-Length: 9223372036854775807", .length(.max / 2)),
        ("Transfer-Encoding: chunked", .chunked), ("TRANSFER-encoding:  Chunked ", .chunked),
        ("X-Content-Length: 5", .empty), ("Content_Length: 5", .empty), ("Content-Lengths: 5", .empty),
    ])
    func framing(_ field: String, _ framing: BodyFraming) throws {
        let line = field.isEmpty ? "" : field + "\r\n"
        #expect(try head("POST / HTTP/1.1\r\n\(line)Host: a\r\n\r\n").0.framing == framing)
    }

    @Test func expectationsAndUpgradesAreOfHTTP11() throws {
        let fields = "Host: a\r\nExpect: 100-Continue\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\n"
        let (new, bytes) = try head("POST / HTTP/1.1\r\n\(fields)")
        #expect(new.expectsContinue && new.offersUpgrade)
        #expect(text(new.upgrade, bytes) == "websocket")
        let (old, _) = try head("POST / HTTP/1.0\r\n\(fields)")
        #expect(!old.expectsContinue && !old.offersUpgrade)
        let (empty, _) = try head("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n")
        #expect(!empty.expectsContinue, "there is no body to wait for")
        let (other, _) = try head("POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n")
        #expect(!other.expectsContinue)
    }

    @Test func otherFieldsAreFoundByName() throws {
        let (head, bytes) = try head(
            "\r\nGET / HTTP/1.1\r\nHost: a\r\nX-Beta:\t 1 \r\nX: y:z\r\nX: 2\r\nEmpty:\r\n\r\n"
        )
        func value(_ name: String) -> String? {
            head.value(of: latin1(name), in: bytes.span.bytes).map { text($0, bytes) }
        }
        #expect(value("x-beta") == "1")
        #expect(value("x") == "y:z")
        #expect(value("empty") == "")
        #expect(value("host") == "a")
        #expect(value("x-bet") == nil)
        #expect(value("x-beta-2") == nil)
        #expect(value("") == nil)
    }

    @Test func bytesFrom80UpAreText() throws {
        let (head, bytes) = try head("GET /\u{e9}?\u{ff} HTTP/1.1\r\nHost: a\r\nX: \u{80}\u{ff}\r\n\r\n")
        #expect(head.target.count == 4)
        #expect(head.value(of: latin1("x"), in: bytes.span.bytes)?.count == 2)
    }

    @Test func scannerGoesOnWithTheNextHead() throws {
        var scanner = RequestHeadScanner()
        let bytes = latin1("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.0\r\n\r\n")
        let first = try #require(try scanner.scan(bytes.span.bytes))
        #expect(!scanner.isPartial)
        let rest = Array(bytes[first.length...])
        let second = try #require(try scanner.scan(rest.span.bytes))
        #expect(text(second.target, rest) == "/2")
        #expect((second.version, second.length, second.authority.isEmpty) == (.http10, rest.count, true))
    }
}

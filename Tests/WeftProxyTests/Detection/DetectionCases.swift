import WeftProxy

/// First bytes of clients, and what they are.
enum DetectionCases {
    struct Case: Sendable {
        let name: String
        let bytes: [UInt8]
        let found: WireProtocol
    }

    /// Each is decided by its bytes, with the last of them at the latest.
    static let decided = http1 + http2 + hellos + others

    private static func text(_ text: String, _ found: WireProtocol) -> Case {
        Case(name: text.debugDescription, bytes: latin1(text), found: found)
    }

    private static let http1 =
        [
            "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "REPORT",
            "QUERY",
            "M-SEARCH", "VERSION-CONTROL", "X", "X!#$%&'*+-.^_`|~9", String(repeating: "M", count: 32),
        ].map { text("\($0) /a?b HTTP/1.1\r\n", .http1) }
        + [
            "GET / HTTP/1.0\r\n", "GET http://a/ HTTP/1.1\r\n", "CONNECT a:443 HTTP/1.1\r\n", "OPTIONS * HTTP/1.1\r\n",
            "\r\nGET / HTTP/1.1\r\n", "\n\nGET / HTTP/1.1\n",
            // Broken, and refused by the scanner.
            "GET / HTTP/1.1\n", "GET  /  HTTP/1.1\r\n", "GET\t/\tHTTP/1.1\r\n", "GET / HTTP/1.1 \r\n",
            "GET / a HTTP/1.1\r\n",
            "GET / http/1.1\r\n", "GET / HTTP/0.9\r\n", "GET / HTTP/2.0\r\n", "GET / HTTP/9\r\n",
            "GET /\0 HTTP/1.1\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX", "PRI * HTTP/2.0\r\n\r\nGET", "PRI / HTTP/1.1\r\n", "P / HTTP/1.1\r\n",
        ].map { text($0, .http1) }

    private static let http2 = [text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .http2)]

    private static let hellos: [Case] = [
        Case(
            name: "TLS with a name",
            bytes: Hello(name: "API.example.com").bytes,
            found: .tls(serverName: "api.example.com")
        ),
        Case(name: "TLS without a name", bytes: Hello(name: nil).bytes, found: .tls(serverName: nil)),
        Case(name: "TLS without extensions", bytes: Hello(hasExtensions: false).bytes, found: .tls(serverName: nil)),
        Case(name: "TLS with an address", bytes: Hello(name: "10.0.0.1").bytes, found: .tls(serverName: "10.0.0.1")),
        Case(name: "TLS with an odd name", bytes: Hello(name: "a b").bytes, found: .tls(serverName: nil)),
        Case(name: "TLS with a binary name", bytes: Hello(name: "a\0").bytes, found: .tls(serverName: nil)),
        Case(name: "TLS with an empty name", bytes: Hello(name: "").bytes, found: .tls(serverName: nil)),
        Case(
            name: "TLS with a long name",
            bytes: Hello(name: String(repeating: "a", count: 256)).bytes,
            found: .tls(serverName: nil)
        ),
        Case(name: "TLS 1.0", bytes: Hello(name: "old", record: 1).bytes, found: .tls(serverName: "old")),
        Case(
            name: "TLS with keys of 1.2 KB",
            bytes: Hello(name: "pq", padding: 1200).bytes,
            found: .tls(serverName: "pq")
        ),
        Case(name: "TLS of garbage", bytes: [22, 3, 1, 0, 5, 1, 0xff, 0xff, 0xff, 0xff], found: .tls(serverName: nil)),
        Case(name: "no TLS: version 2", bytes: [22, 2], found: .opaque),
        Case(name: "no TLS: version 3.5", bytes: [22, 3, 5], found: .opaque),
        Case(name: "no TLS: too short", bytes: [22, 3, 1, 0, 4, 1], found: .opaque),
        Case(name: "no TLS: too long", bytes: [22, 3, 1, 0x40, 1, 1], found: .opaque),
        Case(name: "no hello: finished", bytes: [22, 3, 3, 0, 40, 20], found: .opaque),
        Case(name: "no hello: alert", bytes: [21], found: .opaque),
    ]

    /// What weft must never touch.
    static let others: [Case] =
        [
            // Redis: inline, RESP, and what people type.
            "PING\r\n", "*1\r\n$4\r\nPING\r\n", "*2\r\n$3\r\nGET\r\n$12\r\n/ HTTP/1.1\r\n\r\n", "GET key\r\n",
            "GET /key\r\n",
            "SET /key value\r\n", "HELLO 3\r\n", "info replication\r\n", "MGET a http/1x HTTP\r\n",
            // No method of anybody's: what begins so is known at once.
            "get /a?b HTTP/1.1\r\n", "Get / HTTP/1.1\r\n", "!GET / HTTP/1.1\r\n", "x-lower / HTTP/1.1\r\n", "hello",
            "e",
            // memcached.
            "get key\r\n", "get /key\r\n", "get http/1.1\r\n", "get a http/1.1\r\n", "gets a b\r\n", "version\r\n",
            "set a 0 0 5\r\nhello\r\n", "delete /a\r\n", "mn\r\n", "mg /a v\r\n", "stats\r\n", "\u{80}\u{0}\u{0}\u{3}",
            // PostgreSQL (SSLRequest, startup), MySQL's and SQL Server's first packets, MongoDB, Cassandra.
            "\0\0\0\u{8}\u{4}\u{d2}\u{16}\u{2f}", "\0\0\0\u{29}\0\u{3}\0\0user\0", " \0\0\u{1}\u{85}\u{a6}",
            "T\0\0\u{1}\u{8d}",
            "\u{12}\u{1}\0\u{2f}", ":\0\0\0\u{1}\0\0\0", "!\0\0\0\u{1}", "\u{4}\0\0\0\u{5}", "A \0\u{1}\u{85}",
            // SMTP, POP3, IMAP, FTP: servers speak first, but clients may be early.
            "EHLO client.example\r\n", "HELO a\r\n", "MAIL FROM:<a@b>\r\n", "USER anonymous\r\n", "a1 LOGIN a b\r\n",
            "LIST /\r\n", "RETR /pub/HTTP/1.1\r\n",
            // Message queues.
            "AMQP\0\0\u{9}\u{1}", "AMQP\u{3}\u{1}\0\0", "\u{10}\u{10}\0\u{4}MQTT", "\0\0\0\u{23}\0\u{12}\0\u{4}",
            "CONNECT {\"verbose\":false}\r\n", "CONNECT\nhost:/\n\n\0", "PUB a 5\r\nhello\r\n", "SUB a 1\r\n",
            "  V2SUB",
            "put 0 0 0 5\r\n", "STOMP\nhost:a\n\n\0",
            // Others that begin with words, tokens or blanks.
            "SSH-2.0-OpenSSH_9.6p1 Debian-3\r\n", "OPTIONS rtsp://a/ RTSP/1.0\r\n", "DESCRIBE /a RTSP/1.0\r\n",
            "INVITE sip:a@b SIP/2.0\r\n", "OPTIONS icap://a/ ICAP/1.0\r\n", "NICK a\r\n", "CAP LS 302\r\n",
            "GET / RTSP/1.0\r\n",
            "GET /\r\n", "GET / HTTP\r\n", "GET / HTTP/\r\n", "GET / HTTP/x\r\n", "GET HTTP/1.1\r\n",
            "GET /HTTP/1.1\r\n",
            "GET / XHTTP/1.1\r\n", "get / http/1.1\r\n", "8=FIX.4.2\u{1}9=65\u{1}", "0\u{c}\u{2}\u{1}\u{1}`\u{7}",
            "\u{13}BitTorrent protocol", "\u{3}\0\0\u{13}\u{e}\u{e0}", "\u{1}", "\u{ff}SMB", "<?xml", "{\"a\":1}",
            " GET / HTTP/1.1\r\n",
            "\tGET /", "GE\u{e9}", "GET: /", "\"GET\" /", "GET \r\n", "GET\r\n", "GET \n", "GET \0", "GET \u{1}/",
            "x /\0",
            String(repeating: "M", count: 33),
        ].map { text($0, .opaque) }
}

/// Writes a client's hello.
struct Hello {
    var name: String?
    var record: UInt8 = 3
    var hasExtensions = true
    /// Bytes of an extension in front of the name.
    var padding = 0

    var bytes: [UInt8] {
        var body: [UInt8] = [3, 3] + [UInt8](repeating: 0xab, count: 32)
        body += [32] + [UInt8](repeating: 0xcd, count: 32) + [0, 2, 0x13, 1, 1, 0]
        if hasExtensions { body += Self.sized(Self.sized([], type: 51, padding: padding) + serverName) }
        let message = [1, 0] + Self.sized(body)
        return [22, 3, record] + Self.sized(message)
    }

    private var serverName: [UInt8] {
        guard let name else { return [] }
        return Self.sized(Self.sized([0] + Self.sized(latin1(name))), type: 0)
    }

    private static func sized(_ bytes: [UInt8], type: UInt8, padding: Int = 0) -> [UInt8] {
        [0, type] + sized(bytes + [UInt8](repeating: 0, count: padding))
    }

    private static func sized(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xff)] + bytes
    }
}

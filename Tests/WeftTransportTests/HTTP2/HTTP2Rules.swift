extension RawFrame {
    fileprivate init(_ kind: Kind, _ flags: UInt8 = 0, on stream: UInt32, _ payload: [UInt8] = []) {
        self.init(kind: kind, flags: flags, stream: stream, payload: payload)
    }

    // MARK: Fields (RFC 7541)

    static let get: [UInt8] = [0x82, 0x86, 0x84, 0x41, 1, 0x61]
    fileprivate static let post: [UInt8] = [0x83, 0x86, 0x84, 0x41, 1, 0x61]

    /// Literal, and not indexed.
    fileprivate static func field(_ name: String, _ value: String) -> [UInt8] {
        [0, UInt8(name.utf8.count)] + name.utf8 + [UInt8(value.utf8.count)] + value.utf8
    }

    // MARK: What requests are made of

    static func head(
        _ fields: [UInt8] = get,
        on stream: UInt32 = 1,
        ends: Bool = true,
        more: Bool = false
    ) -> RawFrame {
        RawFrame(.headers, (ends ? end : 0) | (more ? 0 : endHeaders), on: stream, fields)
    }

    fileprivate static func data(_ count: Int, on stream: UInt32 = 1, ends: Bool = false) -> RawFrame {
        .data(stream, [UInt8](repeating: 0x61, count: count), end: ends)
    }

    fileprivate static func setting(_ identifier: UInt16, _ value: UInt32, on stream: UInt32 = 0) -> RawFrame {
        var frame = settings([(identifier, value)])
        frame.stream = stream
        return frame
    }

    fileprivate static func update(_ stream: UInt32, by increment: UInt32) -> RawFrame {
        RawFrame(.windowUpdate, on: stream, bytes(increment))
    }
}

/// A rule of RFC 9113 or 7541: what a client sends behind its preface, and what follows from it.
struct HTTP2Rule {
    enum Outcome {
        /// Nothing is said against it.
        case fine
        /// GOAWAY with one of these codes, or the connection's end.
        case connection([UInt32])
        /// RST_STREAM of the first stream with one of these codes, and the connection goes on; or the same as above.
        case stream([UInt32])
    }

    let section: String
    let what: String
    let frames: [RawFrame]
    let outcome: Outcome

    init(_ section: String, _ what: String, _ outcome: Outcome, _ frames: RawFrame...) {
        (self.section, self.what, self.frames, self.outcome) = (section, what, frames, outcome)
    }
}

extension HTTP2Rule {
    private static let wrong = Outcome.connection([1])
    private static let size = Outcome.connection([6])
    private static let malformed = Outcome.stream([1])
    private static let closed = Outcome.stream([5])

    static let all = framing + streams + headersAndData + control + settings + windows + fields + compression

    private static let framing: [HTTP2Rule] = [
        .init("4.1", "a frame of an unknown type", .fine, RawFrame(.unknown, on: 0, [1, 2, 3])),
        .init("4.1", "unknown flags", .fine, RawFrame(.ping, 0x16, on: 0, [UInt8](repeating: 1, count: 8))),
        .init("4.1", "the reserved bit", .fine, RawFrame(.ping, on: 1 << 31, [UInt8](repeating: 1, count: 8))),
        .init("4.2", "DATA of 16 KiB", .fine, .head(RawFrame.post, ends: false), .data(1 << 14, ends: true)),
        .init("4.2", "DATA above the limit", .stream([6]), .head(RawFrame.post, ends: false), .data((1 << 16) + 1)),
        .init("4.2", "HEADERS above the limit", size, .head([UInt8](repeating: 0x82, count: (1 << 16) + 1))),
        .init("4.3", "PRIORITY within fields", wrong, .head(more: true), RawFrame(.priority, on: 1, [0, 0, 0, 3, 1])),
        .init("4.3", "other HEADERS within fields", wrong, .head(more: true), .head(on: 3)),
        .init("5.5", "an unknown frame within fields", wrong, .head(more: true), RawFrame(.unknown, on: 1, [1])),
    ]

    private static let streams: [HTTP2Rule] = [
        .init("5.1", "DATA on an idle stream", .connection([1, 5]), .data(4)),
        .init("5.1", "RST_STREAM of an idle stream", wrong, .reset(1, 8)),
        .init("5.1", "WINDOW_UPDATE of an idle stream", wrong, .update(1, by: 8)),
        .init("5.1", "CONTINUATION on an idle stream", wrong, RawFrame(.continuation, 4, on: 1, RawFrame.get)),
        .init("5.1", "DATA behind the end", closed, .head(), .data(4)),
        // The library's word for it is the first; the RFC has the second.
        .init("5.1", "HEADERS behind the end", .stream([1, 5]), .head(), .head()),
        .init("5.1", "CONTINUATION behind the end", .connection([1, 5]), .head(), RawFrame(.continuation, 4, on: 1)),
        .init("5.1.1", "an even stream", wrong, .head(on: 2)),
        .init("5.1.1", "a stream below the last", .connection([1, 5]), .head(on: 5), .head(on: 3)),
    ]

    private static let headersAndData: [HTTP2Rule] = [
        .init("6.1", "DATA on stream 0", wrong, .data(4, on: 0)),
        .init(
            "6.1",
            "DATA with more padding than bytes",
            wrong,
            .head(RawFrame.post, ends: false),
            RawFrame(.data, 8, on: 1, [6, 1, 2, 3, 4])
        ),
        .init(
            "6.1",
            "DATA that is all padding",
            .fine,
            .head(RawFrame.post, ends: false),
            RawFrame(.data, 9, on: 1, [2, 0, 0])
        ),
        .init("6.2", "HEADERS on stream 0", wrong, .head(on: 0)),
        .init("6.2", "HEADERS with more padding than bytes", wrong, RawFrame(.headers, 13, on: 1, [9] + RawFrame.get)),
        .init("6.2", "HEADERS with padding", .fine, RawFrame(.headers, 13, on: 1, [2] + RawFrame.get + [0, 0])),
        .init("6.3", "PRIORITY on stream 0", wrong, RawFrame(.priority, on: 0, [0, 0, 0, 1, 1])),
        .init("6.3", "PRIORITY of four bytes", .stream([6]), RawFrame(.priority, on: 1, [0, 0, 0, 3])),
        .init("6.3", "PRIORITY of an idle stream", .fine, RawFrame(.priority, on: 9, [0, 0, 0, 3, 1])),
        .init(
            "6.10",
            "fields in three frames",
            .fine,
            .head([0x82], more: true),
            RawFrame(.continuation, 0, on: 1, [0x86, 0x84]),
            RawFrame(.continuation, 4, on: 1, [0x41, 1, 0x61])
        ),
        .init("6.10", "DATA within fields", wrong, .head(more: true), .data(4)),
        .init("6.10", "CONTINUATION on stream 0", wrong, .head(more: true), RawFrame(.continuation, 4, on: 0)),
        .init("6.10", "CONTINUATION of complete fields", wrong, .head(ends: false), RawFrame(.continuation, 4, on: 1)),
        .init("8.1", "HEADERS in the middle", malformed, .head(RawFrame.post, ends: false), .head(ends: false)),
    ]

    private static let control: [HTTP2Rule] = [
        .init("6.4", "RST_STREAM of stream 0", wrong, .reset(0, 8)),
        .init("6.4", "RST_STREAM of three bytes", size, .head(), RawFrame(.reset, on: 1, [0, 0, 8])),
        .init("6.6", "PUSH_PROMISE of a client", wrong, .head(), RawFrame(.pushPromise, 4, on: 1, [0, 0, 0, 2, 0x82])),
        .init("6.7", "PING", .fine, RawFrame(.ping, on: 0, [UInt8](repeating: 7, count: 8))),
        .init("6.7", "an answer to no PING", .fine, RawFrame(.ping, 1, on: 0, [UInt8](repeating: 7, count: 8))),
        .init("6.7", "PING on a stream", wrong, RawFrame(.ping, on: 1, [UInt8](repeating: 7, count: 8))),
        .init("6.7", "PING of six bytes", size, RawFrame(.ping, on: 0, [UInt8](repeating: 7, count: 6))),
        .init("6.8", "GOAWAY on a stream", wrong, RawFrame(.goAway, on: 1, [UInt8](repeating: 0, count: 8))),
        .init("7", "GOAWAY with an unknown code", .fine, RawFrame(.goAway, on: 0, [0, 0, 0, 0, 0, 0, 0, 0xff])),
        .init(
            "7",
            "RST_STREAM with an unknown code",
            .fine,
            .head(),
            .reset(1, 0xff)
        ),
    ]

    private static let settings: [HTTP2Rule] = [
        .init("6.5", "an answer with settings", size, RawFrame(.settings, 1, on: 0, RawFrame.setting(1, 0).payload)),
        .init("6.5", "SETTINGS on a stream", wrong, .setting(3, 100, on: 1)),
        .init("6.5", "SETTINGS of three bytes", size, RawFrame(.settings, on: 0, [0, 3, 0])),
        .init("6.5.2", "push neither on nor off", wrong, .setting(2, 2)),
        .init(
            "6.5.2",
            "a window above 2^31 - 1",
            .connection([3]),
            .setting(4, 1 << 31)
        ),
        .init("6.5.2", "frames under 16 KiB", wrong, .setting(5, 16_383)),
        .init("6.5.2", "frames above 16 MiB", wrong, .setting(5, 1 << 24)),
        .init("6.5.2", "an unknown setting", .fine, .setting(0xff, 1)),
    ]

    private static let windows: [HTTP2Rule] = [
        .init("6.9", "an update by nothing", wrong, .update(0, by: 0)),
        .init(
            "6.9",
            "an update of a stream by nothing",
            malformed,
            .head(ends: false),
            .update(1, by: 0)
        ),
        .init("6.9", "an update of three bytes", size, RawFrame(.windowUpdate, on: 0, [0, 0, 1])),
        .init(
            "6.9.1",
            "a window above 2^31 - 1",
            .connection([3]),
            .update(0, by: (1 << 31) - 1),
            .update(0, by: (1 << 31) - 1)
        ),
        .init(
            "6.9.1",
            "a stream's window above 2^31 - 1",
            .stream([3]),
            .head(ends: false),
            .update(1, by: (1 << 31) - 1)
        ),
    ]

    private static func request(_ section: String, _ what: String, _ fields: [UInt8]) -> HTTP2Rule {
        HTTP2Rule(section, what, malformed, .head(fields))
    }

    /// RFC 9113, section 8: a malformed request is a stream error, and not forwarded.
    private static let fields: [HTTP2Rule] = [
        request("8.2.1", "a name with a capital", RawFrame.get + RawFrame.field("X-Test", "ok")),
        request("8.2.1", "a name with a space", RawFrame.get + RawFrame.field("x test", "ok")),
        request("8.2.1", "a value with a line's end", RawFrame.get + RawFrame.field("x", "a\nb")),
        request("8.2.1", "a value with NUL", RawFrame.get + RawFrame.field("x", "a\0b")),
        request("8.2.2", "connection", RawFrame.get + RawFrame.field("connection", "keep-alive")),
        request("8.2.2", "keep-alive", RawFrame.get + RawFrame.field("keep-alive", "timeout=5")),
        request("8.2.2", "te with other than trailers", RawFrame.get + RawFrame.field("te", "trailers, deflate")),
        request("8.3", "an unknown pseudo-field", RawFrame.get + RawFrame.field(":test", "ok")),
        request("8.3", "a response's pseudo-field", RawFrame.get + RawFrame.field(":status", "200")),
        request("8.3", "a pseudo-field behind others", [0x82, 0x86] + RawFrame.field("x", "y") + [0x84]),
        request("8.3.1", "an empty path", [0x82, 0x86] + RawFrame.field(":path", "")),
        request("8.3.1", "no method", [0x86, 0x84]),
        request("8.3.1", "no scheme", [0x82, 0x84]),
        request("8.3.1", "no path", [0x82, 0x86]),
        request("8.3.1", "two methods", [0x82, 0x82, 0x86, 0x84]),
        request("8.3.1", "two schemes", [0x82, 0x86, 0x86, 0x84]),
        request("8.3.1", "two paths", [0x82, 0x86, 0x84, 0x84]),
        .init(
            "8.1",
            "a pseudo-field in trailers",
            malformed,
            .head(RawFrame.post, ends: false),
            .data(4),
            .head(RawFrame.field(":method", "GET"))
        ),
        .init(
            "8.1.1",
            "more bytes than announced",
            malformed,
            .head(RawFrame.post + RawFrame.field("content-length", "1"), ends: false),
            .data(4, ends: true)
        ),
        .init(
            "8.1.1",
            "fewer bytes than announced",
            malformed,
            .head(RawFrame.post + RawFrame.field("content-length", "9"), ends: false),
            .data(4),
            .data(4, ends: true)
        ),
    ]

    private static let broken = Outcome.connection([9])

    private static let compression: [HTTP2Rule] = [
        .init("RFC 7541, 2.3.3", "an index that is not there", broken, .head(RawFrame.get + [0xff, 0x80, 0x01])),
        .init("RFC 7541, 4.2", "a table's size behind fields", broken, .head(RawFrame.get + [0x20])),
        .init("RFC 7541, 5.2", "Huffman padding of zeros", broken, .head([0x82, 0x86, 0x84, 0x01, 0x81, 0x18])),
        .init("RFC 7541, 5.2", "a string beyond the end", broken, .head(RawFrame.get + [0, 0x7e, 0x61])),
        .init("RFC 7541, 6.1", "index 0", broken, .head(RawFrame.get + [0x80])),
        .init("RFC 7541, 6.3", "a table above the limit", broken, .head([0x3f, 0xe2, 0x1f] + RawFrame.get)),
    ]
}

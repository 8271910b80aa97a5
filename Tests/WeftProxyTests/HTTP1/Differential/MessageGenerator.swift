/// Writes messages that are nearly right: from parts that are odd now and then, with bytes changed now and then. The same
/// seed gives the same messages.
struct MessageGenerator {
    private var rng: SplitMix64

    init(seed: UInt64) { rng = SplitMix64(seed: seed) }

    /// One to three requests behind each other.
    mutating func requests() -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<number(1...3) { bytes += message(startingWith: requestLine()) }
        return mutated(bytes)
    }

    /// One to three responses behind each other.
    mutating func responses() -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<number(1...3) { bytes += message(startingWith: statusLine()) }
        return mutated(bytes)
    }

    mutating func pieces(_ bytes: [UInt8]) -> [[UInt8]] { Splits.random(bytes, longest: number(1...60), using: &rng) }

    // MARK: - Parts

    private mutating func requestLine() -> String {
        let method = odd(1, of: 6, Self.methods) ?? "POST"
        let target = odd(1, of: 6, Self.targets) ?? "/a"
        let version = odd(
            1,
            of: 10,
            ["HTTP/1.0", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "http/1.1", "HTTP/1.2", "HTTP/1.1 ", ""]
        )
        return "\(method)\(space())\(target)\(space())\(version ?? "HTTP/1.1")"
    }

    private mutating func statusLine() -> String {
        let status = odd(1, of: 3, Self.statuses) ?? "200 OK"
        return "\(odd(1, of: 12, ["HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1"]) ?? "HTTP/1.1")\(space())\(status)"
    }

    private mutating func message(startingWith line: String) -> [UInt8] {
        var text = odd(1, of: 20, ["\r\n", "\n", "\r", "\r\n\r\n"]) ?? ""
        text += line + lineEnd() + "Host: a" + lineEnd()
        var body = ""
        for _ in 0..<number(0...3) { text += (odd(1, of: 2, Self.fields) ?? "X: y") + lineEnd() }
        switch number(0...4) {
        case 0: break
        case 1, 2:
            let data = String(repeating: "x", count: number(0...12))
            text += "\(odd(1, of: 12, Self.lengthNames) ?? "Content-Length"): "
            text += (odd(1, of: 8, Self.lengths) ?? "\(data.count)") + lineEnd()
            body = data
        default:
            text += "\(odd(1, of: 12, Self.codingNames) ?? "Transfer-Encoding"): "
            text += (odd(1, of: 8, Self.codings) ?? "chunked") + lineEnd()
            body = chunks()
        }
        return latin1(text + lineEnd() + body)
    }

    private mutating func chunks() -> String {
        var text = ""
        for _ in 0..<number(0...3) {
            let data = String(repeating: "y", count: number(1...20))
            text +=
                (odd(1, of: 16, Self.sizes) ?? String(data.count, radix: 16)) + (odd(1, of: 8, Self.extensions) ?? "")
            text += lineEnd() + data + lineEnd()
        }
        return text + "0" + lineEnd() + (odd(1, of: 6, Self.trailers) ?? "") + lineEnd()
    }

    private mutating func space() -> String { odd(1, of: 40, ["  ", "\t", "", " \t", "\u{b}"]) ?? " " }

    private mutating func lineEnd() -> String {
        odd(1, of: 60, ["\n", "\r", "\r\r\n", " \r\n", "\r\n ", "\n\r"]) ?? "\r\n"
    }

    /// One of the texts, `count` times of `of`.
    private mutating func odd(_ count: Int, of: Int, _ texts: [String]) -> String? {
        number(1...of) <= count ? texts.randomElement(using: &rng) : nil
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &rng) }

    private mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        guard number(0...3) == 0 else { return bytes }
        for _ in 0..<number(1...3) {
            let place = number(0...bytes.count - 1)
            let byte = Self.bytes.randomElement(using: &rng) ?? 0
            switch number(0...3) {
            case 0: bytes[place] = byte
            case 1: bytes.insert(byte, at: place)
            case 2 where bytes.count > 1: bytes.remove(at: place)
            default: bytes.insert(contentsOf: bytes[place...].prefix(number(1...8)), at: place)
            }
        }
        return bytes
    }
}

extension MessageGenerator {
    private static let bytes: [UInt8] = latin1("\r\n\r\n \t:;,\0\u{1}\u{b}\u{7f}\u{80}\u{ff}0159afAFgGxX-+/\"\\")
    private static let methods = [
        "GET", "PUT", "HEAD", "DELETE", "OPTIONS", "PURGE", "QUERY", "PROPFIND", "get", "head", "X", "PRI",
        "CONNECT", "SOURCE", "G@T", "GET:",
    ]
    private static let targets = [
        "*", "/a?b=c", "/a#b", "//", "http://a/", "http://a", "http://b/", "a", "a:80", "/\u{e9}", "/a b", "/\t", "?",
        "/%zz",
        "/a\\b", "/|{}^`\"<>", "https://a:80/x", "",
    ]
    private static let statuses = [
        "100 Continue", "101 Switch", "103 Hints", "204 No", "205 Reset", "304 Not", "404 No", "500", "500 ", "99 Low",
        "1000 High", "2x0 OK", "200\tOK", "299 \u{e9}", "999 Odd",
    ]
    private static let fields = [
        "Connection: close", "Connection: keep-alive", "Connection: upgrade", "Upgrade: websocket",
        "Expect: 100-continue",
        "X : y", " X: y", "X", ": y", "X:", "X: \u{e9}", "X: a\0b", "X\u{e9}: y", "Host: a", "Host: b", "X: y\r\n z",
        "Content-Length: 5", "Transfer-Encoding: chunked", "TE: trailers", "X(: y", "X\t: y", "X: a\u{1}", "X_Y: z",
        "Proxy-Connection: close", "Connection: content-length", "\u{b}X: y", "X;: y", "X: y\u{7f}",
    ]
    private static let lengthNames = [
        "content-length", "CONTENT-LENGTH", "Content-Length ", "Content_Length", "Content-Length\t",
    ]
    private static let lengths = [
        "5, 5", "+5", "-1", "0x5", "05", " 5", "5 ", "", "5;", "5 5", "18446744073709551616", "9223372036854775808",
        "4294967301",
        "\t5", "5\t", "\u{b}5", "1e1", "5,", "\u{b2}",
    ]
    private static let codingNames = [
        "transfer-encoding", "TRANSFER-ENCODING", "Transfer-Encoding ", "Transfer_Encoding",
    ]
    private static let codings = [
        "Chunked", "gzip, chunked", "gzip", "identity", "chunked, chunked", "chunked, gzip", "xchunked", "chunkedx",
        " chunked",
        "chunked ", ", chunked", "chunked,", "\"chunked\"", "chunked;q=1", "", "\tchunked", "\u{b}chunked", "chun ked",
        "chunked\0",
        "identity, chunked", "gzip,chunked\r\nTransfer-Encoding: chunked", "chunked\r\nTransfer-Encoding: identity",
    ]
    private static let sizes = [
        "", "5 ", " 5", "+5", "-5", "0x5", "5_", "fffffffffffffffff", "ffffffffffffffff", "00000000000000005", "G",
        "5\t", "5h",
    ]
    private static let extensions = [
        ";a", ";a=b", ";a=\"b c\"", "; a=b", ";a = b", ";", ";;", ";a=\"b", ";a=\"\n\"", ";a\n", ";\u{e9}", ";a=\u{1}",
        " ;a", ";a ",
    ]
    private static let trailers = [
        "X: y\r\n", "X: y\r\nZ: w\r\n", "Content-Length: 5\r\n", "X : y\r\n", " X: y\r\n", "X\r\n", "X: \0\r\n",
        "X: y\n",
        "GET / HTTP/1.1\r\n", "Transfer-Encoding: chunked\r\n",
    ]
}

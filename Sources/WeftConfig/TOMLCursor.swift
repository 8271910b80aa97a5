/// A position in the bytes of a TOML text, with its line: the words of the language, below keys and brackets.
///
/// Each reading function moves forwards or stays, and stops at the end of the text.
struct TOMLCursor {
    private let bytes: [UInt8]
    private var position = 0
    /// The 1-based line of `position`.
    private(set) var line = 1
    /// The first line with U+0000, plain or as an escape in a string.
    private(set) var nulLine: Int?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The byte here; nil at the end.
    var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Whether a key's name begins here.
    var isAtKeyName: Bool {
        guard let byte else { return false }
        return isBareKeyByte(byte) || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
    }

    mutating func advance() {
        guard position < bytes.count else { return }
        switch bytes[position] {
        case UInt8(ascii: "\n"): line += 1
        case 0: noteNul()
        default: break
        }
        position += 1
    }

    /// Moves past `expected` if it is here, and tells whether it was.
    mutating func skip(_ expected: UInt8) -> Bool {
        guard byte == expected else { return false }
        advance()
        return true
    }

    mutating func skipByteOrderMark() {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    }

    /// Spaces and tabs.
    mutating func skipSpaces() {
        while let byte, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { advance() }
    }

    mutating func skipBlanksAndComments() {
        while let byte {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): advance()
            case UInt8(ascii: "#"): skipLine()
            default: return
            }
        }
    }

    /// Everything up to the end of the line; the line break stays.
    mutating func skipLine() {
        while let byte, byte != UInt8(ascii: "\n") { advance() }
    }

    /// A number, boolean, date or time: everything up to a comma, a closing bracket, a comment or the end of the line.
    /// Moves past one byte at least, so that a stray bracket cannot hold up the reader; TOML has no empty values.
    mutating func skipPlainValue() -> ArraySlice<UInt8> {
        let start = position
        if byte != UInt8(ascii: "\n") { advance() }
        while let byte {
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"), UInt8(ascii: "\n"):
                return bytes[start..<position]
            default: advance()
            }
        }
        return bytes[start...]
    }

    /// A key between dots: bare, `"basic"` or `'literal'`. Where none is, it moves past one byte and returns that.
    mutating func readKeyName() -> String {
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
            let isBasic = byte == UInt8(ascii: "\"")
            let content = skipString()
            return isBasic ? unescaped(content) : String(decoding: content, as: UTF8.self)
        }
        let start = position
        while let byte, isBareKeyByte(byte) { advance() }
        if position == start, byte != UInt8(ascii: "\n") { advance() }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// A string of any of the four kinds; returns what stands between its quotes, escapes as written.
    @discardableResult
    mutating func skipString() -> ArraySlice<UInt8> {
        guard let quote = byte else { return [] }
        if bytes[position...].starts(with: [quote, quote, quote]) { return skipMultilineString(quote) }
        advance()
        let start = position
        while let byte, byte != quote, byte != UInt8(ascii: "\n") { skipStringByte(quote) }
        let content = bytes[start..<position]
        _ = skip(quote)
        return content
    }

    /// The closing quotes may follow on one or two that belong to the text: `"""a"""""`.
    private mutating func skipMultilineString(_ quote: UInt8) -> ArraySlice<UInt8> {
        for _ in 0..<3 { advance() }
        let start = position
        while byte != nil, !bytes[position...].starts(with: [quote, quote, quote]) { skipStringByte(quote) }
        for _ in 0..<5 where byte == quote { advance() }
        return bytes[start..<max(start, position - 3)]
    }

    /// One byte of a string, or a backslash with the byte that it escapes.
    private mutating func skipStringByte(_ quote: UInt8) {
        if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
            let rest = bytes[position...].dropFirst()
            if rest.starts(with: Array("u0000".utf8)) || rest.starts(with: Array("U00000000".utf8)) { noteNul() }
            advance()
            if byte == UInt8(ascii: "\n") { return }
        }
        advance()
    }

    private mutating func noteNul() {
        if nulLine == nil { nulLine = line }
    }

    private func isBareKeyByte(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    /// The text of a quoted key with its escapes resolved.
    private func unescaped(_ content: ArraySlice<UInt8>) -> String {
        guard content.contains(UInt8(ascii: "\\")) else { return String(decoding: content, as: UTF8.self) }
        var result = String.UnicodeScalarView()
        var rest = String(decoding: content, as: UTF8.self).unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "\\", let escape = rest.popFirst() else {
                result.append(scalar)
                continue
            }
            switch escape {
            case "b": result.append("\u{8}")
            case "t": result.append("\t")
            case "n": result.append("\n")
            case "f": result.append("\u{c}")
            case "r": result.append("\r")
            case "u", "U":
                let digits = String(String.UnicodeScalarView(rest.prefix(escape == "u" ? 4 : 8)))
                rest = rest.dropFirst(digits.unicodeScalars.count)
                if let number = UInt32(digits, radix: 16), let named = Unicode.Scalar(number) { result.append(named) }
            default: result.append(escape)
            }
        }
        return String(result)
    }
}

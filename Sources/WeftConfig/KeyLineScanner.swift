/// The reader behind `KeyLines`: one pass over the bytes of a TOML text.
///
/// It never fails. Where the text breaks TOML's grammar it goes on as best it can, always forwards, so that it ends for
/// every input; nesting is kept in an array and not on the stack.
struct KeyLineScanner {
    typealias Step = KeyLines.Step

    /// The first line that mentions each path.
    private(set) var lines: [[Step]: Int] = [:]
    private(set) var hazard: KeyLines.Hazard?

    private var text: TOMLCursor
    /// The table that the last header opened.
    private var table: [Step] = []
    /// Tables seen so far under each `[[name]]`.
    private var tablesInList: [[Step]: Int] = [:]

    init(_ bytes: [UInt8]) { text = TOMLCursor(bytes) }

    mutating func scan() {
        text.skipByteOrderMark()
        while hazard == nil {
            text.skipBlanksAndComments()
            guard let byte = text.byte else { break }
            if byte == UInt8(ascii: "[") { readHeader() } else { readSetting() }
            text.skipLine()
        }
        if let line = text.nulLine { note(.nul(line: line)) }
    }

    /// Reads `[a.b]` or `[[a.b]]`.
    private mutating func readHeader() {
        let line = text.line
        text.advance()
        let isListEntry = text.skip(UInt8(ascii: "["))
        text.skipSpaces()
        guard text.isAtKeyName || text.byte == nil || text.byte == UInt8(ascii: "]") else {
            return note(.header(line: line))
        }
        guard let names = readDottedKey(), let last = names.last else { return }
        table = []
        for name in names.dropLast() {
            table.append(.key(name))
            record(table, at: line)
            if let count = tablesInList[table] { table.append(.index(count - 1)) }
        }
        table.append(.key(last))
        record(table, at: line)
        if isListEntry {
            let position = tablesInList[table, default: 0]
            tablesInList[table] = position + 1
            table.append(.index(position))
            record(table, at: line)
        }
    }

    /// Reads `key = value` below a header.
    private mutating func readSetting() {
        guard let path = readKey(below: table) else { return }
        text.skipSpaces()
        guard text.skip(UInt8(ascii: "=")) else { return }
        readValue(at: path)
    }

    /// Reads a key and records each table that its dots imply. Nil when the depth ends the scan.
    private mutating func readKey(below parent: [Step]) -> [Step]? {
        let line = text.line
        guard let names = readDottedKey() else { return nil }
        var path = parent
        for name in names {
            path.append(.key(name))
            record(path, at: line)
        }
        return hazard == nil ? path : nil
    }

    /// Reads `a."b c".d`. Nil when it is longer than any path may be.
    private mutating func readDottedKey() -> [String]? {
        var names: [String] = []
        repeat {
            text.skipSpaces()
            names.append(text.readKeyName())
            text.skipSpaces()
            if names.count > KeyLines.depthMax {
                note(.nesting(line: text.line))
                return nil
            }
        } while text.skip(UInt8(ascii: "."))
        return names
    }

    /// A list or inline table that is open.
    private enum Opening {
        case list(path: [Step], count: Int)
        case inlineTable(path: [Step])
    }

    /// Reads a value with everything in it, up to the end of its last bracket.
    private mutating func readValue(at path: [Step]) {
        text.skipSpaces()
        var openings: [Opening] = []
        readItem(at: path, &openings)
        while hazard == nil, let opening = openings.popLast() {
            text.skipBlanksAndComments()
            guard let byte = text.byte else { return }
            switch (opening, byte) {
            case (.list, UInt8(ascii: "]")), (.inlineTable, UInt8(ascii: "}")):
                text.advance()
            case (_, UInt8(ascii: ",")):
                text.advance()
                openings.append(opening)
            case (.list, UInt8(ascii: "}")), (.list, 0x80...):
                note(.listEntry(line: text.line))
            case (.list(let path, let count), _):
                openings.append(.list(path: path, count: count + 1))
                let entry = path + [.index(count)]
                record(entry, at: text.line)
                readItem(at: entry, &openings)
            case (.inlineTable(let path), _):
                openings.append(opening)
                guard let key = readKey(below: path) else { return }
                text.skipSpaces()
                guard text.skip(UInt8(ascii: "=")) else { return }
                text.skipSpaces()
                readItem(at: key, &openings)
            }
        }
    }

    /// Reads a string or a plain value, or opens a list or inline table.
    private mutating func readItem(at path: [Step], _ openings: inout [Opening]) {
        switch text.byte {
        case UInt8(ascii: "["):
            text.advance()
            openings.append(.list(path: path, count: 0))
        case UInt8(ascii: "{"):
            text.advance()
            openings.append(.inlineTable(path: path))
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            text.skipString()
        default:
            let line = text.line
            if isLikeMoment(text.skipPlainValue()) { note(.moment(line: line)) }
        }
    }

    /// Whether a plain value has the digits and separators of a date or time. The minus of `1e-5` is none.
    private func isLikeMoment(_ value: ArraySlice<UInt8>) -> Bool {
        guard let first = value.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return zip(value, value.dropFirst()).contains { before, byte in
            byte == UInt8(ascii: ":")
                || byte == UInt8(ascii: "-") && before != UInt8(ascii: "e") && before != UInt8(ascii: "E")
        }
    }

    private mutating func record(_ path: [Step], at line: Int) {
        if path.count > KeyLines.depthMax {
            note(.nesting(line: line))
        } else if lines[path] == nil {
            lines[path] = line
        }
    }

    /// Keeps the first hazard, which ends the scan.
    private mutating func note(_ found: KeyLines.Hazard) {
        if hazard == nil { hazard = found }
    }
}

import WeftConfig

/// Writes random valid TOML that is hard on a reader of lines, and notes where each key and list entry went.
struct TOMLGenerator {
    private(set) var text = ""
    private(set) var written: [(path: [KeyLines.Step], line: Int)] = []
    private var line = 1
    private var keys = 0
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func writeFile() {
        writeSettings(below: [])
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            writeFiller()
            let (name, step) = newKey()
            if random.chance(30) {
                for position in 0..<2 {
                    note([step, .index(position)])
                    write("[[\(name)]]\n")
                    writeSettings(below: [step, .index(position)])
                }
            } else {
                let (inner, innerStep) = newKey()
                note([step])
                note([step, innerStep])
                write("[\(name) . \(inner)]")
                write(random.chance(30) ? " # [no] = 'header\n" : "\n")
                writeSettings(below: [step, innerStep])
            }
        }
    }

    private mutating func writeSettings(below path: [KeyLines.Step]) {
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            writeFiller()
            writeSetting(below: path, depth: 0)
            write("\n")
        }
    }

    private mutating func writeSetting(below path: [KeyLines.Step], depth: Int) {
        var path = path
        for position in 0..<Int.random(in: 1...2, using: &random) {
            let (name, step) = newKey()
            path.append(step)
            note(path)
            write(position == 0 ? name : ".\(name)")
            if position == 0, random.chance(60) { break }
        }
        write(random.chance(50) ? " = " : "=")
        writeValue(at: path, depth: depth)
    }

    private mutating func writeValue(at path: [KeyLines.Step], depth: Int) {
        switch Int.random(in: 0..<(depth < 3 ? 9 : 7), using: &random) {
        case 0: write("\(Int.random(in: -99...99, using: &random))")
        case 1: write("true")
        case 2: write("6.0e-23")
        case 3: write(#""a # [b] \" = { \\""#)
        case 4: write(#"'c:\ # " ] }'"#)
        case 5 where !isInline: write("\"\"\"\nx = 1\n[y] \\\"\"\" \\\n z\"\"\"\"")
        case 6 where !isInline: write("'''\n'' = \\\n]'''''")
        case 7: writeList(at: path, depth: depth + 1)
        case 8: writeInlineTable(at: path, depth: depth + 1)
        default: write("1.5e3")
        }
    }

    /// Inside an inline table, where line breaks are allowed in lists only.
    private var isInline = false

    private mutating func writeList(at path: [KeyLines.Step], depth: Int) {
        write("[")
        for position in 0..<Int.random(in: 0...3, using: &random) {
            if position > 0 { write(",") }
            if random.chance(40) { write("\n  ") }
            if random.chance(20) { write("# ], 'x\n") }
            note(path + [.index(position)])
            writeValue(at: path + [.index(position)], depth: depth)
        }
        if random.chance(30) { write("\n") }
        write("]")
    }

    private mutating func writeInlineTable(at path: [KeyLines.Step], depth: Int) {
        let wasInline = isInline
        isInline = true
        write("{")
        for position in 0..<Int.random(in: 0...3, using: &random) {
            if position > 0 { write(", ") }
            writeSetting(below: path, depth: depth)
        }
        write("}")
        isInline = wasInline
    }

    private mutating func writeFiller() {
        if random.chance(30) { write("# x = \"\"\" [ \n") }
        if random.chance(30) { write("\n") }
        if random.chance(20) { write("\t ") }
    }

    /// A name that was not used before, as it is written and as it is meant.
    private mutating func newKey() -> (written: String, step: KeyLines.Step) {
        keys += 1
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return ("\"k.\(keys) \\\" = \\u00e9\"", .key("k.\(keys) \" = \u{e9}"))
        case 1: return ("'k#\(keys)\\'", .key("k#\(keys)\\"))
        case 2: return ("\(keys)", .key("\(keys)"))
        default: return ("key_-\(keys)", .key("key_-\(keys)"))
        }
    }

    private mutating func write(_ part: String) {
        text += part
        line += part.utf8.count { $0 == UInt8(ascii: "\n") }
    }

    private mutating func note(_ path: [KeyLines.Step]) { written.append((path, line)) }
}

/// How many columns of a terminal a text takes, for the simple cases: one per character, none for combining marks, two
/// for East Asian wide characters and emoji. Terminals differ about the rest.
func displayWidth(_ text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { $0 + displayWidth($1) }
}

/// The columns that one character takes: 0, 1 or 2.
func displayWidth(_ character: Character) -> Int {
    guard let first = character.unicodeScalars.first else { return 0 }
    switch first.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    // A variation selector 16 asks for the emoji form of a character that has both.
    let asksForEmoji = character.unicodeScalars.contains("\u{fe0f}")
    return isWide(first) || first.properties.isEmojiPresentation || asksForEmoji ? 2 : 1
}

/// The blocks that Unicode's EastAsianWidth.txt lists as W or F, joined where only unassigned code points lie between.
private func isWide(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97c,
        0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1b000...0x1b2ff,
        0x20000...0x3fffd:
        true
    default: false
    }
}

/// `text` with every control character replaced, so that a name chosen by a user of the host (a unit, a cgroup) cannot
/// move the reader's cursor, and with every line break made a space, so that it stays in its line.
func printable(_ text: String) -> String {
    if text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\n", "\r", "\t": result.append(" ")
        // Embeddings, overrides and isolates of direction turn the rest of the line around.
        case "\u{202a}"..."\u{202e}", "\u{2066}"..."\u{2069}", "\u{2028}", "\u{2029}": result.append("\u{fffd}")
        default: result.append(scalar.properties.generalCategory == .control ? "\u{fffd}" : scalar)
        }
    }
    return String(result)
}

/// `text` in at most `width` columns: what does not fit is taken from the middle, as names tell most at their ends.
func elided(_ text: String, to width: Int, ellipsis: String) -> String {
    guard displayWidth(text) > width else { return text }
    let room = width - displayWidth(ellipsis)
    guard room > 0 else { return fitting(text, columns: width) }
    let tailRoom = room / 2
    return fitting(text, columns: room - tailRoom)
        + ellipsis
        + String(fitting(String(text.reversed()), columns: tailRoom).reversed())
}

/// The longest beginning of `text` that takes at most `columns`.
private func fitting(_ text: String, columns: Int) -> String {
    var used = 0
    return String(
        text.prefix { character in
            used += displayWidth(character)
            return used <= columns
        }
    )
}

/// `text` broken at spaces into lines of at most `columns`; a longer word has a line of its own. Nil columns: one line.
func wrapped(_ text: String, columns: Int?) -> [String] {
    guard let columns, displayWidth(text) > columns else { return [text] }
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
        if !line.isEmpty, displayWidth(line) + 1 + displayWidth(String(word)) > columns {
            lines.append(line)
            line = ""
        }
        line += line.isEmpty ? String(word) : " " + word
    }
    // A text of nothing but spaces is a line, too: callers put their mark before the first.
    if !line.isEmpty || lines.isEmpty { lines.append(line) }
    return lines
}

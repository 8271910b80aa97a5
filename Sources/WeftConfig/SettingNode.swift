/// A value of the file with its place and kind, as `ConfigurationReader` and the settings see it.
struct SettingNode {
    /// The path as people write it, such as `capture.exclude.ports`. List entries carry the key of their list.
    let key: String
    /// 1-based.
    let line: Int
    let content: Content

    indirect enum Content {
        case text(String)
        case integer(Int)
        case decimal(Double)
        case boolean(Bool)
        case list([SettingNode])
        case table([String: SettingNode])
    }
}

extension SettingNode {
    /// The value as it would be written, shortened; for diagnostics.
    var shown: String {
        switch content {
        case .text(let text): quoted(text)
        case .integer(let number): "\(number)"
        case .decimal(let number): "\(number)"
        case .boolean(let value): "\(value)"
        case .list(let entries): entries.isEmpty ? "[]" : "[…]"
        case .table(let entries): entries.isEmpty ? "{}" : "{…}"
        }
    }

    /// What the value is, for a sentence that says it should be something else.
    var kind: String {
        switch content {
        case .text: "a text"
        case .integer: "a number"
        case .decimal: "a decimal number"
        case .boolean: "a boolean"
        case .list: "a list"
        case .table: "a table"
        }
    }
}

/// A key as TOML writes it in a path: quoted where a bare key cannot hold it, shortened when it is very long.
func keyText(_ name: String) -> String {
    let isBare =
        !name.isEmpty
        && name.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    return isBare ? shortened(name) : quoted(name)
}

/// A text in double quotes, with control characters escaped and at most 60 characters of it, so that a diagnostic stays
/// on one line and a terminal is safe from it.
func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in shortened(text).unicodeScalars {
        switch scalar {
        case "\"", "\\": result += "\\\(scalar)"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case "\r": result += "\\r"
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
    return result + "\""
}

/// The first characters, with `…` for the rest.
func shortened(_ text: String, to count: Int = 60) -> String {
    let head = text.unicodeScalars.prefix(count)
    return head.endIndex == text.unicodeScalars.endIndex ? text : String(String.UnicodeScalarView(head)) + "…"
}

/// ASCII letters and digits.
func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: false
    }
}

internal import TOMLKit

/// The step from TOML text to `SettingNode`s, and the only place that knows TOMLKit.
///
/// TOMLKit never frees what it has parsed: about 10 KB for a usual file. A load happens at start and at each reload, so
/// this stays small; nothing of it is used after `parse`.
enum TOMLDocument {
    /// Parses a whole text. Throws the one mistake that TOMLKit stops at, or the hazard that it must not see.
    static func parse(_ text: String) throws(ConfigurationError) -> SettingNode {
        let lines = KeyLines(text)
        if let hazard = lines.hazard { throw ConfigurationError([diagnostic(of: hazard)]) }
        do {
            let table = try TOMLTable(string: text)
            return SettingNode(key: "", line: 1, content: content(of: table, at: [], key: "", lines))
        } catch let error as TOMLParseError {
            throw ConfigurationError([diagnostic(of: error)])
        } catch {
            let remedy = "compare the file with config/weft.toml"
            throw ConfigurationError([
                Diagnostic(line: 0, key: "", reason: "the text cannot be parsed: \(error)", remedy: remedy)
            ])
        }
    }

    /// Recursion is bounded by `KeyLines.depthMax`.
    private static func content(
        of table: TOMLTable,
        at path: [KeyLines.Step],
        key: String,
        _ lines: KeyLines
    ) -> SettingNode.Content {
        var entries: [String: SettingNode] = [:]
        for name in table.keys {
            guard let value = table[name] else { continue }
            let below = key.isEmpty ? keyText(name) : "\(key).\(keyText(name))"
            entries[name] = node(of: value, at: path + [.key(name)], key: below, lines)
        }
        return .table(entries)
    }

    private static func node(
        of value: any TOMLValueConvertible,
        at path: [KeyLines.Step],
        key: String,
        _ lines: KeyLines
    ) -> SettingNode {
        let content: SettingNode.Content =
            if let text = value.string {
                .text(text)
            } else if let number = value.int {
                .integer(number)
            } else if let truth = value.bool {
                .boolean(truth)
            } else if let number = value.double {
                .decimal(number)
            } else if let array = value.array {
                .list(array.indices.map { node(of: array[$0], at: path + [.index($0)], key: key, lines) })
            } else {
                // Only a table is left: dates and times are a hazard and were refused.
                Self.content(of: value.table ?? TOMLTable(), at: path, key: key, lines)
            }
        return SettingNode(key: key, line: lines.line(of: path), content: content)
    }
}

extension TOMLDocument {
    private static func diagnostic(of hazard: KeyLines.Hazard) -> Diagnostic {
        switch hazard {
        case .header(let line):
            Diagnostic(
                line: line,
                key: "",
                reason: "this is not TOML: a table header needs a name",
                remedy: "write it in the brackets, as in [capture]"
            )
        case .listEntry(let line):
            Diagnostic(
                line: line,
                key: "",
                reason: "this is not TOML: a list entry cannot begin like this",
                remedy: "write texts in quotes, and close the list with ]"
            )
        case .moment(let line):
            Diagnostic(
                line: line,
                key: "",
                reason: "a text without quotes, or a date or time, which no setting takes",
                remedy: "write texts in quotes, such as \"8000-8010\""
            )
        case .nesting(let line):
            Diagnostic(
                line: line,
                key: "",
                reason: "tables or lists are nested more than \(KeyLines.depthMax) deep",
                remedy: "write the settings as config/weft.toml shows them; none lies deeper than 4"
            )
        case .nul(let line):
            Diagnostic(
                line: line,
                key: "",
                reason: "the character U+0000 has no meaning in a configuration",
                remedy: "remove it"
            )
        }
    }

    /// TOMLKit says what it was doing and what it met, as `Error while parsing string: ...`.
    private static func diagnostic(of error: TOMLParseError) -> Diagnostic {
        let prefix = "Error while parsing "
        let said =
            error.description.hasPrefix(prefix) ? error.description.dropFirst(prefix.count) : error.description[...]
        let reason = "this is not TOML: \(shortened(String(said), to: 200))"
        return Diagnostic(line: error.source.begin.line, key: "", reason: reason, remedy: remedy(for: said))
    }

    private static func remedy(for said: Substring) -> String {
        if said.contains("cannot redefine") || said.contains("already defined") {
            "write each key and each table once"
        } else if said.contains("could not determine value type") || said.contains("integer: expected") {
            "write texts and durations in quotes, as in connect-timeout = \"10s\""
        } else if said.contains("control characters") {
            "close the quotes on the same line"
        } else if said.contains("end-of-file") {
            "complete what begins here or above: a quote, a bracket or a value is missing"
        } else {
            "write one setting on a line, as in connect-timeout = \"10s\""
        }
    }
}

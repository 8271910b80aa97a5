/// A strict reader of Prometheus' text format 0.0.4
/// (prometheus.io/docs/instrumenting/exposition_formats, "Text-based format"): what it takes, every scraper takes.
struct Exposition: Equatable {
    struct Family: Equatable {
        let name: String
        let help: String
        let kind: String
        var samples: [Sample] = []

        func owns(_ sample: String) -> Bool {
            switch kind {
            case "summary": [name + "_sum", name + "_count"].contains(sample)
            case "histogram": [name + "_bucket", name + "_sum", name + "_count"].contains(sample)
            default: sample == name
            }
        }
    }

    struct Sample: Equatable {
        /// The family's, or with `_sum`, `_count` or `_bucket` behind it in a summary or histogram.
        let name: String
        let labels: [String: String]
        let value: Double
    }

    struct Malformed: Error, CustomStringConvertible {
        let line: Int
        let reason: String

        var description: String { "line \(line): \(reason)" }
    }

    private(set) var families: [Family] = []

    subscript(_ name: String) -> Family? { families.first { $0.name == name } }

    init(_ text: String) throws(Malformed) {
        guard text.utf8.last == UInt8(ascii: "\n") else { throw Malformed(line: 0, reason: "no line end at the end") }
        var help: (name: String, text: String)?
        // By bytes: "\r\n" is one Character, and the format knows "\n" only.
        for (index, bytes) in text.utf8.dropLast().split(separator: 0x0a, omittingEmptySubsequences: false).enumerated()
        {
            let line = String(decoding: bytes, as: UTF8.self)
            func check(_ condition: Bool, _ reason: String) throws(Malformed) {
                guard condition else { throw Malformed(line: index + 1, reason: "\(reason): \(line)") }
            }
            if line.hasPrefix("# HELP ") {
                let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
                try check(words.count == 4 && Self.isName(words[2]), "malformed HELP")
                try check(help == nil, "HELP after HELP")
                try check(self[String(words[2])] == nil, "a second HELP of the family")
                help = (String(words[2]), String(words[3]))
            } else if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ", omittingEmptySubsequences: false)
                try check(
                    words.count == 4 && ["counter", "gauge", "histogram", "summary"].contains(words[3]),
                    "malformed TYPE"
                )
                guard let known = help, known.name == words[2] else {
                    throw Malformed(line: index + 1, reason: "TYPE without its HELP")
                }
                families.append(Family(name: known.name, help: known.text, kind: String(words[3])))
                help = nil
            } else {
                try check(help == nil, "HELP without TYPE")
                guard let sample = Self.sample(line) else {
                    throw Malformed(line: index + 1, reason: "malformed sample: \(line)")
                }
                try check(families.last?.owns(sample.name) == true, "a sample outside its family")
                let last = families.count - 1
                try check(
                    !families[last].samples.contains { $0.name == sample.name && $0.labels == sample.labels },
                    "a sample twice"
                )
                families[last].samples.append(sample)
            }
        }
        guard help == nil else { throw Malformed(line: 0, reason: "HELP without TYPE at the end") }
    }

    private static func isName(_ text: some StringProtocol) -> Bool {
        String(text).wholeMatch(of: /[a-zA-Z_:][a-zA-Z0-9_:]*/) != nil
    }

    private static func sample(_ line: String) -> Sample? {
        var rest = Substring(line).unicodeScalars
        let name = String(Substring(rest.prefix { $0 != "{" && $0 != " " }))
        guard isName(name) else { return nil }
        rest.removeFirst(name.unicodeScalars.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest.removeFirst()
            while rest.first != "}" {
                guard let (key, value) = label(&rest), labels.updateValue(value, forKey: key) == nil else { return nil }
                if rest.first == "," { rest.removeFirst() } else if rest.first != "}" { return nil }
            }
            rest.removeFirst()
        }
        guard rest.first == " " else { return nil }
        let number = String(Substring(rest.dropFirst()))
        guard number.wholeMatch(of: /[-+]?([0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?|Inf)|NaN/) != nil else { return nil }
        guard let value = Double(number) else { return nil }
        return Sample(name: name, labels: labels, value: value)
    }

    /// `key="value"` with `\\`, `\"` and `\n` in the value.
    private static func label(_ rest: inout Substring.UnicodeScalarView) -> (String, String)? {
        let key = String(Substring(rest.prefix { $0 != "=" }))
        guard key.wholeMatch(of: /[a-zA-Z_][a-zA-Z0-9_]*/) != nil else { return nil }
        rest.removeFirst(key.unicodeScalars.count)
        guard rest.starts(with: "=\"".unicodeScalars) else { return nil }
        rest.removeFirst(2)
        var value = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"": return (key, String(value))
            case "\\":
                switch rest.popFirst() {
                case "\\": value.append("\\")
                case "\"": value.append("\"")
                case "n": value.append("\n")
                default: return nil
                }
            default: value.append(scalar)
            }
        }
        return nil
    }
}

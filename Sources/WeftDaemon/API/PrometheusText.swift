/// Writes metrics in Prometheus' text format 0.0.4: for each family one HELP and one TYPE line, then its samples.
struct PrometheusText {
    enum Kind: String {
        case counter, gauge, summary
    }

    private(set) var text = ""

    /// Starts a family. `help` is one line.
    mutating func family(_ name: String, _ kind: Kind, help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// Adds a sample to the family that was started last; whole numbers are written without a fraction.
    mutating func sample(_ name: String, _ labels: KeyValuePairs<String, String> = [:], _ value: Double) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.key)=\"\(Self.escape($0.value))\"" }.joined(separator: ",") + "}"
        }
        let whole = Int64(exactly: value)
        text += " " + (whole.map(String.init) ?? "\(value)") + "\n"
    }

    /// A family of one sample.
    mutating func single(_ name: String, _ kind: Kind, help: String, _ value: Double) {
        family(name, kind, help: help)
        sample(name, [:], value)
    }

    private static func escape(_ value: String) -> String {
        var escaped = ""
        for character in value {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}

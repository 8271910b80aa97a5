extension Ruleset: CustomStringConvertible {
    /// The ruleset as `nft -y list ruleset` would show it, counters without their values.
    package var description: String { tables.map(\.description).joined() }
}

extension Table: CustomStringConvertible {
    package var description: String {
        let flagNames = [(TableFlags.owner, "owner"), (.persist, "persist")].filter { flags.contains($0.0) }.map(\.1)
        let head = flagNames.isEmpty ? [] : ["\tflags " + flagNames.joined(separator: ",")]
        let parts = sets.map(\.description) + chains.map(\.description)
        return "table inet \(name) {\n" + (head + parts).joined(separator: "\n") + "\n}\n"
    }
}

extension NamedSet: CustomStringConvertible {
    package var description: String {
        var lines = ["\tset \(name) {", "\t\ttype \(kind.text)"]
        if kind.isInterval { lines.append("\t\tflags interval") }
        if !elements.isEmpty { lines.append("\t\telements = { \(elements.map(\.text).joined(separator: ", ")) }") }
        return (lines + ["\t}"]).joined(separator: "\n")
    }
}

extension Chain: CustomStringConvertible {
    package var description: String {
        let head = "\t\ttype \(kind.rawValue) hook \(hook) priority \(priority); policy accept;"
        return (["\tchain \(name) {", head] + rules.map { "\t\t" + $0.text } + ["\t}"]).joined(separator: "\n")
    }
}

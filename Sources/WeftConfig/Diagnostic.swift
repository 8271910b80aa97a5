/// One mistake in a configuration file: where it is, what is wrong and what to do about it.
package struct Diagnostic: Sendable, Equatable, CustomStringConvertible {
    /// 1-based; 0 when the mistake is about the file as a whole.
    package let line: Int
    /// The key as a path, such as `capture.exclude.ports`; empty when there is none.
    package let key: String
    /// What is wrong, with the offending value.
    package let reason: String
    /// What to write instead.
    package let remedy: String

    package init(line: Int, key: String, reason: String, remedy: String) {
        self.line = line
        self.key = key
        self.reason = reason
        self.remedy = remedy
    }

    package var description: String {
        let place = line > 0 ? "line \(line): " : ""
        let subject = key.isEmpty ? "" : "\(key): "
        return "\(place)\(subject)\(reason); \(remedy)"
    }
}

/// All the mistakes of one file, in the order of their lines. Never empty.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    package let diagnostics: [Diagnostic]

    package init(_ diagnostics: [Diagnostic]) {
        precondition(!diagnostics.isEmpty, "a configuration error needs at least one diagnostic")
        // The reason makes the order the same in every run: tables are read in the order of a dictionary.
        self.diagnostics = diagnostics.sorted { ($0.line, $0.key, $0.reason) < ($1.line, $1.key, $1.reason) }
    }

    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

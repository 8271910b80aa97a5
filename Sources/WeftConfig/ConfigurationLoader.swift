internal import WeftCore

/// Reads the text of `/etc/weft/weft.toml` into a `Configuration`, or says all that is wrong with it.
///
/// Pure: it reads no file, looks up no user and no unit. Called at start, by `weftd --check` and at each reload, off
/// the event loops: a usual file takes well under a millisecond, the worst one of the largest size 0.2 s.
package enum ConfigurationLoader {
    /// The largest file, in bytes. A thousand entries in every list and table stay far below it.
    package static let bytesMax = 256 * 1024

    /// Diagnostics of one file that are told; the rest is counted. The first few usually explain the others.
    package static let diagnosticsMax = 100

    /// Reads the bytes of a file: at most `bytesMax` of UTF-8, then as `load(_:)` with text.
    ///
    /// To refuse a larger file without holding it, the caller reads `bytesMax + 1` bytes at most.
    package static func load(bytes: [UInt8]) throws(ConfigurationError) -> Configuration {
        try checkSize(bytes.count)
        return try read(ConfigurationText.decode(bytes))
    }

    /// Reads a configuration. Throws every mistake of a text that is TOML, and of one that is not the first.
    package static func load(_ text: String) throws(ConfigurationError) -> Configuration {
        try checkSize(text.utf8.count)
        return try read(text)
    }

    private static func read(_ text: String) throws(ConfigurationError) -> Configuration {
        var reader = ConfigurationReader()
        let configuration = reader.read(try TOMLDocument.parse(text))
        guard reader.diagnostics.isEmpty else { throw ConfigurationError(bounded(reader.diagnostics)) }
        return configuration
    }

    private static func checkSize(_ bytes: Int) throws(ConfigurationError) {
        guard bytes > bytesMax else { return }
        throw ConfigurationError([
            Diagnostic(
                line: 0,
                key: "",
                reason: "the file is larger than \(bytesMax / 1024) KiB, which no configuration of weft needs",
                remedy: "check that it is the right file, or remove what has become unnecessary"
            )
        ])
    }

    /// The first diagnostics by line, and one for the file that counts the others.
    private static func bounded(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
        guard diagnostics.count > diagnosticsMax else { return diagnostics }
        let first = ConfigurationError(diagnostics).diagnostics.prefix(diagnosticsMax)
        let summary = Diagnostic(
            line: 0,
            key: "",
            reason: "the file has \(diagnostics.count) mistakes, of which the first \(diagnosticsMax) follow",
            remedy: "correct these and check again"
        )
        return [summary] + first
    }
}

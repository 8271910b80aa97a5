/// What the place that output goes to can show.
package struct Style: Sendable, Equatable {
    /// Whether escape sequences for colour may be written.
    package var hasColour: Bool
    /// Whether signs outside ASCII may be written.
    package var hasUnicode: Bool
    /// The width of the terminal; nil for a file or pipe, for which nothing is wrapped or shortened to fit.
    package var columns: Int?

    package init(hasColour: Bool, hasUnicode: Bool, columns: Int?) {
        self.hasColour = hasColour
        self.hasUnicode = hasUnicode
        self.columns = columns
    }

    /// The style for standard output.
    ///
    /// Colour needs a terminal that is not `dumb`, and an empty or absent NO_COLOR (no-color.org). Unicode goes by the
    /// locale's character set: the first of LC_ALL, LC_CTYPE and LANG that is not empty decides, as in setlocale(3).
    package init(isTerminal: Bool, terminalColumns: Int?, environment: [String: String]) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let locale = (value("LC_ALL") ?? value("LC_CTYPE") ?? value("LANG") ?? "").lowercased()
        hasColour = isTerminal && value("NO_COLOR") == nil && value("TERM") != "dumb"
        hasUnicode = locale.hasSuffix("utf-8") || locale.hasSuffix("utf8")
        columns = isTerminal ? terminalColumns.map { max($0, Self.minimumColumns) } : nil
    }

    /// Below this a table cannot be read anyway; the terminal may wrap.
    private static let minimumColumns = 40

    /// Plain text for a file, with nothing wrapped.
    package static let plain = Style(hasColour: false, hasUnicode: true, columns: nil)

    var ellipsis: String { hasUnicode ? "…" : "..." }
    var goodMark: String { hasUnicode ? "√" : "ok" }
    var warningMark: String { hasUnicode ? "‼" : "!!" }
    var failedMark: String { hasUnicode ? "×" : "XX" }

    /// `text` in the tint's colour, or as it is where colour is not wanted.
    func tinted(_ text: String, _ tint: Tint?) -> String {
        guard hasColour, let tint, !text.isEmpty else { return text }
        return "\u{1b}[\(tint.rawValue)m\(text)\u{1b}[0m"
    }
}

/// The few colours that weft uses, as SGR parameters (ECMA-48).
enum Tint: String, Sendable {
    case heading = "1"
    case good = "32"
    case warning = "33"
    case failed = "31"
    case faint = "2"
}

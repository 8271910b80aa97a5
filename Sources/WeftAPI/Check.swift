/// One line of `GET /v1/check`: something that weft needs of the host, and how it stands.
package struct CheckRow: Codable, Sendable, Equatable {
    package enum Verdict: String, Codable, Sendable {
        case good, warning, failed
    }

    /// `kernel`, `capture`, `firewall`, `attribution`, `limits`, `daemon`.
    package var section: String
    /// Stable, in kebab-case, such as `table-owner`.
    package var code: String
    package var verdict: Verdict
    /// What was looked at and what was found, with its values.
    package var text: String
    /// What to do; nil when the verdict is good.
    package var remedy: String?

    package init(section: String, code: String, verdict: Verdict, text: String, remedy: String?) {
        self.section = section
        self.code = code
        self.verdict = verdict
        self.text = text
        self.remedy = remedy
    }
}

/// Something about this host's firewall that concerns capture, for `weft check`.
package struct FirewallFinding: Sendable, Equatable {
    package enum Severity: Sendable, Equatable {
        /// Good to know; nothing needs to be done.
        case note
        /// Some traffic will not be captured, or will break, until the user changes something.
        case warning
    }

    /// Stable, in kebab-case.
    package let code: String
    package let severity: Severity
    /// What was found, and what it does.
    package let text: String
    /// What to do; nil for a note.
    package let remedy: String?
}

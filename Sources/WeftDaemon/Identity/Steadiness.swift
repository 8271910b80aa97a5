internal import WeftCore
internal import WeftIdentity

/// Whether something has been so for a while: what gossip tells comes in pieces, and a step that cannot be taken back
/// waits until no piece has contradicted it.
struct Steadiness: Sendable {
    let span: Duration
    /// When it will have been so for long enough; nil while it is not so.
    private(set) var due: WallTime?

    init(span: Duration) { self.span = span }

    /// Notes whether it is so now.
    ///
    /// - Returns: whether it has been for `span`; it then begins anew.
    mutating func note(_ isSo: Bool, now: WallTime) -> Bool {
        guard isSo else {
            due = nil
            return false
        }
        // A clock that was set back must not make this wait for ever.
        let end = min(due ?? now.advanced(by: span), now.advanced(by: span))
        due = end
        guard now >= end else { return false }
        due = nil
        return true
    }
}

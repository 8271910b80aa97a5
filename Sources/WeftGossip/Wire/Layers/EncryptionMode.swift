/// How far a pool has come on its way from clear text to encryption (specification 5.4). Means nothing without keys.
///
/// A pool moves without losing anybody if it takes one step at a time: `send` when all members have the key, `only`
/// when all of them send with it.
package enum EncryptionMode: String, Sendable, CaseIterable {
    /// Speaks clear text, understands both.
    case have
    /// Speaks encrypted, understands both.
    case send
    /// Speaks encrypted, and hears nothing else.
    case only
}

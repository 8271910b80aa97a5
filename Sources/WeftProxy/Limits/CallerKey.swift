package import WeftCore

/// A caller as limits know it: a hash, and whether a certificate vouches for it. Made once for each connection.
///
/// Two callers with one hash would share a rate. With 64 bits under a secret that is no concern, and nobody can aim for
/// it.
package struct CallerKey: Hashable, Sendable {
    let hash: UInt64
    let isIdentified: Bool

    /// - Parameter secret: random, and the same for all loops of the daemon.
    package init(_ identity: SpiffeID, secret: UInt64) {
        var hash = KeyedHash(secret: secret)
        hash.mix(identity.mesh.text)
        hash.mix(identity.namespace)
        hash.mix(identity.account)
        self.hash = hash.value
        isIdentified = true
    }

    /// A client without an identity, by its address. Of IPv6 the first 64 bits count: a host chooses the rest by itself
    /// (RFC 8981), and would have a fresh rate for each choice.
    package init(_ address: IPAddress, secret: UInt64) {
        var hash = KeyedHash(secret: secret)
        switch address {
        case .v4(let word): hash.mix(UInt64(word))
        case .v6(let high, _):
            hash.mix(1)
            hash.mix(high)
        }
        self.hash = hash.value
        isIdentified = false
    }
}

package import NIOSSL
package import WeftCore

/// What tunnels ask of whoever holds keys and roots. One for each event loop, called there only.
package protocol TunnelTrust: AnyObject {
    /// The context with which `source` presents itself: TLS 1.3 only, ALPN `h2`, no host name verification (the check
    /// of the chain is `verify`'s). Nil when there is no certificate for it.
    func clientContext(for source: SpiffeID) throws -> NIOSSLContext?

    /// The context that answers a client which asked for `serverName`: as above, and a client certificate is demanded.
    func serverContext(forServerName serverName: String?) throws -> NIOSSLContext

    /// The name with which a weft node is asked for this identity; nil for peers that are to get no SNI.
    func serverName(for destination: SpiffeID) -> String?

    /// Checks what a peer presented, leaf first: chain, times, use, trust domain, revocation.
    func verify(_ presented: [NIOSSLCertificate], as role: TunnelRole) -> Result<TunnelPeer, TunnelRefusal>
}

/// Which end of a tunnel the peer is.
package enum TunnelRole: Sendable, Equatable {
    case client
    case server
}

/// How the peer of a live tunnel stands when it is looked at again.
package enum TunnelStanding: Sendable {
    case good
    /// Its certificate ended, or its root did: no new streams; those that are open go on.
    case outdated
    /// It was revoked: everything ends at once.
    case refused
}

/// Somebody whose certificate held.
package struct TunnelPeer: Sendable {
    package let identity: SpiffeID
    /// What the verifier wants to see again when it checks a second time; tunnels only keep it.
    package let evidence: (any Sendable)?

    package init(identity: SpiffeID, evidence: (any Sendable)? = nil) {
        self.identity = identity
        self.evidence = evidence
    }
}

/// Why a certificate did not hold.
package struct TunnelRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// Short and stable, for metrics: `unknown-authority`.
    package let name: String
    /// For people.
    package let description: String

    package init(name: String, description: String) {
        self.name = name
        self.description = description
    }
}

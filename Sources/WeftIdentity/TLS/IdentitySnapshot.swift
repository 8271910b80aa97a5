package import NIOSSL
package import WeftCore

/// What this host is and trusts at one moment, for event loops to hold: immutable, read without a lock.
///
/// A handshake that runs while a new snapshot comes ends with the one that it began with. Keys are inside and do not
/// come out: contexts sign through `LeafSigner`.
package final class IdentitySnapshot: Sendable {
    /// The host's own identity.
    package let host: SpiffeID
    /// Checks peers of tunnels; used through `clientHandler` and `serverHandler`.
    package let verifier: PeerVerifier
    private let ends: [SpiffeID: TLSEnd]
    private let byServerName: [ServerName: TLSEnd]
    private let hostEnd: TLSEnd
    private let applicationProtocols: [String]

    init(
        host: SpiffeID,
        ends: [SpiffeID: TLSEnd],
        verifier: PeerVerifier,
        applicationProtocols: [String]
    ) throws {
        guard let hostEnd = ends[host] else { throw IdentityError.notAllowed(host) }
        self.host = host
        self.ends = ends
        self.verifier = verifier
        self.hostEnd = hostEnd
        self.applicationProtocols = applicationProtocols
        var named: [ServerName: TLSEnd] = [:]
        for (identity, end) in ends {
            if let name = ServerName(identity) { named[name] = end }
        }
        self.byServerName = named
    }

    package var mesh: MeshName { host.mesh }

    /// Whether there is a certificate for this identity.
    package func holds(_ identity: SpiffeID) -> Bool { ends[identity] != nil }

    /// The certificates here, for `weft cert`; in order of identity.
    package var certificates: [WorkloadCertificate] {
        ends.values.map(\.certificate).sorted { $0.identity < $1.identity }
    }

    /// A context for dialling on behalf of `source`; nil when it has no certificate here (yet).
    ///
    /// Made when somebody dials, which is once for each tunnel: most workloads never do.
    package func clientContext(for source: SpiffeID) throws -> NIOSSLContext? {
        try ends[source].map { try NIOSSLContext(configuration: $0.client) }
    }

    /// The identity that a client which asks for `serverName` gets to see: the service's when it is one of this host's,
    /// and the host's otherwise, which tells the client that it has come to the right host and not to the service.
    package func identity(forServerName serverName: String?) -> SpiffeID {
        end(forServerName: serverName).certificate.identity
    }

    /// A context for one accepted connection.
    ///
    /// Always a new one: a server's context hands out session tickets, which NIOSSL cannot turn off, and a resumed
    /// handshake skips the check of the peer. A ticket dies with its context, as its key does. Making one takes
    /// some tens of microseconds.
    package func serverContext(forServerName serverName: String?) throws -> NIOSSLContext {
        try NIOSSLContext(configuration: end(forServerName: serverName).server)
    }

    /// A context for one connection of a host that wants to join: no certificate is asked for, and the roots are shown.
    /// Nothing but the join service may be behind it.
    package func joinServerContext() throws -> NIOSSLContext {
        let bundle = verifier.bundle
        return try NIOSSLContext(configuration: hostEnd.joinServer(showing: bundle.crossings + bundle.roots))
    }

    private func end(forServerName serverName: String?) -> TLSEnd {
        serverName.flatMap(ServerName.init).flatMap { byServerName[$0] } ?? hostEnd
    }
}

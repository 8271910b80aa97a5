internal import NIOCore
internal import NIOSSL
internal import WeftCore
internal import WeftIdentity
internal import WeftProxy

/// What the tunnels of one event loop trust: the identities of this host as they were published last.
final class MeshTrust: TunnelTrust {
    var identity: IdentitySnapshot?

    func clientContext(for source: SpiffeID) throws -> NIOSSLContext? {
        try identity?.clientContext(for: source)
    }

    func serverContext(forServerName serverName: String?) throws -> NIOSSLContext {
        guard let identity else { throw TunnelRefusal(name: "no-identity", description: "this host has no identity") }
        return try identity.serverContext(forServerName: serverName)
    }

    func serverName(for destination: SpiffeID) -> String? { ServerName(destination)?.text }

    func verify(_ presented: [NIOSSLCertificate], as role: TunnelRole) -> Result<TunnelPeer, TunnelRefusal> {
        guard let identity else {
            return .failure(TunnelRefusal(name: "no-identity", description: "this host has no identity"))
        }
        return identity.verifier.verify(presented, as: role == .client ? .client : .server, expecting: nil, now: .now())
            .map { TunnelPeer(identity: $0.identity, evidence: $0) }
            .mapError { TunnelRefusal(name: $0.name.rawValue, description: $0.description) }
    }

    /// How a peer that was let in before stands by now.
    func standing(of peer: TunnelPeer) -> TunnelStanding {
        guard let identity, let evidence = peer.evidence as? VerifiedPeer else { return .refused }
        do {
            try identity.verifier.recheck(evidence, now: .now())
            return .good
        } catch {
            // The end of a certificate or of a root's time is no accusation: what is under way may end by itself.
            if case .revoked = error { return .refused }
            return .outdated
        }
    }

    /// Gives a channel of a host that wants to join to the service that answers it.
    func adopt(_ channel: any Channel, for join: JoinServer) throws {
        guard let identity else { throw TunnelRefusal(name: "no-identity", description: "this host has no identity") }
        try join.adopt(channel, context: identity.joinServerContext())
    }
}

package import WeftCore

/// Why a peer's certificates were refused. `name` is what metrics count by; `description` is for people.
package enum PeerRefusal: Error, Sendable, Equatable {
    /// The peer showed none.
    case noCertificate
    /// Too many, too large, not X.509, or with parts that weft does not allow; says which.
    case malformed(String)
    /// No root of this mesh signed it, directly or through what the peer showed.
    case unknownAuthority
    /// It ended; `ago` is by this host's clock.
    case expired(Part, notAfter: WallTime, ago: Duration)
    /// It has not begun; `ahead` is by this host's clock, which is the usual suspect.
    case notYetValid(Part, notBefore: WallTime, ahead: Duration)
    /// Somebody of another mesh.
    case wrongTrustDomain(String)
    /// There is not exactly one SPIFFE name of the five-part shape.
    case noIdentity
    /// The host that issued it, or that it is, was revoked.
    case revoked(NodeName)
    /// The host that issued it may not speak for this service, or is another host than the one named.
    case notAllowed(SpiffeID, by: NodeName)
    /// It is not for this end of a TLS connection, or signs although it may not.
    case wrongUsage(Part)
    /// A good certificate of somebody else than was asked for.
    case unexpected(SpiffeID)

    /// Which certificate of the chain.
    package enum Part: String, Sendable {
        case leaf
        case intermediate
        case root
    }

    /// The reasons' names, all of them, for metrics.
    package enum Name: String, Sendable, CaseIterable {
        case noCertificate = "no-certificate"
        case malformed
        case unknownAuthority = "unknown-authority"
        case expired
        case notYetValid = "not-yet-valid"
        case wrongTrustDomain = "wrong-trust-domain"
        case noIdentity = "no-identity"
        case revoked
        case notAllowed = "not-allowed"
        case wrongUsage = "wrong-usage"
        case unexpected
    }

    package var name: Name {
        switch self {
        case .noCertificate: .noCertificate
        case .malformed: .malformed
        case .unknownAuthority: .unknownAuthority
        case .expired: .expired
        case .notYetValid: .notYetValid
        case .wrongTrustDomain: .wrongTrustDomain
        case .noIdentity: .noIdentity
        case .revoked: .revoked
        case .notAllowed: .notAllowed
        case .wrongUsage: .wrongUsage
        case .unexpected: .unexpected
        }
    }
}

extension PeerRefusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noCertificate: "the peer showed no certificate"
        case .malformed(let what): "the peer's certificates are malformed: \(what)"
        case .unknownAuthority: "the peer's certificate was not issued by an authority of this mesh"
        case .expired(let part, let end, let ago):
            "the peer's \(part.rawValue) certificate ended at \(end.rfc3339), \(words(ago)) ago by this host's clock"
        case .notYetValid(let part, let start, let ahead):
            "the peer's \(part.rawValue) certificate begins at \(start.rfc3339), \(words(ahead)) ahead of this host's "
                + "clock; compare the clocks of both hosts"
        case .wrongTrustDomain(let name): "the peer belongs to \(name)"
        case .noIdentity: "the peer's certificate does not have exactly one name spiffe://MESH/ns/TENANT/sa/SERVICE"
        case .revoked(let node): "the host \(node) was revoked"
        case .notAllowed(let identity, let node): "the host \(node) may not speak for \(identity)"
        case .wrongUsage(let part): "the peer's \(part.rawValue) certificate is not for this use"
        case .unexpected(let identity): "the peer is \(identity), which was not asked for"
        }
    }

    /// The largest unit alone: enough to tell a clock that is seconds off from one that is hours off.
    private func words(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        return switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }
}

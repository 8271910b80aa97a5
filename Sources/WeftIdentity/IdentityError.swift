package import WeftCore

/// Why a certificate, a key or a request could not be made, read or signed. `description` is for people.
package enum IdentityError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Bytes that are no certificate, key or request of the kind that was asked for; says which and why.
    case unreadable(String)
    /// The library could not make what was asked for; says what and why.
    case failed(String)
    /// The key does not belong to the certificate.
    case foreignKey
    /// The request is not signed by the key that it names.
    case noPossession
    /// The request names another host than the one that asks.
    case wrongNode(NodeName)
    /// The certificate or request is of another mesh.
    case wrongMesh
    /// The certificate was not signed by this mesh's authority.
    case unknownIssuer
    /// The intermediate ended longer ago than the grace.
    case pastGrace(ended: WallTime)
    /// The host was revoked.
    case revoked(NodeName)
    /// The certificate that would sign is not valid now.
    case issuerNotValid(ValidityPeriod)
    /// The intermediate does not allow this identity.
    case notAllowed(SpiffeID)
    /// A step of a root rotation that does not follow from the last; says what to do first.
    case wrongStep(String)

    package var description: String {
        switch self {
        case .unreadable(let what): "cannot be read: \(what)"
        case .failed(let what): "cannot be made: \(what)"
        case .foreignKey: "the key does not belong to the certificate"
        case .noPossession: "the request is not signed by its own key"
        case .wrongNode(let node): "the request is for the host \(node)"
        case .wrongMesh: "the certificate is of another mesh"
        case .unknownIssuer: "the certificate was not signed by this mesh's authority"
        case .pastGrace(let ended):
            "the certificate ended at \(ended.rfc3339), longer ago than the grace; join with a new token"
        case .revoked(let node): "the host \(node) was revoked; join with a new token"
        case .issuerNotValid(let period):
            "the signing certificate holds from \(period.notBefore.rfc3339) to \(period.notAfter.rfc3339) only"
        case .notAllowed(let identity): "this host may not speak for \(identity)"
        case .wrongStep(let remedy): remedy
        }
    }
}

internal import SwiftASN1
internal import WeftCore
internal import X509

/// A chain whose signatures hold, from a leaf to a root. The checks of RFC 5280, section 6.1, that weft's shape of
/// certificates needs; what it does not need is refused.
struct CertificatePath {
    let leaf: MeshCertificate
    /// The leaf's issuer first.
    let intermediates: [MeshCertificate]
    let root: MeshCertificate

    var all: [MeshCertificate] { [leaf] + intermediates + [root] }

    private var parts: [(PeerRefusal.Part, MeshCertificate)] {
        [(.leaf, leaf)] + intermediates.map { (.intermediate, $0) } + [(.root, root)]
    }

    func checkValidity(at now: WallTime) throws(PeerRefusal) {
        for (part, certificate) in parts {
            let validity = certificate.validity
            // The last second counts whole (RFC 5280, section 4.1.2.5).
            guard now <= validity.notAfter.advanced(by: .milliseconds(999)) else {
                throw .expired(part, notAfter: validity.notAfter, ago: now.since(validity.notAfter))
            }
            guard validity.notBefore <= now else {
                throw .notYetValid(part, notBefore: validity.notBefore, ahead: validity.notBefore.since(now))
            }
        }
    }

    /// The leaf is for TLS at this end and signs nothing; the others may sign, as deep as they say.
    func checkUsage(as role: PeerVerifier.Role) throws(PeerRefusal) {
        for (part, certificate) in parts where part != .root { try checkExtensionsAreKnown(certificate, part) }
        do {
            try checkLeaf(role)
            for (depth, issuer) in (intermediates + [root]).enumerated() {
                try checkIssuer(issuer, depth == intermediates.count ? .root : .intermediate, depth, role)
            }
        } catch let refusal as PeerRefusal {
            throw refusal
        } catch {
            throw .malformed("an extension: \(error)")
        }
    }

    private func checkLeaf(_ role: PeerVerifier.Role) throws {
        let extensions = leaf.x509.extensions
        if case .isCertificateAuthority? = try extensions.basicConstraints { throw PeerRefusal.wrongUsage(.leaf) }
        if let usage = try extensions.keyUsage, !usage.digitalSignature || usage.keyCertSign {
            throw PeerRefusal.wrongUsage(.leaf)
        }
        guard let purposes = try extensions.extendedKeyUsage, purposes.contains(role.purpose) else {
            throw PeerRefusal.wrongUsage(.leaf)
        }
    }

    /// - Parameter depth: how many intermediates stand below.
    private func checkIssuer(
        _ issuer: MeshCertificate,
        _ part: PeerRefusal.Part,
        _ depth: Int,
        _ role: PeerVerifier.Role
    ) throws {
        let extensions = issuer.x509.extensions
        guard case .isCertificateAuthority(let pathLength)? = try extensions.basicConstraints,
            pathLength ?? depth >= depth
        else { throw PeerRefusal.wrongUsage(part) }
        if let usage = try extensions.keyUsage, !usage.keyCertSign { throw PeerRefusal.wrongUsage(part) }
        if let purposes = try extensions.extendedKeyUsage, !purposes.contains(role.purpose), !purposes.contains(.any) {
            throw PeerRefusal.wrongUsage(part)
        }
    }

    /// Name constraints are not evaluated and so refused, critical or not; other critical extensions that are not known
    /// are refused as RFC 5280, section 4.2, demands. Roots are trusted as they are.
    private func checkExtensionsAreKnown(
        _ certificate: MeshCertificate,
        _ part: PeerRefusal.Part
    ) throws(PeerRefusal) {
        for found in certificate.x509.extensions {
            if found.oid == .X509ExtensionID.nameConstraints {
                throw .malformed("name constraints in the \(part.rawValue)")
            }
            guard !found.critical || Self.known.contains(found.oid) else {
                throw .malformed("the unknown critical extension \(found.oid) in the \(part.rawValue)")
            }
        }
    }

    private static let known: Set<ASN1ObjectIdentifier> = [
        .X509ExtensionID.basicConstraints, .X509ExtensionID.keyUsage, .X509ExtensionID.extendedKeyUsage,
        .X509ExtensionID.subjectAlternativeName, .X509ExtensionID.subjectKeyIdentifier,
        .X509ExtensionID.authorityKeyIdentifier, AllowedServices.oid,
    ]
}

extension PeerVerifier.Role {
    fileprivate var purpose: ExtendedKeyUsage.Usage {
        switch self {
        case .client: .clientAuth
        case .server: .serverAuth
        }
    }
}

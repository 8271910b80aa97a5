package import WeftCore
internal import X509

/// Says who a peer is, from the certificates that it showed in the handshake, or why it is refused.
///
/// An immutable value, made anew when the bundle changes, used on event loops. It walks from the leaf to a root by itself
/// rather than through X509's `Verifier`: that one is asynchronous, and does not tell why it refused. A chain in weft
/// has one intermediate; a company's authority may add one. Two signature checks are most of its cost.
package struct PeerVerifier: Sendable {
    /// More certificates than this are refused unread. Enough for a chain with the roots and crossings of a rotation,
    /// which the join service shows to hosts that renew; few enough that trying them all costs a stranger's handshake
    /// milliseconds at most.
    package static let certificatesMax = 10
    /// Certificates between the leaf and the root.
    private static let intermediatesMax = 3

    package let mesh: MeshName
    package let bundle: TrustBundle

    package init(bundle: TrustBundle) {
        self.mesh = bundle.mesh
        self.bundle = bundle
    }

    /// Which end of the TLS connection the peer is.
    package enum Role: Sendable {
        case client
        case server
    }

    /// Checks everything but whether this peer was the one asked for.
    ///
    /// - Parameter presented: DER, the leaf first, the others in any order (RFC 8446, section 4.4.2).
    package func verify(
        _ presented: [[UInt8]],
        as role: Role,
        now: WallTime,
        certificatesMax: Int = certificatesMax
    ) throws(PeerRefusal) -> VerifiedPeer {
        guard !presented.isEmpty else { throw .noCertificate }
        guard presented.count <= certificatesMax else { throw .malformed("\(presented.count) certificates") }
        var others: [MeshCertificate] = []
        for der in presented {
            do {
                others.append(try MeshCertificate(der: der))
            } catch {
                throw .malformed(error.description)
            }
        }
        let leaf = others.removeFirst()
        let path = try path(from: leaf, through: others)
        try path.checkValidity(at: now)
        try path.checkUsage(as: role)
        return try identify(path)
    }

    /// Checks a peer again that was let in before: the bundle or the time has moved on.
    package func recheck(_ peer: VerifiedPeer, now: WallTime) throws(PeerRefusal) {
        guard bundle.roots.contains(where: { $0.fingerprint == peer.root }) else { throw .unknownAuthority }
        if let issuer = peer.issuer {
            guard !bundle.isRevoked(node: issuer.node, serial: issuer.serial, notBefore: issuer.notBefore) else {
                throw .revoked(issuer.node)
            }
        }
        guard now <= peer.notAfter else {
            throw .expired(.leaf, notAfter: peer.notAfter, ago: now.since(peer.notAfter))
        }
    }
}

extension PeerVerifier {
    /// The shortest way to a root: at each step a root is tried before what the peer showed.
    private func path(
        from leaf: MeshCertificate,
        through others: [MeshCertificate]
    ) throws(PeerRefusal) -> CertificatePath {
        var pool = others
        var intermediates: [MeshCertificate] = []
        var current = leaf
        while true {
            if let root = bundle.roots.first(where: { current.isSigned(by: $0) }) {
                return CertificatePath(leaf: leaf, intermediates: intermediates, root: root)
            }
            guard intermediates.count < Self.intermediatesMax,
                let index = pool.firstIndex(where: { current.isSigned(by: $0) })
            else { throw .unknownAuthority }
            current = pool.remove(at: index)
            intermediates.append(current)
        }
    }

    private func identify(_ path: CertificatePath) throws(PeerRefusal) -> VerifiedPeer {
        let identity = try self.identity(of: path.leaf)
        guard let intermediate = path.intermediates.first else {
            // Signed by the root itself: peers that are no hosts of weft's.
            if let node = identity.node, bundle.isRevoked(node: node, intermediate: path.leaf) { throw .revoked(node) }
            return VerifiedPeer(identity: identity, path: path, issuer: nil)
        }
        let host = try self.identity(of: intermediate)
        guard let node = host.node else { throw .noIdentity }
        guard !bundle.isRevoked(node: node, intermediate: intermediate) else { throw .revoked(node) }
        try check(identity, isFor: host, node, intermediate)
        let issuer = VerifiedPeer.Issuer(
            node: node,
            serial: intermediate.serial,
            notBefore: intermediate.validity.notBefore
        )
        return VerifiedPeer(identity: identity, path: path, issuer: issuer)
    }

    /// A host speaks for itself and for the services that its intermediate allows; never for another host.
    private func check(
        _ identity: SpiffeID,
        isFor host: SpiffeID,
        _ node: NodeName,
        _ intermediate: MeshCertificate
    ) throws(PeerRefusal) {
        if identity.namespace == SpiffeID.nodeNamespace {
            guard identity == host else { throw .notAllowed(identity, by: node) }
            return
        }
        let allowed: AllowedServices?
        do {
            allowed = try AllowedServices(carriedBy: intermediate)
        } catch {
            throw .malformed(error.description)
        }
        guard allowed?.allows(identity) ?? true else { throw .notAllowed(identity, by: node) }
    }

    private func identity(of certificate: MeshCertificate) throws(PeerRefusal) -> SpiffeID {
        guard let names = certificate.uriNames else { throw .malformed("the subject alternative names") }
        guard names.count == 1, let identity = SpiffeID(names[0]) else { throw .noIdentity }
        guard identity.mesh == mesh else { throw .wrongTrustDomain(identity.mesh.text) }
        return identity
    }
}

/// A peer whose certificates were good: who it is, which host vouches for it, and until when.
package struct VerifiedPeer: Sendable, Hashable {
    package let identity: SpiffeID
    /// The leaf's number.
    package let serial: CertificateSerial
    /// The end of whichever certificate of the chain ends first.
    package let notAfter: WallTime
    /// The root at the end of the chain.
    package let root: Fingerprint
    let issuer: Issuer?

    struct Issuer: Sendable, Hashable {
        let node: NodeName
        let serial: CertificateSerial
        let notBefore: WallTime
    }

    init(identity: SpiffeID, path: CertificatePath, issuer: Issuer?) {
        self.identity = identity
        self.serial = path.leaf.serial
        self.notAfter = path.all.map(\.validity.notAfter).min() ?? path.leaf.validity.notAfter
        self.root = path.root.fingerprint
        self.issuer = issuer
    }

    /// The host that vouches for the peer; nil when the authority itself does (peers that are no hosts of weft's).
    package var node: NodeName? { issuer?.node }
}

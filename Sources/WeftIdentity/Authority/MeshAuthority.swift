package import WeftCore
internal import X509

/// The authority of a mesh: its root key, what it trusts, and what it has revoked. Several hosts may hold the same one.
///
/// A value without effects; whoever changes it stores it and spreads `signedBundle()`. It is no server: `TokenBook` says
/// who may join, the join service asks both. An authority is either a root of weft's own, or one that a company's root
/// signed; then `upper` leads on towards that root, which weft does not trust: it may sign for others.
package struct MeshAuthority: Sendable {
    package let mesh: MeshName
    /// The certificate that signs for nodes: a root to this mesh's hosts, whoever signed it.
    package internal(set) var root: MeshCertificate
    /// What stands between `root` and an outside root; empty for a root of weft's own. Only for outsiders' eyes.
    package internal(set) var upper: [MeshCertificate]
    /// What all hosts trust; `signedBundle()` is how they get it.
    package internal(set) var bundle: TrustBundle
    /// Where a rotation stands.
    package internal(set) var rotation: Rotation?
    var key: IssuerKey
    /// What it gave to hosts.
    var register = HostRegister()

    /// A rotation between its steps.
    package enum Rotation: Sendable {
        /// The next root is in the bundle, the present one still signs.
        case prepared(root: MeshCertificate, Next)
        /// The new root signs, the old one is still trusted.
        case switched(old: Fingerprint)

        /// The next root's key, which nobody but the authority sees, and what leads on from it to an outside root.
        package struct Next: Sendable {
            let key: IssuerKey
            let upper: [MeshCertificate]
        }
    }

    init(mesh: MeshName, root: MeshCertificate, upper: [MeshCertificate], bundle: TrustBundle, key: IssuerKey) {
        self.mesh = mesh
        self.root = root
        self.upper = upper
        self.bundle = bundle
        self.key = key
    }

    /// Founds a mesh: a new key, a root of its own, and a bundle of version 1.
    package static func found(
        _ mesh: MeshName,
        now: WallTime,
        lifetimes: Lifetimes = .standard,
        using rng: inout some RandomNumberGenerator
    ) throws(IdentityError) -> MeshAuthority {
        let key = IssuerKey()
        let root = try makeRoot(mesh, key: key, now: now, lifetime: lifetimes.root, using: &rng)
        let bundle = TrustBundle(mesh: mesh, version: 1, issued: now, roots: [root])
        return MeshAuthority(mesh: mesh, root: root, upper: [], bundle: bundle, key: key)
    }

    static func makeRoot(
        _ mesh: MeshName,
        key: IssuerKey,
        now: WallTime,
        lifetime: Duration,
        using rng: inout some RandomNumberGenerator
    ) throws(IdentityError) -> MeshCertificate {
        let validity = ValidityPeriod(madeAt: now, lifetime: lifetime)
        return try CertificateProfile.root(mesh, validity).sign(key.publicKey, by: nil, with: key.x509, using: &rng)
    }

    /// Signs the intermediate of a host that a token let in.
    ///
    /// - Parameter allowed: what the token allows; nil for everything.
    /// - Returns: the chain for `NodeIdentity`.
    package func sign(
        _ request: NodeRequest,
        allowed: AllowedServices?,
        now: WallTime,
        lifetimes: Lifetimes = .standard,
        using rng: inout some RandomNumberGenerator
    ) throws(IdentityError) -> [MeshCertificate] {
        guard let node = request.node else { throw .unreadable("the request does not name a host") }
        guard request.identity.mesh == mesh else { throw .wrongMesh }
        guard root.validity.contains(now) else { throw .issuerNotValid(root.validity) }
        let usual = ValidityPeriod(madeAt: now, lifetime: lifetimes.intermediate, within: root.validity)
        var validity = usual
        // A host that was revoked and let in again: the new intermediate begins after the revocation, so it is not
        // taken for one of the old.
        if let revoked = bundle.revokedNodes[node], usual.notBefore <= revoked {
            let after = revoked.wholeSeconds.advanced(by: .seconds(1))
            validity = ValidityPeriod(notBefore: after, notAfter: usual.notAfter)
        }
        let intermediate = try CertificateProfile.intermediate(request.identity, allowed: allowed, validity).sign(
            request.key,
            by: root.x509,
            with: key.x509,
            using: &rng
        )
        return [intermediate] + (upper.isEmpty ? [] : [root] + upper.filter { !$0.isSigned(by: $0) })
    }

    /// Signs a new intermediate for a host that has, or had, one: same key, same name, same allowed services. One that
    /// hangs on a root of before counts when this authority remembers it (`HostRegister`).
    package func renew(
        _ renewal: RenewalRequest,
        now: WallTime,
        lifetimes: Lifetimes = .standard,
        using rng: inout some RandomNumberGenerator
    ) throws(IdentityError) -> [MeshCertificate] {
        let current = renewal.current
        guard let node = renewal.request.node else { throw .unreadable("the request does not name a host") }
        guard current.identity == renewal.request.identity else { throw .wrongNode(node) }
        guard current.x509.publicKey == renewal.request.key else { throw .foreignKey }
        guard bundle.root(of: current) != nil || register.contains(current, of: node) else { throw .unknownIssuer }
        guard !bundle.isRevoked(node: node, intermediate: current) else { throw .revoked(node) }
        let end = current.validity.notAfter
        guard now <= end.advanced(by: Lifetimes.grace) else { throw .pastGrace(ended: end) }
        let allowed = try AllowedServices(carriedBy: current)
        return try sign(renewal.request, allowed: allowed, now: now, lifetimes: lifetimes, using: &rng)
    }

    /// Refuses all intermediates of a host that begin now or earlier, everywhere, as soon as the bundle is there. The
    /// host can come back with a new token.
    package mutating func revoke(_ node: NodeName, now: WallTime) throws(IdentityError) {
        try bundle.change(at: now) { $0.revoke(node, at: now) }
    }

    /// Refuses one intermediate.
    package mutating func revoke(_ intermediate: MeshCertificate, now: WallTime) throws(IdentityError) {
        try bundle.change(at: now) { $0.revoke(intermediate) }
    }

    /// What the mesh trusts, signed: the document that gossip spreads.
    package func signedBundle() throws(IdentityError) -> SignedTrustBundle {
        try SignedTrustBundle(bundle, signedBy: root, with: key)
    }
}

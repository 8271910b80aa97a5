internal import Crypto
package import WeftCore
internal import X509

/// A host as the mesh knows it: its key, and the chain that the authority gave it. Issues the certificates of the
/// workloads on the host, so that none of them ever waits for an authority.
///
/// A value without effects: the daemon keeps it in `StateStore`, asks `RenewalSchedule` when to mint, and gives what is
/// minted to `TLSContexts`.
package struct NodeIdentity: Sendable {
    package let identity: SpiffeID
    /// The host's intermediate first, then what an authority from outside adds below its own root.
    package let chain: [MeshCertificate]
    /// What the intermediate allows; nil for everything.
    package let allowed: AllowedServices?
    let key: NodeKey

    /// Longer chains are refused.
    package static let chainMax = 4

    /// Puts the authority's answer together with the key that asked. Checks that they belong together, not that the
    /// chain leads to a root: what the authority sent came over a connection that was checked.
    package init(key: NodeKey, chain: [MeshCertificate]) throws(IdentityError) {
        guard let first = chain.first, chain.count <= Self.chainMax else {
            throw .unreadable("a chain of \(chain.count) certificates")
        }
        guard first.x509.publicKey == key.publicKey else { throw .foreignKey }
        guard let identity = first.identity, identity.node != nil else {
            throw .unreadable("the intermediate does not name a host")
        }
        self.identity = identity
        self.chain = chain
        self.key = key
        self.allowed = try AllowedServices(carriedBy: first)
    }

    package var mesh: MeshName { identity.mesh }

    package var node: NodeName {
        guard let node = identity.node else { preconditionFailure("a host's identity without a host: \(identity)") }
        return node
    }

    /// Until when an authority renews the intermediate without a token.
    package var renewableUntil: WallTime { intermediate.validity.notAfter.advanced(by: Lifetimes.grace) }

    /// The host's own certificate, which signs those of its workloads.
    package var intermediate: MeshCertificate { chain[0] }

    /// Makes a new key and a certificate for a workload of this host, or for the host itself as an end of tunnels.
    ///
    /// - Parameter lifetime: from `now`; cut at the end of the intermediate.
    package func mint(
        _ workload: SpiffeID,
        lifetime: Duration = Lifetimes.standard.leaf,
        now: WallTime,
        using rng: inout some RandomNumberGenerator
    ) throws(IdentityError) -> WorkloadCertificate {
        guard intermediate.validity.contains(now) else { throw .issuerNotValid(intermediate.validity) }
        guard workload.mesh == mesh, mayHave(workload) else { throw .notAllowed(workload) }
        let leafKey = P256.Signing.PrivateKey()
        let validity = ValidityPeriod(madeAt: now, lifetime: lifetime, within: intermediate.validity)
        let leaf = try CertificateProfile.leaf(workload, validity).sign(
            Certificate.PublicKey(leafKey.publicKey),
            by: intermediate.x509,
            with: key.x509,
            using: &rng
        )
        return WorkloadCertificate(identity: workload, chain: [leaf] + chain, key: leafKey)
    }

    /// The same rule that peers check (`PeerVerifier`): hosts only for themselves, services within the allowed list.
    private func mayHave(_ workload: SpiffeID) -> Bool {
        if workload.namespace == SpiffeID.nodeNamespace { return workload == identity }
        return allowed?.allows(workload) ?? true
    }

    /// The same host with the chain that an authority answered.
    package func renewed(_ chain: [MeshCertificate]) throws(IdentityError) -> NodeIdentity {
        let next = try NodeIdentity(key: key, chain: chain)
        guard next.identity == identity else { throw .wrongNode(next.node) }
        return next
    }

    /// What this host sends to an authority to get a new intermediate, before or after the old one ended.
    package func renewalRequest() throws(IdentityError) -> RenewalRequest {
        RenewalRequest(request: try key.request(for: identity), current: intermediate)
    }
}

/// A workload's certificate with its key and its chain: what one end of a tunnel shows. Never written to disk.
package struct WorkloadCertificate: Sendable {
    package let identity: SpiffeID
    /// The leaf first.
    package let chain: [MeshCertificate]
    let key: Hidden<P256.Signing.PrivateKey>

    init(identity: SpiffeID, chain: [MeshCertificate], key: P256.Signing.PrivateKey) {
        self.identity = identity
        self.chain = chain
        self.key = Hidden(key)
    }

    package var leaf: MeshCertificate { chain[0] }

    package var validity: ValidityPeriod { leaf.validity }
}

/// A host's wish for a new intermediate for the key and name that it has.
///
/// Sent again by somebody else it only yields another certificate for a key that they do not hold, so it carries no
/// challenge.
package struct RenewalRequest: Sendable {
    package let request: NodeRequest
    /// The intermediate in hand; it may have ended.
    package let current: MeshCertificate

    package init(request: NodeRequest, current: MeshCertificate) {
        self.request = request
        self.current = current
    }
}

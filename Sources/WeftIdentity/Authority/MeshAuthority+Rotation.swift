package import WeftCore
internal import X509

/// The rotation of a root, in three steps with time between them, so that no handshake ever meets a root that one of its
/// ends does not know:
///
/// | step      | signs | trusted  | go on when                                                           |
/// | prepare   | old   | old, new | every host has the bundle (their status says its version)            |
/// | switch    | new   | old, new | every host has renewed its intermediate: `weft cert --mesh`, 15 days |
/// | finish    | new   | new      |                                                                      |
///
/// A host that slept through some or all of it takes the last bundle all the same: the crossing in it is the old root's
/// word for the new one.
extension MeshAuthority {
    /// Step 1: makes the next root and has it trusted.
    package mutating func prepareRotation(
        now: WallTime,
        lifetimes: Lifetimes = .standard,
        using rng: inout some RandomNumberGenerator
    ) throws(IdentityError) {
        let nextKey = IssuerKey()
        let next = try Self.makeRoot(mesh, key: nextKey, now: now, lifetime: lifetimes.root, using: &rng)
        try prepareRotation(to: next, Rotation.Next(key: nextKey, upper: []), now: now, using: &rng)
    }

    /// Step 1 with a root that exists: also how an authority from outside takes over.
    mutating func prepareRotation(
        to next: MeshCertificate,
        _ secret: Rotation.Next,
        now: WallTime,
        using rng: inout some RandomNumberGenerator
    ) throws(IdentityError) {
        guard rotation == nil else { throw .wrongStep("a rotation is under way: finish it first") }
        let old = root
        let crossing = try CertificateProfile(
            subject: next.x509.subject,
            uri: "spiffe://\(mesh)",
            kind: .root,
            validity: ValidityPeriod(madeAt: now, lifetime: .seconds(20 * 365 * 86_400), within: old.validity)
        ).sign(secret.key.publicKey, by: old.x509, with: key.x509, using: &rng)
        try bundle.change(at: now) { bundle in
            bundle.roots = [old, next]
            // The latest ones, as a host that missed four rotations has long been away past its grace.
            bundle.crossings = bundle.crossings.suffix(TrustBundle.crossingsMax - 1) + [crossing]
        }
        rotation = .prepared(root: next, secret)
    }

    /// Step 2: signs with the new root from now on. The old root's key is forgotten.
    package mutating func switchRoots(now: WallTime) throws(IdentityError) {
        guard case .prepared(let next, let secret)? = rotation else {
            throw .wrongStep("no new root is prepared: prepare one first")
        }
        let old = root
        try bundle.change(at: now) { $0.roots = [next, old] }
        rotation = .switched(old: old.fingerprint)
        root = next
        upper = secret.upper
        key = secret.key
    }

    /// Step 3: trusts the new root alone. What the old one signed is refused from now on.
    package mutating func finishRotation(now: WallTime) throws(IdentityError) {
        guard case .switched? = rotation else { throw .wrongStep("the new root does not sign yet: switch first") }
        let kept = root
        try bundle.change(at: now) { $0.roots = [kept] }
        rotation = nil
    }

    /// Gives up a rotation that was prepared and not switched.
    package mutating func cancelRotation(now: WallTime) throws(IdentityError) {
        guard case .prepared? = rotation else { throw .wrongStep("no rotation to cancel") }
        let kept = root
        try bundle.change(at: now) { bundle in
            bundle.roots = [kept]
            bundle.crossings.removeLast()
        }
        rotation = nil
    }

    /// Takes over what another holder of the same authority has changed meanwhile. When both changed the same version,
    /// the result is a newer version with the revocations of both; when both say the same, there is nothing to do, or
    /// holders would outbid each other for ever.
    ///
    /// - Returns: whether there is a new version of this authority's own to spread.
    package mutating func adopt(
        _ document: SignedTrustBundle,
        now: WallTime
    ) throws(AdoptionError) -> Bool {
        let other: TrustBundle
        do {
            other = try document.open(mesh: mesh, trusting: bundle.roots)
        } catch {
            throw .refused(error)
        }
        guard other.version >= bundle.version, !other.hasContent(of: bundle) || other.version > bundle.version else {
            return false
        }
        guard other.roots.contains(root) else { throw .rootsMovedOn }
        var merged = other
        // Revocations are never taken back, so both sides' count, whichever version is the newer one. A rotation goes on
        // with the roots of the holder that has begun it.
        merged.revokedNodes = bundle.revokedNodes.merging(other.revokedNodes, uniquingKeysWith: max)
        merged.revokedSerials = bundle.revokedSerials.merging(other.revokedSerials, uniquingKeysWith: max)
        if rotation != nil { (merged.roots, merged.crossings) = (bundle.roots, bundle.crossings) }
        if other.version == bundle.version || !merged.hasContent(of: other) {
            do {
                try merged.change(at: now) { _ in }
            } catch {
                throw .failed(error)
            }
        }
        bundle = merged
        return merged.version > other.version
    }
}

/// Why an authority could not take over another holder's changes.
package enum AdoptionError: Error, Sendable, Equatable, CustomStringConvertible {
    case refused(BundleRefusal)
    /// Another holder finished a rotation: this one's key is the old root's, and signs nothing any more.
    case rootsMovedOn
    case failed(IdentityError)

    package var description: String {
        switch self {
        case .refused(let refusal): refusal.description
        case .rootsMovedOn: "the mesh has another root by now; have the authority granted to this host again"
        case .failed(let error): error.description
        }
    }
}

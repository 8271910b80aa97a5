package import WeftCore

/// What a host trusts: the roots of its mesh, and who was revoked. Read-only on hosts; the authority changes it.
///
/// Of two bundles the one with the higher version holds. Two authorities that changed the same version at once make two
/// of the same version: every host takes the one with the higher fingerprint, and `MeshAuthority.adopt` then makes a
/// third that has the revocations of both.
package struct TrustBundle: Sendable, Equatable {
    /// Two are needed for a rotation.
    package static let rootsMax = 4
    /// Rotations that a host may have slept through.
    package static let crossingsMax = 4
    /// Of hosts, and of intermediates.
    package static let revocationsMax = 4096

    package let mesh: MeshName
    /// From 1 upwards.
    package internal(set) var version: UInt64
    package internal(set) var issued: WallTime
    package internal(set) var roots: [MeshCertificate]
    /// New roots' keys signed by old roots: how a host that slept through a rotation comes to trust the new root.
    package internal(set) var crossings: [MeshCertificate]
    /// Intermediates of these hosts that begin at this time or earlier are refused.
    package internal(set) var revokedNodes: [NodeName: WallTime]
    /// Intermediates that are refused by number, with the time from which on they could not be renewed anyway.
    package internal(set) var revokedSerials: [CertificateSerial: WallTime]

    init(
        mesh: MeshName,
        version: UInt64,
        issued: WallTime,
        roots: [MeshCertificate],
        crossings: [MeshCertificate] = [],
        revokedNodes: [NodeName: WallTime] = [:],
        revokedSerials: [CertificateSerial: WallTime] = [:]
    ) {
        self.mesh = mesh
        self.version = version
        self.issued = issued
        self.roots = roots
        self.crossings = crossings
        self.revokedNodes = revokedNodes
        self.revokedSerials = revokedSerials
    }

    /// Whether this intermediate of this host was revoked.
    package func isRevoked(node: NodeName, intermediate: MeshCertificate) -> Bool {
        isRevoked(node: node, serial: intermediate.serial, notBefore: intermediate.validity.notBefore)
    }

    /// The root that made this certificate itself; nil when none of them did. One signature check.
    package func root(of certificate: MeshCertificate) -> MeshCertificate? {
        roots.first { certificate.isSigned(by: $0) }
    }

    func isRevoked(node: NodeName, serial: CertificateSerial, notBefore: WallTime) -> Bool {
        if let time = revokedNodes[node], notBefore <= time { return true }
        return revokedSerials[serial] != nil
    }
}

extension TrustBundle {
    /// Makes the next version. Throws, and changes nothing, when a bound would be passed.
    mutating func change(at now: WallTime, _ body: (inout TrustBundle) -> Void) throws(IdentityError) {
        var next = self
        next.forgetRevocations(before: now)
        body(&next)
        guard next.roots.count <= Self.rootsMax, next.crossings.count <= Self.crossingsMax,
            next.revokedNodes.count <= Self.revocationsMax, next.revokedSerials.count <= Self.revocationsMax
        else { throw .failed("trust bundle: more than \(Self.revocationsMax) revocations or \(Self.rootsMax) roots") }
        next.version += 1
        next.issued = now
        self = next
    }

    /// Whether both trust the same, whoever issued them when.
    func hasContent(of other: TrustBundle) -> Bool {
        mesh == other.mesh && roots == other.roots && crossings == other.crossings
            && revokedNodes == other.revokedNodes && revokedSerials == other.revokedSerials
    }

    mutating func revoke(_ node: NodeName, at now: WallTime) {
        revokedNodes[node] = revokedNodes[node].map { max($0, now) } ?? now
    }

    mutating func revoke(_ intermediate: MeshCertificate) {
        revokedSerials[intermediate.serial] = intermediate.validity.notAfter.advanced(by: Lifetimes.grace)
    }

    /// Forgets what no intermediate can fall under any more: all that began before have ended, and the grace as well.
    private mutating func forgetRevocations(before now: WallTime) {
        let kept = Lifetimes.standard.intermediate + Lifetimes.grace + .seconds(86_400)
        revokedNodes = revokedNodes.filter { now <= $0.value.advanced(by: kept) }
        revokedSerials = revokedSerials.filter { now <= $0.value }
    }
}

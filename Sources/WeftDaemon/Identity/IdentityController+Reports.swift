internal import WeftAPI
internal import WeftCore
internal import WeftIdentity

/// What people and metrics are told of the identity.
extension IdentityController {
    /// Failed renewals in a row after which people should know; the first are seconds apart.
    private static let failuresQuiet = 8

    // MARK: Certificates

    /// This host's own, the root first; or the intermediate of each host of the mesh, by their tags.
    func certificates(ofMesh: Bool) throws -> [CertificateRow] {
        guard let node, let trusted else { throw APIFailure.noIdentity(failure) }
        if ofMesh {
            let others = companions.compactMap { row(of: $0, trusted) }
            return [intermediateRow(node, trusted)] + others.sorted { $0.node < $1.node }
        }
        let issuer = node.identity.description
        return trusted.roots.map(rootRow) + [intermediateRow(node, trusted)]
            + leaves.sorted { $0.key < $1.key }.map { identity, leaf in
                row(.leaf, identity.description, issuer: issuer, leaf.leaf, schedule.entries[.leaf(identity)])
            }
    }

    private func rootRow(_ root: MeshCertificate) -> CertificateRow {
        let name = "spiffe://\(trusted?.mesh.text ?? "")"
        return row(.root, name, issuer: name, root, nil)
    }

    private func intermediateRow(_ node: NodeIdentity, _ trusted: TrustBundle) -> CertificateRow {
        row(
            .intermediate,
            node.identity.description,
            issuer: "spiffe://\(trusted.mesh)",
            node.intermediate,
            schedule.entries[.intermediate]
        )
    }

    private func row(
        _ kind: CertificateRow.Kind,
        _ identity: String,
        issuer: String,
        _ certificate: MeshCertificate,
        _ entry: RenewalSchedule.Entry?
    ) -> CertificateRow {
        CertificateRow(
            node: name.text,
            kind: kind,
            identity: identity,
            issuer: issuer,
            serial: certificate.serial.description,
            notAfter: certificate.validity.notAfter.rfc3339,
            leftSeconds: certificate.validity.notAfter.since(now).inSeconds,
            renewsSeconds: entry.map { ($0.retry ?? $0.renewal).since(now).inSeconds },
            failures: entry?.failures ?? 0
        )
    }

    private func row(of member: MeshMember, _ trusted: TrustBundle) -> CertificateRow? {
        guard let node = member.node, let mark = member.tags.certificate else { return nil }
        return CertificateRow(
            node: node.text,
            kind: .intermediate,
            identity: SpiffeID(mesh: trusted.mesh, node: node).description,
            issuer: "spiffe://\(trusted.mesh)",
            serial: nil,
            notAfter: mark.end.rfc3339,
            leftSeconds: mark.end.since(now).inSeconds,
            renewsSeconds: nil,
            failures: 0
        )
    }

    // MARK: Problems

    /// What is wrong, as `weft status` shows it.
    func problems() -> [Problem] {
        var problems: [Problem] = []
        if let failure {
            problems.append(Problem(code: failure.code, severity: .error, text: failure.text, next: failure.next))
        }
        if let keepingFailure {
            problems.append(
                Problem(
                    code: "identity-not-kept",
                    severity: .error,
                    text: "changes of this host's identity cannot be kept: \(keepingFailure)",
                    next: "df /var/lib/weft"
                )
            )
        }
        problems += [certificateProblem, strangersProblem, clearPoolProblem].compactMap { $0 }
        return problems
    }

    private var certificateProblem: Problem? {
        guard let node, let trusted else { return nil }
        if trusted.isRevoked(node: node.node, intermediate: node.intermediate) || renewalRefusal == .revoked {
            return Problem(
                code: "host-revoked",
                severity: .error,
                text: "this host was revoked: no other host of the mesh \(trusted.mesh) believes it",
                next: "sudo weft join TOKEN, with a token that was made after the revocation"
            )
        }
        if renewalRefusal == .unknownHost {
            return Problem(
                code: "certificate-outdated",
                severity: .error,
                text:
                    "this host was away while the mesh \(trusted.mesh) got a new root, and its certificate hangs on the "
                    + "old one",
                next: "sudo weft join TOKEN"
            )
        }
        let end = node.intermediate.validity.notAfter
        let reason = renewalFailure.map { ": \($0)" } ?? ""
        if end < now {
            let isLate = renewalRefusal == .pastGrace || node.renewableUntil < now
            return Problem(
                code: "certificate-expired",
                severity: .error,
                text: "this host's certificate ended at \(end.rfc3339)\(reason)",
                next: isLate ? "sudo weft join TOKEN" : "weft ca"
            )
        }
        guard let entry = schedule.entries[.intermediate], entry.failures > Self.failuresQuiet else { return nil }
        return Problem(
            code: "certificate-not-renewed",
            severity: .warning,
            text:
                "this host's certificate ends at \(end.rfc3339) and was not renewed in \(entry.failures) tries\(reason)",
            next: "weft ca"
        )
    }

    /// Hosts of the pool that are in another mesh: they are talked to as if there were none.
    private var strangersProblem: Problem? {
        guard let mesh = node?.mesh else { return nil }
        let strangers = members.filter {
            !$0.isSelf && $0.isAlive && $0.isWeft && $0.tags.mesh.map { $0 != mesh } ?? false
        }
        guard let first = strangers.map(\.name).min() else { return nil }
        return Problem(
            code: "other-mesh",
            severity: .warning,
            text: strangers.count == 1
                ? "host \(first) belongs to another mesh"
                : "hosts \(named(strangers.map(\.name))) belong to other meshes",
            next: "sudo weft join TOKEN on \(first)"
        )
    }

    // MARK: Metrics

    func report() -> IdentityReport {
        IdentityReport(
            outcomes: outcomes,
            intermediateLeft: node.map { $0.intermediate.validity.notAfter.since(now) },
            leavesLeft: leaves.mapValues { $0.validity.notAfter.since(now) },
            bundleVersion: trusted?.version,
            isHolder: state?.authority?.isCurrent ?? false,
            poolMode: activeKeys?.mode
        )
    }
}

/// The identity in numbers, for metrics.
struct IdentityReport: Sendable {
    /// Requests to the join service and this host's own renewals, by what became of them: `join-granted`,
    /// `join-expired-token`, `renewal-revoked`, `renewed-own`, ...
    let outcomes: [String: UInt64]
    /// Until the host's own certificate ends; negative when it has. Nil without an identity.
    let intermediateLeft: Duration?
    let leavesLeft: [SpiffeID: Duration]
    let bundleVersion: UInt64?
    let isHolder: Bool
    let poolMode: PoolMode?
}

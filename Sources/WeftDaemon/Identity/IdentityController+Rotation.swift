internal import Logging
internal import WeftAPI
internal import WeftCore
internal import WeftIdentity

/// The rotation of the root: begun by a command, and then carried from step to step by what members show in their tags
/// (`MeshAuthority+Rotation` has the steps). Hosts that are away are not waited for: they catch up by the crossing.
extension IdentityController {
    func rotate(_ request: CARotateRequest) throws -> CAStatus {
        let (_, authority) = try held()
        do {
            if request.cancel {
                try changeAuthority { try $0.cancelRotation(now: now) }
                logger.notice("rotation cancelled")
            } else if authority.rotation == nil {
                var rng = randomness
                try changeAuthority { try $0.prepareRotation(now: now, lifetimes: lifetimes, using: &rng) }
                logger.notice(
                    "rotation prepared",
                    metadata: ["to": "\(trusted?.roots.last?.fingerprint.shortDigits ?? "")"]
                )
            } else if request.force {
                try step()
            }
        } catch IdentityError.wrongStep(let text) {
            throw APIFailure.wrongStep(text)
        } catch {
            throw APIFailure.failed("nothing was changed: \(error)")
        }
        advanceRotation()
        return try caStatus()
    }

    /// Takes the next step when nobody who is alive has to be waited for. The last one also waits a while, in which
    /// connections that began with the old certificates come to their end.
    func advanceRotation() {
        guard let authority = state?.authority, authority.isCurrent, let rotation = authority.rotation else {
            _ = rotationIsReady.note(false, now: now)
            return
        }
        let isReady = waitingFor.isEmpty
        switch rotation {
        case .prepared:
            guard isReady else { return }
        case .switched:
            guard rotationIsReady.note(isReady, now: now) else { return }
        }
        do {
            try step()
        } catch {
            logger.error("rotation", metadata: ["error": "\(error)"])
        }
    }

    private func step() throws {
        switch state?.authority?.rotation {
        case .prepared?:
            try changeAuthority { try $0.switchRoots(now: now) }
            logger.notice("rotation", metadata: ["step": "the new root signs"])
        case .switched?:
            try changeAuthority { try $0.finishRotation(now: now) }
            logger.notice("rotation", metadata: ["step": "the old root is not trusted any more"])
        case nil: break
        }
    }

    /// The hosts that keep a rotation from its next step.
    var waitingFor: [String] {
        guard let authority = state?.authority, let trusted, let kept = state?.bundle else { return [] }
        switch authority.rotation {
        case nil: return []
        case .prepared?:
            return companions.filter { ($0.tags.trust?.version ?? 0) < kept.version && !isRevoked($0, trusted) }
                .map(\.name).sorted()
        case .switched?:
            let root = authority.root.fingerprint.shortDigits
            let others = companions.filter { $0.tags.certificate?.root != root && !isRevoked($0, trusted) }.map(\.name)
            let isOwnDue = node.map { trusted.root(of: $0.intermediate) != authority.root } ?? false
            return (others + (isOwnDue ? [name.text] : [])).sorted()
        }
    }

    /// A host that was revoked and has not been let in again never gets what a rotation waits for. Certificates that end
    /// before a new one could were there at the revocation.
    private func isRevoked(_ member: MeshMember, _ bundle: TrustBundle) -> Bool {
        guard let node = member.node, let time = bundle.revokedNodes[node] else { return false }
        guard let end = member.tags.certificate?.end else { return true }
        return end < time.advanced(by: lifetimes.intermediate)
    }
}

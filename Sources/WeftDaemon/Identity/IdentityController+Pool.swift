internal import Logging
internal import WeftAPI
internal import WeftConfig
internal import WeftCore
internal import WeftIdentity

/// The gossip pool's key, and the way of the pool from clear to encrypted.
///
/// | mode | speaks    | understands | goes on when                                                 |
/// | have | clear     | both        | every member that is alive shows the same key                |
/// | send | encrypted | both        | every member that is alive shows the same key, and `send`    |
/// | only | encrypted | encrypted   | never: what is secret stays so                               |
///
/// A host alone stays where it is, so that hosts and stock serf agents without the key can be joined to it. A key file in
/// the configuration overrides all this.
extension IdentityController {
    /// What gossip is to say and to use now.
    func poolTerms() -> PoolTerms {
        guard let state, let node else { return PoolTerms() }
        let keys = PoolKeys(state)
        var tags = IdentityTags()
        tags.mesh = node.mesh
        tags.port = configuration.security.port
        tags.trust = state.bundle.map { IdentityTags.TrustMark($0) }
        tags.isHolder = state.authority?.isCurrent ?? false
        tags.key = activeKeys?.mark
        if let root = trusted?.root(of: node.intermediate) {
            tags.certificate = IdentityTags.CertificateMark(
                end: node.intermediate.validity.notAfter,
                root: root.fingerprint.shortDigits
            )
        }
        return PoolTerms(
            tags: tags.texts,
            keys: usesKeyFile ? [] : keys.keys,
            mode: usesKeyFile ? .only : keys.mode
        )
    }

    private var usesKeyFile: Bool { configuration.gossip.keyFile != nil }

    /// The keys that gossip uses, from wherever they are; nil without any.
    var activeKeys: PoolKeys? {
        if usesKeyFile {
            return poolKeysFromFile.isEmpty ? nil : PoolKeys(keys: poolKeysFromFile, mode: .only)
        }
        guard let state, trusted != nil else { return nil }
        let keys = PoolKeys(state)
        return keys.keys.isEmpty ? nil : keys
    }

    /// The keys of the configured file, as gossip has read them or changed them since: what joining hosts are given.
    func poolKeysRead(_ keys: [[UInt8]]) { poolKeysFromFile = keys }

    /// `weft gossip keys` or `serf keys`, anywhere in the pool, changed this host's keys.
    func poolKeysChanged(_ keys: [[UInt8]]) throws {
        guard !usesKeyFile else { return poolKeysRead(keys) }
        guard var next = state else { return }
        PoolKeys(keys: keys, mode: PoolKeys(next).mode).keep(in: &next)
        try keep(next)
        tellPool()
    }

    /// Goes on to the next mode when all are ready for it.
    func reviewPool() {
        guard !usesKeyFile, var next = state, trusted != nil else { return }
        var keys = PoolKeys(next)
        guard keys.mode != .only, poolIsReady.note(isReady(keys), now: now) else { return }
        keys.mode = keys.mode == .have ? .send : .only
        keys.keep(in: &next)
        do {
            try keep(next)
        } catch {
            return  // A problem that status shows; the next review tries again.
        }
        logger.notice("gossip encryption", metadata: ["mode": "\(keys.mode)"])
        tellPool()
    }

    private func isReady(_ keys: PoolKeys) -> Bool {
        guard let own = keys.mark else { return false }
        let others = members.filter { !$0.isSelf && $0.isAlive }
        return !others.isEmpty
            && others.allSatisfy { member in
                guard let mark = member.tags.key else { return false }
                return mark.digits == own.digits && (keys.mode == .have || mark.mode >= .send)
            }
    }

    /// Why gossip is in clear although there is a key; nil when it is not, or when nobody is there to hear it.
    var clearPoolProblem: Problem? {
        guard let keys = activeKeys, keys.mode == .have, let own = keys.mark else { return nil }
        let strangers = members.filter { !$0.isSelf && $0.isAlive && $0.tags.key?.digits != own.digits }
        let lacking = strangers.map(\.name)
        guard !lacking.isEmpty else { return nil }
        // Agents that are not weft get a key by their own means, or go.
        let joinable = strangers.filter(\.isWeft).map(\.name).min()
        return Problem(
            code: "gossip-in-clear",
            severity: .warning,
            text: "gossip is not encrypted, because \(named(lacking)) \(lacking.count == 1 ? "has" : "have") "
                + "not the mesh's key",
            next: joinable.map { "sudo weft join TOKEN on \($0)" } ?? "weft peers"
        )
    }

    /// The first few of many.
    func named(_ names: [String]) -> String {
        names.sorted().prefix(5).joined(separator: ", ") + (names.count > 5 ? ", ..." : "")
    }
}

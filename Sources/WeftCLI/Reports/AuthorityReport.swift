internal import WeftAPI

/// The authority of the mesh, as `weft ca` and the commands that change it tell of it.
struct AuthorityReport {
    private let status: CAStatus

    init(_ status: CAStatus) { self.status = status }

    /// All that is known.
    func rendered(_ style: Style) -> String {
        var text = field("mesh", status.mesh, style)
        text += field("authority", holdersText, style, tint: status.holders.isEmpty ? .warning : nil)
        for (index, root) in status.roots.enumerated() {
            text += field(index == 0 ? "root" : "", index == 0 ? root : "\(root) (trusted, too)", style)
        }
        text += field("trust", "version \(status.version) of what the hosts agree on", style)
        text += field("rotation", rotationText, style, tint: status.rotation == nil ? nil : .warning)
        text += field("revoked", status.revoked.isEmpty ? "none" : status.revoked.joined(separator: ", "), style)
        return text + "\n" + next(style)
    }

    /// How far a rotation is.
    func rotation(_ style: Style) -> String {
        guard status.rotation != nil else { return advice("No rotation is under way.", next: "weft ca", style) }
        return advice("A rotation is under way: \(rotationText).", next: "weft ca", style)
    }

    private var holdersText: String {
        guard !status.holders.isEmpty else { return "held by no host that is alive" }
        return "held by \(status.holders.joined(separator: ", "))\(status.isHolder ? "" : ", not by this host")"
    }

    private var rotationText: String {
        let step =
            switch status.rotation {
            case .prepared: "the next root is being made known"
            case .switched: "the new root signs, the old one is still trusted"
            case nil: "none"
            }
        return status.waitingFor.isEmpty ? step : "\(step); waiting for \(status.waitingFor.joined(separator: ", "))"
    }

    private func next(_ style: Style) -> String {
        switch (status.holders.count, status.isHolder) {
        case (0, _): advice("Hosts are let in and renewed when one that holds it is back.", next: "weft peers", style)
        case (1, true): advice("Were this host lost, the authority would be.", next: "sudo weft ca grant HOST", style)
        default: advice("\(counted(status.holders.count, "host")) can let others in.", next: "weft cert", style)
        }
    }
}

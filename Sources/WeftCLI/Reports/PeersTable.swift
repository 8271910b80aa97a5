internal import WeftAPI

/// The hosts of the mesh: this one first, the others by name.
func peersTable(_ rows: [PeerRow], _ session: Session) -> String {
    let sorted = rows.sorted {
        ($0.isSelf ? 0 : 1, $0.name, $0.address) < ($1.isSelf ? 0 : 1, $1.name, $1.address)
    }
    let hasSelf = rows.contains(where: \.isSelf)
    let columns: [Table.Column] = [
        .word("", isOptional: true), .text("NAME"), .text("ADDRESS"), .word("STATE") { sorted[$0].state.tint },
        .number("RTT", isOptional: true), .text("VERSION", isOptional: true), .word("KIND"), .number("SINCE"),
        .text("TAGS", isOptional: true),
    ]
    return Table(
        columns,
        rows: sorted.map { row in
            [
                hasSelf ? (row.isSelf ? "*" : "") : nil, row.name, row.address, row.state.rawValue,
                row.rttMilliseconds.flatMap(humanRoundTrip), row.version, row.kind.rawValue,
                humanDuration(seconds: row.sinceSeconds), list(row.tags.filter { !isOwnTag($0.key) }),
            ]
        }
    ).rendered(session.style)
}

/// Whether weft itself set the tag, for the other weftds to read.
private func isOwnTag(_ name: String) -> Bool { name == "weft" || name.hasPrefix("weft-") }

extension PeerRow.State {
    /// A host that left is faint, as it is nothing to act on.
    fileprivate var tint: Tint? {
        switch self {
        case .alive: .good
        case .suspect: .warning
        case .failed: .failed
        case .left: .faint
        }
    }
}

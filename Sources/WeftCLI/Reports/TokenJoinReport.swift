internal import WeftAPI

/// What `weft join TOKEN` prints: where this host is now, which ports of either side can be reached, and what should be
/// seen to.
struct TokenJoinReport {
    private let response: TokenJoinResponse

    init(_ response: TokenJoinResponse) { self.response = response }

    func rendered(_ style: Style) -> String {
        var text = item(
            style.goodMark,
            "\(response.node) is a host of the mesh \(response.mesh)",
            style,
            tint: .good,
            indent: 0
        )
        text += response.reach.map { line($0, style) }.joined()
        text += response.warnings.map { item(style.warningMark, $0, style, tint: .warning, indent: 0) }.joined()
        let known = "\(counted(response.peersAlive, "host")) alive in the mesh, this one included."
        return text + "\n" + advice(known, next: "weft peers", style)
    }

    private func line(_ row: ReachRow, _ style: Style) -> String {
        let port = "\(row.from) -> \(row.to), \(row.transport.uppercased()) \(row.port)"
        guard !row.isOpen else { return item(style.goodMark, "\(port): open", style, tint: .good, indent: 0) }
        let closed = item(style.warningMark, "\(port): closed", style, tint: .warning, indent: 0)
        // In one line, however long: a command has to survive being copied.
        return closed + (row.next.map { "    \(printable($0))\n" } ?? "")
    }
}

internal import WeftAPI

/// What `weft token` prints: the lines that join a host, ready to be copied, and what the token is good for.
func tokenReport(_ response: TokenResponse, _ style: Style) -> String {
    let token = printable(response.token)
    let limits = "It lets \(counted(response.uses, "host")) into the mesh \(response.mesh), until \(response.expires)."
    // The lines stay whole, however long: they have to survive being copied.
    return """
        Where weft is not installed yet, in a clone of it:
          sudo systemd/install --join \(token)
        Where it is:
          sudo weft join \(token)

        \(wrapped(printable(limits), columns: style.columns).joined(separator: "\n"))
        To take it back: sudo weft token withdraw \(printable(response.id))

        """
}

/// The tokens that can be used, or could not long ago; in weftd's order, which is by their end.
func tokensTable(_ rows: [TokenRow], _ session: Session) -> String {
    guard !rows.isEmpty else { return advice("No tokens are out.", next: "sudo weft token", session.style) }
    let columns: [Table.Column] = [
        // Of no use unless whole.
        .word("ID"), .word("GOOD UNTIL"), .number("USED") { rows[$0].used >= rows[$0].uses ? .faint : nil },
        .text("ALLOW", isOptional: true),
    ]
    return Table(
        columns,
        rows: rows.map { row in
            [row.id, row.expires, "\(humanCount(row.used))/\(humanCount(row.uses))", row.allow.flatMap(list)]
        }
    ).rendered(session.style)
}

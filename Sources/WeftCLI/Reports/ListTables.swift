internal import WeftAPI

/// The workloads by unit.
func workloadsTable(_ rows: [WorkloadRow], _ session: Session) -> String {
    guard !rows.isEmpty else {
        return emptyList(
            "No workloads here: no local process has opened or accepted a connection that weft saw.",
            next: "weft check",
            session
        )
    }
    let columns: [Table.Column] = [
        .text("UNIT"), .text("SLICE", isOptional: true), .text("TENANT"), .number("PROCESSES"),
        .text("SERVICES", isOptional: true), .number("OPEN"), .number("TOTAL"), .number("OUT"), .number("IN"),
    ]
    let sorted = rows.sorted { ($0.unit, $0.slice ?? "") < ($1.unit, $1.slice ?? "") }
    return Table(
        columns,
        rows: sorted.map { row in
            [
                row.unit, row.slice, row.tenant, humanCount(row.processes), list(row.services),
                humanCount(row.connectionsOpen), humanCount(row.connectionsTotal), humanBytes(row.bytesOut),
                humanBytes(row.bytesIn),
            ]
        }
    ).rendered(session.style)
}

/// The open connections, the youngest first.
func connectionsTable(_ rows: [ConnectionRow], _ session: Session) -> String {
    guard !rows.isEmpty else {
        return emptyList("No open connections pass through weft now.", next: "weft decisions --last 20", session)
    }
    let columns: [Table.Column] = [
        .text("ID"), .text("SOURCE"), .number("UID", isOptional: true), .text("TENANT", isOptional: true),
        .text("DESTINATION"), .text("SERVICE", isOptional: true), .word("PATH"), .word("SECURITY"),
        .text("CALLER", isOptional: true), .text("CALLEE", isOptional: true), .word("STATE"), .number("OUT"),
        .number("IN"), .number("AGE"),
    ]
    let sorted = rows.sorted { ($0.ageSeconds, $0.id) < ($1.ageSeconds, $1.id) }
    return Table(
        columns,
        rows: sorted.map { row in
            [
                row.id, sourceText(row.source), row.source.uid.map { "\($0)" }, row.source.tenant, row.destination,
                row.service, row.path, row.security.rawValue, row.identity.source.map(shownIdentity),
                row.identity.destination.map(shownIdentity), row.state, humanBytes(row.bytesOut),
                humanBytes(row.bytesIn),
                humanDuration(seconds: row.ageSeconds),
            ]
        }
    ).rendered(session.style)
}

/// The finished connections in weftd's order, which is the latest first.
func decisionsTable(_ rows: [DecisionRow], _ session: Session) -> String {
    guard !rows.isEmpty else {
        return emptyList("No connection has ended since weftd started.", next: "weft connections", session)
    }
    let columns: [Table.Column] = [
        .word("TIME"), .text("SOURCE"), .text("TENANT", isOptional: true), .text("DESTINATION"),
        .text("SERVICE", isOptional: true), .word("PATH"), .number("OUT"), .number("IN"), .number("TOOK"),
        .word("ENDED"),
    ]
    return Table(
        columns,
        rows: rows.map { row in
            [
                row.time, sourceText(row.source), row.source.tenant, row.destination, row.service, row.path,
                humanBytes(row.bytesOut), humanBytes(row.bytesIn), humanDuration(seconds: row.durationSeconds),
                row.ending == "completed" ? row.ending : "\(row.ending) (\(row.side))",
            ]
        },
        note: { [requestText(rows[$0]), reasonText(rows[$0])].compactMap(\.self).nonEmpty?.joined(separator: "; ") }
    ).rendered(session.style)
}

/// What was asked and what came of it; nil for a connection.
private func requestText(_ row: DecisionRow) -> String? {
    guard let request = row.request else { return nil }
    let outcome = [request.status.map { "\($0)" }, request.flag].compactMap(\.self).joined(separator: " ")
    let tries = request.tries > 1 ? ", \(request.tries) tries" : ""
    return "\(request.line) -> \(outcome.isEmpty ? "no answer" : outcome)\(tries), id \(row.id)"
}

/// Which rule refused a connection, and what went wrong between the hosts; nil where neither is known.
private func reasonText(_ row: DecisionRow) -> String? {
    let parts = [row.rule.map { "denied by \($0)" }, row.detail].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
}

/// The unit, or the address of a client whose unit is on another host.
private func sourceText(_ source: SourceRow) -> String { source.unit ?? source.address }

/// That there is nothing to list, why that may be, and what to type next.
func emptyList(_ text: String, next: String, _ session: Session) -> String {
    let note = session.isRoot ? "" : " Unless you are root or in the group weft, you see your own workloads only."
    return advice(text + note, next: next, session.style)
}

extension [String] {
    fileprivate var nonEmpty: [String]? { isEmpty ? nil : self }
}

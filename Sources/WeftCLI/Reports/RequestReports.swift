internal import WeftAPI

/// Requests of the last seconds by service, then source; in their own order when they are sorted already.
func statTable(_ rows: [StatRow], _ session: Session, isSorted: Bool = false) -> String {
    guard !rows.isEmpty else {
        return emptyList(
            "No HTTP requests in the last 10 seconds, here or of those that are asked for.",
            next: "weft connections",
            session
        )
    }
    let sorted =
        isSorted
        ? rows
        : rows.sorted {
            ($0.service, $0.source, $0.destination, $0.perspective) < (
                $1.service, $1.source, $1.destination, $1.perspective
            )
        }
    let columns: [Table.Column] = [
        .text("FROM"), .text("TO"), .text("ON"), .word("PROTOCOL"), .word("SIDE"),
        .number("SUCCESS") { sorted[$0].effective.successRate.map(successTint) ?? nil }, .number("RPS"), .number("P50"),
        .number("P90"), .number("P99"),
    ]
    return Table(
        columns,
        rows: sorted.map { row in
            [row.source, row.service, row.destination, row.protocol, row.perspective] + numbers(row.effective)
        },
        note: { triesText(sorted[$0]) }
    ).rendered(session.style)
}

private func numbers(_ stat: StatNumbers) -> [String?] {
    [
        stat.successRate.map(percent), rate(stat.requestsPerSecond), stat.p50Milliseconds.map(milliseconds),
        stat.p90Milliseconds.map(milliseconds), stat.p99Milliseconds.map(milliseconds),
    ]
}

/// How the tries went, where clients did not see all of them.
private func triesText(_ row: StatRow) -> String? {
    guard row.actual.requests != row.effective.requests || row.actual.failures != row.effective.failures else {
        return nil
    }
    let success = row.actual.successRate.map(percent) ?? "none"
    return "actual: \(success) of \(rate(row.actual.requestsPerSecond)) tries a second"
}

private func successTint(_ rate: Double) -> Tint? { rate >= 0.99 ? nil : rate >= 0.9 ? .warning : .failed }

/// Cut and not rounded: 100 % means all.
private func percent(_ part: Double) -> String {
    let tenths = Int(part * 1000)
    return tenths == 1000 ? "100%" : "\(tenths / 10).\(tenths % 10)%"
}

private func rate(_ perSecond: Double) -> String {
    perSecond >= 100 ? humanCount(Int(perSecond.rounded())) : "\(Double(Int(perSecond * 10)) / 10)"
}

private func milliseconds(_ number: Double) -> String {
    number >= 10 ? "\(Int(number.rounded()))ms" : "\((number * 10).rounded() / 10)ms"
}

/// One request in one line.
func tapLine(_ row: DecisionRow, _ style: Style) -> String {
    guard let request = row.request else { return "" }
    let source = row.source.unit ?? row.identity.source ?? row.source.address
    let outcome = request.status.map { "\($0)" } ?? request.flag ?? "-"
    let cells = [
        style.tinted(printable(row.time), .faint), printable(source), printable(row.service ?? "-"),
        style.tinted(outcome, (request.status ?? 500) >= 500 ? .failed : nil),
        request.status == nil ? nil : request.flag, humanDuration(seconds: row.durationSeconds),
        request.tries > 1 ? "\(request.tries) tries" : nil, printable(request.line),
    ]
    return cells.compactMap(\.self).joined(separator: "  ") + "\n"
}

/// Everything that is known of one decision, a line for each fact.
func decisionReport(_ row: DecisionRow, _ style: Style) -> String {
    let facts: [(String, String?)] = [
        ("id", row.id), ("time", row.time), ("source", row.source.unit ?? row.source.address),
        ("caller", row.identity.source), ("destination", row.destination), ("service", row.service),
        ("callee", row.identity.destination), ("path", "\(row.path), \(row.security.rawValue)"),
        ("protocol", row.protocol), ("request", row.request?.line), ("connection", row.request?.connection),
        ("endpoint", row.request?.endpoint), ("tries", row.request.map { "\($0.tries)" }),
        ("status", row.request?.status.map { "\($0)" }), ("flag", row.request?.flag), ("rule", row.rule),
        ("detail", row.detail), ("out", humanBytes(row.bytesOut)), ("in", humanBytes(row.bytesIn)),
        ("took", humanDuration(seconds: row.durationSeconds)),
        ("ended", row.ending == "completed" ? row.ending : "\(row.ending) (\(row.side))"),
    ]
    return facts.compactMap { name, value in value.map { field(name, $0, style) } }.joined()
}

internal import WeftAPI

/// What `weft cert` prints: a row for each certificate in weftd's order, and below what is wrong with some.
struct CertificateReport {
    private let rows: [CertificateRow]
    /// Whether they are of several hosts.
    private let isOfMesh: Bool

    init(_ rows: [CertificateRow], isOfMesh: Bool) {
        self.rows = rows
        self.isOfMesh = isOfMesh
    }

    /// A problem when a certificate has ended, or was not renewed when it should have been.
    var exitStatus: ExitStatus { rows.contains { $0.hasEnded || $0.isFailing } ? .problem : .good }

    func rendered(_ style: Style) -> String {
        guard !rows.isEmpty else { return advice("There are no certificates.", next: "weft status", style) }
        return table.rendered(style) + faults(style)
    }

    private var table: Table {
        let columns: [Table.Column] = [
            .text("NODE", isOptional: true), .word("KIND"), .text("IDENTITY"),
            .number("LEFT") { rows[$0].tint }, .number("RENEWS IN"),
            .number("FAILED TRIES", isOptional: true) { rows[$0].isFailing ? .warning : nil }, .text("ISSUER"),
        ]
        return Table(
            columns,
            rows: rows.map { row in
                [
                    isOfMesh ? row.node : nil, row.kind.rawValue, shownIdentity(row.identity),
                    row.hasEnded ? "ended" : humanDuration(seconds: row.leftSeconds), row.renewsSeconds.map(renewal),
                    row.isFailing ? humanCount(row.failures) : nil, shownIdentity(row.issuer),
                ]
            }
        )
    }

    /// What is due is done at once, or tried again soon.
    private func renewal(_ seconds: Double) -> String { seconds <= 0 ? "now" : humanDuration(seconds: seconds) }

    private func faults(_ style: Style) -> String {
        let ended = rows.count(where: \.hasEnded)
        let failing = rows.count(where: \.isFailing)
        let sentences = [
            ended > 0 ? "\(counted(ended, "certificate")) \(ended == 1 ? "has" : "have") ended." : nil,
            failing > 0 ? "Renewing \(counted(failing, "certificate")) fails." : nil,
        ].compactMap(\.self)
        guard !sentences.isEmpty else { return "" }
        let text = sentences.joined(separator: " ")
        return "\n" + advice(text, next: "weft status", style, tint: ended > 0 ? .failed : .warning)
    }
}

extension CertificateRow {
    fileprivate var hasEnded: Bool { leftSeconds <= 0 }
    fileprivate var isFailing: Bool { failures > 0 }

    fileprivate var tint: Tint? {
        if hasEnded { return .failed }
        return isFailing ? .warning : nil
    }
}

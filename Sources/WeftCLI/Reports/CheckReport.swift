internal import WeftAPI

/// What `weft check` prints: a line per check under its section's heading, a remedy below each that is not good, and a
/// summary at the end.
struct CheckReport {
    private let rows: [CheckRow]

    init(_ rows: [CheckRow]) { self.rows = rows }

    /// A problem when a check failed. No checks at all is one, too: nothing was looked at.
    var exitStatus: ExitStatus { rows.isEmpty || count(.failed) > 0 ? .problem : .good }

    func rendered(_ style: Style) -> String {
        var text = ""
        for section in sections {
            let title = printable(section)
            let rule = String(repeating: "-", count: displayWidth(title))
            text += style.tinted(title, .heading) + "\n" + rule + "\n"
            for row in rows where row.section == section {
                text += line(row, style)
            }
            text += "\n"
        }
        return text + summary(style) + "\n"
    }

    /// Each section once, in the order in which weftd first names it.
    private var sections: [String] {
        rows.reduce(into: []) { sections, row in
            if !sections.contains(row.section) { sections.append(row.section) }
        }
    }

    private func line(_ row: CheckRow, _ style: Style) -> String {
        let (mark, tint): (String, Tint) =
            switch row.verdict {
            case .good: (style.goodMark, .good)
            case .warning: (style.warningMark, .warning)
            case .failed: (style.failedMark, .failed)
            }
        let indent = String(repeating: " ", count: displayWidth(mark) + 1)
        var lines = wrapped(printable(row.text), columns: style.columns.map { $0 - indent.utf8.count })
        lines = [style.tinted(mark, tint) + " " + lines[0]] + lines.dropFirst().map { indent + $0 }
        if row.verdict != .good, let remedy = row.remedy {
            // In one line, however long: a command has to survive being copied.
            lines.append("    " + printable(remedy))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func summary(_ style: Style) -> String {
        let (failed, warnings) = (count(.failed), count(.warning))
        if rows.isEmpty { return style.tinted("\(style.failedMark) weftd checked nothing.", .failed) }
        let total = counted(rows.count, "check")
        if failed > 0 {
            let rest = warnings > 0 ? ", \(counted(warnings, "warning"))" : ""
            return style.tinted("\(style.failedMark) \(total): \(humanCount(failed)) failed\(rest).", .failed)
        }
        if warnings > 0 {
            return style.tinted(
                "\(style.warningMark) \(total): none failed, \(counted(warnings, "warning")).",
                .warning
            )
        }
        return style.tinted("\(style.goodMark) \(total), all good.", .good)
    }

    private func count(_ verdict: CheckRow.Verdict) -> Int { rows.count { $0.verdict == verdict } }
}

/// Rows under headings, in columns that line up.
///
/// In a terminal that is too narrow the widest columns of names give way, shortened in the middle, so that a row stays
/// one line as long as any column can still shrink. In a file nothing is shortened, save what passes `longestCell`.
struct Table {
    struct Column {
        enum Alignment { case left, right }

        let title: String
        let alignment: Alignment
        /// Whether the column may be shortened: names may, numbers never.
        let canShrink: Bool
        /// Whether the column goes when no row has a value in it.
        let isOptional: Bool
        /// The colour of the cell in the row of this index; none unless given.
        var tint: (Int) -> Tint? = { _ in nil }

        /// A column of names.
        static func text(_ title: String, isOptional: Bool = false) -> Column {
            Column(title: title, alignment: .left, canShrink: true, isOptional: isOptional)
        }

        /// A column of words from a short list, or of texts that are of no use unless whole.
        static func word(
            _ title: String,
            isOptional: Bool = false,
            tint: @escaping (Int) -> Tint? = { _ in nil }
        ) -> Column {
            Column(title: title, alignment: .left, canShrink: false, isOptional: isOptional, tint: tint)
        }

        /// A column of numbers or sizes.
        static func number(
            _ title: String,
            isOptional: Bool = false,
            tint: @escaping (Int) -> Tint? = { _ in nil }
        ) -> Column {
            Column(title: title, alignment: .right, canShrink: false, isOptional: isOptional, tint: tint)
        }
    }

    private let columns: [Column]
    /// Each as long as `columns`; nil where there is no value.
    private let rows: [[String?]]
    /// A sentence below the row of this index, outside the columns, because it is there for few rows and long.
    private let note: (Int) -> String?

    /// No cell is wider, in a file either: it would pad all the others. A unit's name has 255 bytes at most.
    private static let longestCell = 256
    /// A column that shrinks keeps this much, or its title.
    private static let narrowestCell = 10
    private static let gap = "  "
    private static let noteIndent = "    "

    init(_ columns: [Column], rows: [[String?]], note: @escaping (Int) -> String? = { _ in nil }) {
        precondition(rows.allSatisfy { $0.count == columns.count }, "rows of \(columns.count) columns: \(rows)")
        let shown = columns.indices.filter { index in
            !columns[index].isOptional || rows.contains { $0[index] != nil }
        }
        self.note = note
        self.columns = shown.map { columns[$0] }
        self.rows = rows.map { row in shown.map { row[$0].map(printable) } }
    }

    /// The table with its headings, each line ended.
    func rendered(_ style: Style) -> String {
        let widths = fittedWidths(to: style.columns)
        let heading = line(columns.map(\.title), widths, style) { _ in nil }
        var text = style.tinted(heading, .heading) + "\n"
        for (index, row) in rows.enumerated() {
            text += line(row.map { $0 ?? "-" }, widths, style) { $0.tint(index) } + "\n"
            guard let note = note(index) else { continue }
            let lines = wrapped(printable(note), columns: style.columns.map { $0 - Self.noteIndent.utf8.count })
            text += lines.map { Self.noteIndent + $0 + "\n" }.joined()
        }
        return text
    }

    /// The width of each column: as wide as its widest cell, or less where `available` does not hold them all.
    private func fittedWidths(to available: Int?) -> [Int] {
        var widths = columns.indices.map { index in
            rows.reduce(displayWidth(columns[index].title)) { widest, row in
                max(widest, min(displayWidth(row[index] ?? "-"), Self.longestCell))
            }
        }
        guard let available else { return widths }
        let gaps = Self.gap.utf8.count * max(0, columns.count - 1)
        // At most the sum of the widths in rounds, which `longestCell` bounds.
        while widths.reduce(gaps, +) > available {
            let shrinkable = columns.indices.filter {
                columns[$0].canShrink && widths[$0] > max(Self.narrowestCell, displayWidth(columns[$0].title))
            }
            guard let widest = shrinkable.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
        }
        return widths
    }

    private func line(_ cells: [String], _ widths: [Int], _ style: Style, tint: (Column) -> Tint?) -> String {
        let padded = zip(cells, zip(columns, widths)).map { cell, layout in
            let (column, width) = layout
            let text = elided(cell, to: width, ellipsis: style.ellipsis)
            let padding = String(repeating: " ", count: max(0, width - displayWidth(text)))
            let shown = style.tinted(text, tint(column))
            return column.alignment == .left ? shown + padding : padding + shown
        }
        let line = padded.joined(separator: Self.gap)
        return String(line[..<(line.lastIndex { $0 != " " }.map(line.index(after:)) ?? line.startIndex)])
    }
}

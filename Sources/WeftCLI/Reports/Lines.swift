/// A mark and a text, indented, with columns of its own between them if there is a label; further lines of a long text
/// stand under its beginning.
func item(
    _ mark: String,
    _ text: String,
    _ style: Style,
    tint: Tint,
    indent: Int = 2,
    label: String = ""
) -> String {
    let textColumn = indent + displayWidth(mark) + 1 + displayWidth(label)
    let lines = wrapped(printable(text), columns: style.columns.map { $0 - textColumn })
    let margin = String(repeating: " ", count: indent)
    return margin + style.tinted(mark, tint) + " " + label
        + lines.joined(separator: "\n" + String(repeating: " ", count: textColumn)) + "\n"
}

/// Sentences, and below them the next command to type, in one line however long: it has to survive being copied.
func advice(_ text: String, next: String, _ style: Style, tint: Tint? = nil) -> String {
    let lines = wrapped(printable(text), columns: style.columns)
    return lines.map { style.tinted($0, tint) }.joined(separator: "\n") + "\nNext: \(printable(next))\n"
}

/// A name in a column of its own, then its value; further lines of a long value stand under its beginning.
func field(_ name: String, _ value: String, _ style: Style, tint: Tint? = nil) -> String {
    let nameColumns = 13
    let lines = wrapped(printable(value), columns: style.columns.map { $0 - nameColumns })
    let label = name + String(repeating: " ", count: nameColumns - name.utf8.count)
    let indent = String(repeating: " ", count: nameColumns)
    return label + lines.map { style.tinted($0, tint) }.joined(separator: "\n" + indent) + "\n"
}

/// The elements with commas between, or nothing.
func list(_ elements: [String]) -> String? { elements.isEmpty ? nil : elements.joined(separator: ",") }

/// Labels or tags as `name=value`, sorted, or nothing.
func list(_ pairs: [String: String]) -> String? { list(pairs.map { "\($0.key)=\($0.value)" }.sorted()) }

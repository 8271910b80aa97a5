/// Swift source with comments and the text of string literals blanked out, so that a search finds code only. Line
/// numbers stay as they are.
struct SourceText {
    private(set) var lines: [String] = []

    init(_ text: String) {
        var scanner = Scanner()
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            lines.append(scanner.code(in: line))
        }
    }

    private struct Scanner {
        private enum Place { case code, blockComment, literal, multilineLiteral }
        private var place = Place.code

        mutating func code(in line: Substring) -> String {
            var code = ""
            var rest = line
            if place == .literal { place = .code }
            while !rest.isEmpty {
                switch place {
                case .code:
                    if rest.hasPrefix("//") { return code }
                    if consume("/*", &rest) { place = .blockComment; continue }
                    if consume(#"""""#, &rest) { place = .multilineLiteral; continue }
                    if consume("\"", &rest) { place = .literal; code += "\""; continue }
                    code.append(rest.removeFirst())
                case .blockComment:
                    if consume("*/", &rest) { place = .code } else { rest.removeFirst() }
                case .multilineLiteral:
                    if consume(#"""""#, &rest) { place = .code } else { rest.removeFirst() }
                case .literal:
                    if consume(#"\\"#, &rest) || consume(#"\""#, &rest) { continue }
                    if consume("\"", &rest) { place = .code; code += "\"" } else { rest.removeFirst() }
                }
            }
            return code
        }

        private func consume(_ prefix: String, _ rest: inout Substring) -> Bool {
            guard rest.hasPrefix(prefix) else { return false }
            rest.removeFirst(prefix.count)
            return true
        }
    }
}

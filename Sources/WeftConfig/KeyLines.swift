/// Where each key and each list entry of a TOML text stands.
///
/// TOMLKit gives positions for syntax errors but none for values, so this reads the text once more, for its layout
/// only: it knows strings, comments, brackets and keys, and leaves the meaning of values to TOMLKit. Any text is safe
/// to give; for a text that TOMLKit accepts the lines are exact.
///
/// It also runs before TOMLKit, as a guard: see `Hazard`.
package struct KeyLines: Sendable {
    /// One step from a table or list into it.
    package enum Step: Hashable, Sendable {
        case key(String)
        /// The position in a list, from 0. Tables under `[[name]]` count as entries of the list `name`.
        case index(Int)
    }

    /// Something that TOMLKit must not be given. Up to here the text was read exactly as TOMLKit would read it, so what
    /// lies behind a syntax error needs no guarding: TOMLKit stops there.
    ///
    /// TOMLKit's parser is toml++ 3.4 with its assertions on, in release builds too, and a false one ends the process.
    /// `RobustnessTests` looks for more of them.
    package enum Hazard: Hashable, Sendable {
        /// A table header that does not begin with a name, such as `[=]` (assertion in `parse_key`).
        case header(line: Int)
        /// A list entry that begins with `}` or outside of ASCII (assertion in `parse_value`).
        case listEntry(line: Int)
        /// A date or time, or something like it (assertions in `parse_value` and `parse_time`). No setting takes one.
        case moment(line: Int)
        /// A value deeper than `depthMax` steps: tables are freed recursively, and the stack would not suffice.
        case nesting(line: Int)
        /// U+0000, which ends a text in TOMLKit's C layer and would hide what follows.
        case nul(line: Int)
    }

    /// Steps from the top of the text to a value. The deepest setting of weft, `service.NAME.labels.KEY`, has four.
    package static let depthMax = 16

    private let lines: [[Step]: Int]
    /// The first reason not to hand the text to TOMLKit, if there is one.
    package let hazard: Hazard?

    package init(_ text: String) {
        var scanner = KeyLineScanner(Array(text.utf8))
        scanner.scan()
        lines = scanner.lines
        hazard = scanner.hazard
    }

    /// The 1-based line of a key or list entry, or of the nearest thing around it that the text names.
    package func line(of path: [Step]) -> Int {
        var path = path[...]
        while !path.isEmpty {
            if let line = lines[Array(path)] { return line }
            path.removeLast()
        }
        return 1
    }
}

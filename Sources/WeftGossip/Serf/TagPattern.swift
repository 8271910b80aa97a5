/// A regular expression of a query's tag filter: the part of Go's RE2 syntax that filters use, matched in linear time.
///
/// Understood: literals, `.`, `[...]` with ranges, negation and `\d \w \s`, `^ $ \A \z \b \B`, groups `(...)`, `(?:...)`
/// and `(?P<name>...)`, the flags `i` and `s` at the very start as `(?i)`, `|`, and `* + ? {n} {n,} {n,m}` with their
/// lazy forms (which match the same values). A pattern is looked for anywhere in the value.
///
/// Not understood, and so "not for us", as a bad pattern is to stock agents: named classes (`[[:alpha:]]`, `\pL`),
/// `\Q...\E`, octal escapes, and flags elsewhere. The work of one match is at most instructions x characters, both bounded.
package struct TagPattern: Sendable {
    private let program: [Instruction]
    private let ignoresCase: Bool

    /// Instructions of a program: what 512 bytes of pattern with a few repetitions become.
    static let programLimit = 4096
    /// Bytes of a pattern: more does not fit a query.
    static let sourceLimit = 1024

    /// Nil for a pattern that is wrong, not understood, or becomes too large.
    package init?(_ source: String) {
        guard source.utf8.count <= Self.sourceLimit, let parsed = TagPatternParser.parse(source) else { return nil }
        var compiler = TagPatternCompiler()
        guard compiler.compile(parsed.node) else { return nil }
        program = compiler.program + [.match]
        ignoresCase = parsed.ignoresCase
    }

    /// Whether the pattern is found anywhere in the value.
    package func matches(_ value: String) -> Bool {
        let text = value.unicodeScalars.map { ignoresCase ? Self.folded($0) : $0 }
        var current = ThreadList(capacity: program.count)
        var next = ThreadList(capacity: program.count)
        for position in 0...text.count {
            // A new attempt begins at each position: the pattern is not anchored.
            if follow(0, at: position, in: text, &current) { return true }
            guard position < text.count else { return false }
            for index in current.instructions {
                guard case .character(let set) = program[index], set.contains(text[position]) else { continue }
                if follow(index + 1, at: position + 1, in: text, &next) { return true }
            }
            swap(&current, &next)
            next.clear()
        }
        return false
    }

    /// Adds an instruction and all that are reached from it without a character. True when that is the match.
    private func follow(
        _ start: Int,
        at position: Int,
        in text: [Unicode.Scalar],
        _ list: inout ThreadList
    ) -> Bool {
        var pending = [start]
        while let index = pending.popLast() {
            guard list.insert(index) else { continue }
            switch program[index] {
            case .match: return true
            case .jump(let target): pending.append(target)
            case .split(let first, let second): pending += [second, first]
            case .assert(let assertion):
                if assertion.holds(at: position, in: text) { pending.append(index + 1) }
            case .character: break
            }
        }
        return false
    }

    /// Simple case folding: to the lower-case letter, where it is one character.
    static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        let lower = scalar.properties.lowercaseMapping.unicodeScalars
        return lower.count == 1 ? lower.first ?? scalar : scalar
    }
}

extension TagPattern {
    enum Instruction: Sendable {
        case character(CharacterSet)
        case split(Int, Int)
        case jump(Int)
        case assert(Assertion)
        case match
    }

    /// A condition between two characters.
    enum Assertion: Sendable {
        case start
        case end
        case wordBoundary
        case noWordBoundary

        func holds(at position: Int, in text: [Unicode.Scalar]) -> Bool {
            switch self {
            case .start: position == 0
            case .end: position == text.count
            case .wordBoundary: isBoundary(position, text)
            case .noWordBoundary: !isBoundary(position, text)
            }
        }

        private func isBoundary(_ position: Int, _ text: [Unicode.Scalar]) -> Bool {
            let before = position > 0 && CharacterSet.word.contains(text[position - 1])
            let after = position < text.count && CharacterSet.word.contains(text[position])
            return before != after
        }
    }

    /// Which characters fit one place.
    struct CharacterSet: Sendable {
        var ranges: [ClosedRange<UInt32>]
        var isNegated = false

        func contains(_ scalar: Unicode.Scalar) -> Bool {
            ranges.contains { $0.contains(scalar.value) } != isNegated
        }

        static let digit = CharacterSet(ranges: [0x30...0x39])
        static let word = CharacterSet(ranges: [0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a])
        static let space = CharacterSet(ranges: [0x09...0x0a, 0x0c...0x0d, 0x20...0x20])
        static let anything = CharacterSet(ranges: [], isNegated: true)
        static let notNewline = CharacterSet(ranges: [0x0a...0x0a], isNegated: true)
    }

    /// Instructions to look at for one position, each once.
    private struct ThreadList {
        private(set) var instructions: [Int] = []
        private var isIn: [Bool]

        init(capacity: Int) { isIn = Array(repeating: false, count: capacity) }

        mutating func insert(_ instruction: Int) -> Bool {
            guard !isIn[instruction] else { return false }
            isIn[instruction] = true
            instructions.append(instruction)
            return true
        }

        mutating func clear() {
            for instruction in instructions { isIn[instruction] = false }
            instructions.removeAll(keepingCapacity: true)
        }
    }
}

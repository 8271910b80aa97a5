/// A regular expression as a tree.
indirect enum TagPatternNode: Sendable {
    case empty
    case character(TagPattern.CharacterSet)
    case assertion(TagPattern.Assertion)
    case sequence([TagPatternNode])
    case alternatives([TagPatternNode])
    /// `maximum` nil: without end.
    case repeated(TagPatternNode, minimum: Int, maximum: Int?)
}

/// Text to tree, by recursive descent. Every method returns nil for what is wrong or not understood.
struct TagPatternParser {
    let source: [Unicode.Scalar]
    var position = 0
    private var depth = 0
    var ignoresCase = false
    private var dotMatchesNewline = false

    /// Groups within groups.
    private static let depthLimit = 64
    /// RE2's limit of a counted repetition.
    private static let countLimit = 1000

    private init(_ text: String) { source = Array(text.unicodeScalars) }

    static func parse(_ text: String) -> (node: TagPatternNode, ignoresCase: Bool)? {
        var parser = TagPatternParser(text)
        guard parser.readFlags(), let node = parser.alternatives(), parser.peek == nil else { return nil }
        return (node, parser.ignoresCase)
    }

    var peek: Unicode.Scalar? { position < source.count ? source[position] : nil }

    mutating func take() -> Unicode.Scalar? {
        guard let scalar = peek else { return nil }
        position += 1
        return scalar
    }

    mutating func skip(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard source.dropFirst(position).starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    /// `(?is)` at the very start.
    private mutating func readFlags() -> Bool {
        let start = position
        guard skip("(?") else { return true }
        while let flag = take() {
            switch flag {
            case "i": ignoresCase = true
            case "s": dotMatchesNewline = true
            case ")": return position > start + 3
            default:
                // A group, not flags.
                (position, ignoresCase, dotMatchesNewline) = (start, false, false)
                return true
            }
        }
        return false
    }

    private mutating func alternatives() -> TagPatternNode? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { return nil }
        var choices: [TagPatternNode] = []
        repeat {
            guard let choice = sequence() else { return nil }
            choices.append(choice)
        } while skip("|")
        return choices.count == 1 ? choices[0] : .alternatives(choices)
    }

    private mutating func sequence() -> TagPatternNode? {
        var parts: [TagPatternNode] = []
        while let scalar = peek, scalar != "|", scalar != ")" {
            guard let part = repeatedAtom() else { return nil }
            parts.append(part)
        }
        return parts.isEmpty ? .empty : .sequence(parts)
    }

    private mutating func repeatedAtom() -> TagPatternNode? {
        guard var node = atom() else { return nil }
        var isRepeated = false
        while let (minimum, maximum) = quantifier() {
            // Go refuses a repetition of a repetition, as in a** (a*? is the lazy form, read with its quantifier).
            guard !isRepeated, minimum <= Self.countLimit, maximum ?? 0 <= Self.countLimit,
                minimum <= maximum ?? minimum
            else { return nil }
            node = .repeated(node, minimum: minimum, maximum: maximum)
            isRepeated = true
        }
        return node
    }

    private mutating func quantifier() -> (minimum: Int, maximum: Int?)? {
        let counts: (Int, Int?)
        switch peek {
        case "*": counts = (0, nil)
        case "+": counts = (1, nil)
        case "?": counts = (0, 1)
        case "{": return countedQuantifier()
        default: return nil
        }
        position += 1
        _ = skip("?")
        return counts
    }

    /// `{n}`, `{n,}` or `{n,m}`; any other brace is a literal, as in RE2.
    private mutating func countedQuantifier() -> (minimum: Int, maximum: Int?)? {
        let start = position
        position += 1
        if let minimum = number() {
            if skip("}") {
                _ = skip("?")
                return (minimum, minimum)
            }
            if skip(",") {
                let maximum = number()
                if skip("}") {
                    _ = skip("?")
                    return (minimum, maximum)
                }
            }
        }
        position = start
        return nil
    }

    /// Digits; held to one above the limit, so that nothing overflows.
    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = peek, TagPattern.CharacterSet.digit.contains(scalar) {
            position += 1
            value = min(Self.countLimit + 1, (value ?? 0) * 10 + Int(scalar.value - 0x30))
        }
        return value
    }

    private mutating func atom() -> TagPatternNode? {
        guard let scalar = take() else { return nil }
        switch scalar {
        case "(": return group()
        case "[": return characterClass().map { .character($0) }
        case ".": return .character(dotMatchesNewline ? .anything : .notNewline)
        case "^": return .assertion(.start)
        case "$": return .assertion(.end)
        case "\\": return escape()
        case "*", "+", "?": return nil
        default: return .character(literal(scalar))
        }
    }

    private func literal(_ scalar: Unicode.Scalar) -> TagPattern.CharacterSet {
        let value = (ignoresCase ? TagPattern.folded(scalar) : scalar).value
        return TagPattern.CharacterSet(ranges: [value...value])
    }

    private mutating func group() -> TagPatternNode? {
        if skip("?") {
            if skip("P<") || skip("<") {
                var length = 0
                while let scalar = take(), scalar != ">" {
                    guard TagPattern.CharacterSet.word.contains(scalar) else { return nil }
                    length += 1
                }
                guard length > 0 else { return nil }
            } else {
                guard skip(":") else { return nil }
            }
        }
        guard let node = alternatives(), skip(")") else { return nil }
        return node
    }

    private mutating func escape() -> TagPatternNode? {
        guard let scalar = peek else { return nil }
        switch scalar {
        case "b", "B", "A", "z":
            position += 1
            return .assertion(
                scalar == "b" ? .wordBoundary : scalar == "B" ? .noWordBoundary : scalar == "A" ? .start : .end
            )
        default: return escapedSet().map { .character($0) }
        }
    }

    /// What follows a backslash, where it stands for characters.
    mutating func escapedSet() -> TagPattern.CharacterSet? {
        guard let scalar = take() else { return nil }
        switch scalar {
        case "d", "D":
            return TagPattern.CharacterSet(ranges: TagPattern.CharacterSet.digit.ranges, isNegated: scalar == "D")
        case "w", "W":
            return TagPattern.CharacterSet(ranges: TagPattern.CharacterSet.word.ranges, isNegated: scalar == "W")
        case "s", "S":
            return TagPattern.CharacterSet(ranges: TagPattern.CharacterSet.space.ranges, isNegated: scalar == "S")
        case "x": return hexadecimal()
        default:
            if let control = Self.controls[scalar] { return literal(control) }
            // Only punctuation may be escaped; an unknown letter is an error, as in RE2.
            let isPunctuation = scalar.isASCII && !TagPattern.CharacterSet.word.contains(scalar) || scalar == "_"
            return isPunctuation ? literal(scalar) : nil
        }
    }

    private static let controls: [Unicode.Scalar: Unicode.Scalar] = [
        "n": "\n", "t": "\t", "r": "\r", "f": "\u{0c}", "v": "\u{0b}", "a": "\u{07}",
    ]

    /// `\xHH` or `\x{H...}`.
    private mutating func hexadecimal() -> TagPattern.CharacterSet? {
        let isBraced = skip("{")
        var value: UInt32 = 0
        var digits = 0
        while digits < (isBraced ? 6 : 2), let scalar = peek, let digit = Character(scalar).hexDigitValue {
            position += 1
            digits += 1
            value = value << 4 | UInt32(digit)
        }
        guard isBraced ? digits > 0 && skip("}") : digits == 2 else { return nil }
        return Unicode.Scalar(value).map { literal($0) }
    }
}

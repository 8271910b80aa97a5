/// Character classes: `[a-z\d]`, `[^x]`.
extension TagPatternParser {
    /// What follows `[`.
    mutating func characterClass() -> TagPattern.CharacterSet? {
        var set = TagPattern.CharacterSet(ranges: [], isNegated: skip("^"))
        var isFirst = true
        while let scalar = peek {
            if scalar == "]", !isFirst {
                position += 1
                return ignoresCase ? folded(set) : set
            }
            isFirst = false
            guard readClassItem(into: &set) else { return nil }
        }
        return nil
    }

    private mutating func readClassItem(into set: inout TagPattern.CharacterSet) -> Bool {
        guard peek != "[" || !isNamedClass else { return false }
        guard let first = classBound() else { return false }
        guard !first.isNegated, first.ranges.count == 1, first.ranges[0].count == 1, startsRange() else {
            set.ranges += first.isNegated ? Self.complement(of: first.ranges) : first.ranges
            return true
        }
        position += 1
        guard let last = classBound(), last.ranges.count == 1, last.ranges[0].count == 1, !last.isNegated,
            first.ranges[0].lowerBound <= last.ranges[0].lowerBound
        else { return false }
        set.ranges.append(first.ranges[0].lowerBound...last.ranges[0].lowerBound)
        return true
    }

    private var isNamedClass: Bool { position + 1 < source.count && source[position + 1] == ":" }

    /// A `-` that is not the last of its class.
    private func startsRange() -> Bool { peek == "-" && position + 1 < source.count && source[position + 1] != "]" }

    private mutating func classBound() -> TagPattern.CharacterSet? {
        guard let scalar = take() else { return nil }
        if scalar == "\\" {
            // Not folded here: the whole class is, at its end.
            let saved = ignoresCase
            ignoresCase = false
            defer { ignoresCase = saved }
            return escapedSet()
        }
        return TagPattern.CharacterSet(ranges: [scalar.value...scalar.value])
    }

    /// All other characters.
    private static func complement(of ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        return result + [next...0x10ffff]
    }

    /// The class with the lower-case forms of its ASCII letters: values are folded before they are compared.
    private func folded(_ set: TagPattern.CharacterSet) -> TagPattern.CharacterSet {
        var folded = set
        for range in set.ranges {
            let capitals = range.clamped(to: 0x41...0x5a)
            if range.overlaps(0x41...0x5a) { folded.ranges.append(capitals.lowerBound + 32...capitals.upperBound + 32) }
        }
        return folded
    }
}

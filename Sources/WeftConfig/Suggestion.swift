/// The word that was most likely meant, or nil when none comes close: at most one slip for each three letters.
///
/// Words differ by insertions, deletions, replacements and swaps of neighbours; case and `_` for `-` do not count.
func nearestWord(to text: String, among words: [String]) -> String? {
    let given = normalized(text)
    let ranked = words.compactMap { word -> (word: String, distance: Int)? in
        let known = normalized(word)
        let allowed = max(1, max(known.count, given.count) / 3)
        guard abs(known.count - given.count) <= allowed else { return nil }
        let distance = editDistance(given, known)
        return distance <= allowed ? (word, distance) : nil
    }
    return ranked.min { ($0.distance, $0.word) < ($1.distance, $1.word) }?.word
}

private func normalized(_ text: String) -> [UInt8] {
    text.lowercased().utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
}

/// Damerau-Levenshtein distance in its restricted form (optimal string alignment): no part is edited twice.
func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in 1...left.count {
        var current = [row]
        current.reserveCapacity(right.count + 1)
        for column in 1...right.count {
            let cost = left[row - 1] == right[column - 1] ? 0 : 1
            var best = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + cost)
            let isSwap =
                row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1]
            if isSwap { best = min(best, beforeLast[column - 2] + 1) }
            current.append(best)
        }
        beforeLast = last
        last = current
    }
    return last[right.count]
}

/// Endpoints to draw from, by slot, each as probable as its weight says. Keeps its storage when it is filled anew.
struct DrawList: Sendable {
    private(set) var slots: [UInt32] = []
    /// Running sums of the weights; empty when all are the same.
    private var weightSums: [Int] = []
    private(set) var weightMean = 1.0

    var count: Int { slots.count }
    var isEmpty: Bool { slots.isEmpty }
    var isWeighted: Bool { !weightSums.isEmpty }

    mutating func removeAll() {
        slots.removeAll(keepingCapacity: true)
        weightSums.removeAll(keepingCapacity: true)
        weightMean = 1
    }

    mutating func append(_ slot: UInt32) { slots.append(slot) }

    /// To be called when the list is full.
    mutating func weigh(_ weight: (UInt32) -> Int) {
        guard let first = slots.first.map(weight) else { return }
        var sum = 0
        var isEven = true
        for slot in slots {
            isEven = isEven && weight(slot) == first
            sum += weight(slot)
            weightSums.append(sum)
        }
        weightMean = Double(sum) / Double(slots.count)
        if isEven { weightSums.removeAll(keepingCapacity: true) }
    }

    /// Two different endpoints, each pair as probable as the others: for a list of at least two, of equal weights.
    func drawPair(using rng: inout some RandomNumberGenerator) -> (UInt32, UInt32) {
        let first = Int.random(in: 0..<slots.count, using: &rng)
        let second = Int.random(in: 0..<slots.count - 1, using: &rng)
        return (slots[first], slots[second < first ? second : second + 1])
    }

    /// One of those that are allowed; nil when none is.
    func draw(using rng: inout some RandomNumberGenerator, where isAllowed: (UInt32) -> Bool) -> UInt32? {
        guard !isEmpty else { return nil }
        // With most of a large group allowed the first draw does; in a small one, the last few are found by looking.
        for _ in 0..<4 {
            let slot = draw(using: &rng)
            if isAllowed(slot) { return slot }
        }
        let start = Int.random(in: 0..<count, using: &rng)
        for step in 0..<count where isAllowed(slots[(start + step) % count]) { return slots[(start + step) % count] }
        return nil
    }

    private func draw(using rng: inout some RandomNumberGenerator) -> UInt32 {
        guard let sum = weightSums.last else { return slots[Int.random(in: 0..<count, using: &rng)] }
        let point = Int.random(in: 0..<sum, using: &rng)
        var low = 0
        var high = weightSums.count - 1
        while low < high {
            let middle = (low + high) / 2
            if weightSums[middle] > point { high = middle } else { low = middle + 1 }
        }
        return slots[low]
    }
}

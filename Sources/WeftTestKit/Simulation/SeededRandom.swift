internal import WeftCore

/// Random numbers that follow from a seed: xoshiro256**, its state filled by SplitMix64 (Blackman and Vigna, 2018).
/// The same seed gives the same numbers on every machine; everything random in a simulation comes from here.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    package init(seed: UInt64) {
        var mixer = seed
        func word() -> UInt64 {
            mixer &+= 0x9e37_79b9_7f4a_7c15
            var mixed = mixer
            mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
            return mixed ^ mixed >> 31
        }
        state = (word(), word(), word(), word())
    }

    /// A generator of its own for one part of a run, so that a draw more in one part does not change the others.
    package init(seed: UInt64, part: UInt64, number: Int = 0) {
        self.init(
            seed: seed &+ part &* 0xd605_bbb5_8c8a_bbc9 &+ UInt64(truncatingIfNeeded: number) &* 0xa24b_aed4_963e_e407
        )
    }

    package mutating func next() -> UInt64 {
        let product = state.1 &* 5
        let result = (product << 7 | product >> 57) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = state.3 << 45 | state.3 >> 19
        return result
    }
}

// MARK: - Draws

extension SeededRandom {
    /// True with this probability.
    package mutating func chance(_ probability: Double) -> Bool {
        probability > 0 && (probability >= 1 || Double.random(in: 0..<1, using: &self) < probability)
    }

    /// Any duration of a range, to the nanosecond.
    package mutating func duration(_ range: ClosedRange<Duration>) -> Duration {
        let bounds = range.lowerBound.wholeNanoseconds...range.upperBound.wholeNanoseconds
        return bounds.lowerBound == bounds.upperBound
            ? range.lowerBound : .nanoseconds(Int64.random(in: bounds, using: &self))
    }

    /// A whole number of a range.
    package mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// One element; nil of an empty collection.
    package mutating func pick<Element>(_ elements: [Element]) -> Element? { elements.randomElement(using: &self) }

    /// Each element with this probability.
    package mutating func some<Element>(of elements: [Element], _ probability: Double) -> [Element] {
        elements.filter { _ in chance(probability) }
    }
}

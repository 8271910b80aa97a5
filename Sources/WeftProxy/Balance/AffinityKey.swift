internal import Glibc

/// What keeps requests together: those with the same key go to the same endpoint as long as it can take them.
///
/// FNV-1a of the bytes, finished with SplitMix64's mixer: the same on every host, loop and run, and cheap for the length
/// of a header. Not for adversaries: who chooses keys can choose the endpoint, as with any key that is told.
package struct AffinityKey: Sendable, Hashable {
    package let number: UInt64

    /// Of a number that identifies the source; near ones are as good as far ones.
    package init(number: UInt64) { self.number = Self.mixed(number) }

    /// Of a header's value, or of the address or identity of a source.
    package init(_ bytes: some Sequence<UInt8>) {
        var state: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        number = Self.mixed(state)
    }

    /// How much an endpoint is wanted by this key: the highest score of a group wins (rendezvous hashing, Thaler and
    /// Ravishankar, 1998), and does so for a part of all keys that is proportional to `weight`.
    ///
    /// Chosen over a ring and over Maglev's table: it keeps no table, which every loop would have for every group; a
    /// change moves the keys of the endpoint that changed and no others; weights are exact; and passing over those that
    /// are tried, ejected or full is a condition in the same loop. The price is time linear in the endpoints, about
    /// 1 ns each. `endpoint` is its hash, mixed.
    func score(of endpoint: UInt64, weight: Int, isWeighted: Bool) -> Double {
        let unit = (Double(Self.mixed(number ^ endpoint) >> 11) + 0.5) * 0x1p-53
        // -weight / ln(unit) rises with `unit`, so where all weights are the same the logarithm changes nothing.
        return isWeighted ? -Double(weight) / log(unit) : unit
    }

    /// SplitMix64's finisher: every bit of the input changes each bit of the output with even odds.
    static func mixed(_ word: UInt64) -> UInt64 {
        var word = word &+ 0x9e37_79b9_7f4a_7c15
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

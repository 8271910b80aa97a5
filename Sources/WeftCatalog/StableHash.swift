/// A hash that is the same on every host, in every process and in every release: FNV-1a with 64 bits, then the
/// finaliser of SplitMix64, which spreads FNV's weak low bits over the whole word.
///
/// Swift's own `Hasher` is seeded per process and cannot name anything that two hosts have to agree on. Not for use
/// against people who choose names to collide: an operator's service names are no such input, and a collision costs
/// one probe.
struct StableHash {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    /// `purpose` keeps hashes for different uses of the same text apart.
    init(_ text: some Sequence<UInt8>, purpose: UInt8 = 0) {
        mix(purpose)
        for byte in text { mix(byte) }
    }

    var value: UInt64 {
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    private mutating func mix(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
}

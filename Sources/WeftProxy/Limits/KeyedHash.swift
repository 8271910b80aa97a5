/// A 64-bit hash under a secret, in the manner of wyhash: each word is folded in by a full multiplication whose halves
/// are combined.
///
/// For tables whose keys a stranger may choose and whose places cannot be compared by the whole key. The secret comes as
/// an argument, so that a simulation sees the same places again; Swift's `Hasher` would draw its own in each process.
struct KeyedHash {
    private var state: UInt64
    private let secret: UInt64

    init(secret: UInt64) {
        self.secret = secret
        self.state = secret ^ 0xa076_1d64_78bd_642f
    }

    /// Never 0, which tables use for an empty place.
    var value: UInt64 {
        let folded = Self.fold(state, 0xe703_7ed1_a0b4_28db ^ secret)
        return folded == 0 ? 1 : folded
    }

    mutating func mix(_ word: UInt64) {
        state = Self.fold(state ^ word, 0x8ebc_6af0_9c88_c6e3 ^ secret) ^ secret
    }

    /// Mixes in the bytes and their number, so that ("ab", "c") and ("a", "bc") differ.
    mutating func mix(_ text: String) {
        var word: UInt64 = 0
        var filled: UInt64 = 0
        var length: UInt64 = 0
        for byte in text.utf8 {
            word |= UInt64(byte) << (8 * filled)
            filled += 1
            length += 1
            guard filled == 8 else { continue }
            mix(word)
            (word, filled) = (0, 0)
        }
        if filled > 0 { mix(word) }
        mix(length)
    }

    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}

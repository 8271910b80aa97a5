/// Compresses as Go's compress/lzw does with LSB order and 8-bit literals: bit for bit what agents send
/// (specification 5.1).
///
/// Codes start at 9 bits. The counter `high` moves with every data code, and its passing a power of two widens the
/// codes; when it reaches 4095 the table is cleared.
package struct LZWEncoder: Sendable {
    private var output: [UInt8] = []
    /// Bits not written yet, the next one lowest; fewer than 8 between calls.
    private var bits: UInt32 = 0
    private var bitCount = 0
    private var width = LZW.firstWidth
    private var high = LZW.end
    private var table = Table()

    /// The compressed form of `input`; it is never empty, and for short inputs longer than they are.
    package static func compress(_ input: some Collection<UInt8>) -> [UInt8] {
        var encoder = LZWEncoder()
        encoder.output.reserveCapacity(input.count)
        encoder.encode(input)
        return encoder.output
    }

    private mutating func encode(_ input: some Collection<UInt8>) {
        emit(LZW.clear)
        guard let first = input.first else { return finish() }
        var prefix = UInt32(first)
        for byte in input.dropFirst() {
            let key = prefix << 8 | UInt32(byte)
            if let code = table[key] {
                prefix = code
                continue
            }
            emit(prefix)
            if countCode() { table.insert(key, code: high) }
            prefix = UInt32(byte)
        }
        emit(prefix)
        _ = countCode()
        finish()
    }

    /// Counts a data code just written. False when that cleared the table: then no entry follows it.
    private mutating func countCode() -> Bool {
        high += 1
        if high == 1 << UInt32(width) { width += 1 }
        guard high == LZW.lastCode else { return true }
        emit(LZW.clear)
        table.removeAll()
        width = LZW.firstWidth
        high = LZW.end
        return false
    }

    private mutating func emit(_ code: UInt32) {
        bits |= code << UInt32(bitCount)
        bitCount += width
        while bitCount >= 8 {
            output.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            bitCount -= 8
        }
    }

    private mutating func finish() {
        emit(LZW.end)
        if bitCount > 0 { output.append(UInt8(truncatingIfNeeded: bits)) }
    }
}

/// Numbers that both directions share.
enum LZW {
    static let clear: UInt32 = 256
    static let end: UInt32 = 257
    static let firstWidth = 9
    static let lastWidth = 12
    /// The last code there is: 2^12 - 1.
    static let lastCode: UInt32 = 4095
}

extension LZWEncoder {
    /// From (code, next byte) to code, by open addressing: at most 3,837 entries in twice the places. A dictionary
    /// costs several times as much, and this runs for every datagram.
    private struct Table {
        private static let size = 8192
        /// `key << 12 | code`; 0 is free (code 0 is a literal and never stored).
        private var slots = [UInt32](repeating: 0, count: size)

        subscript(key: UInt32) -> UInt32? {
            var place = Self.place(of: key)
            while slots[place] != 0 {
                if slots[place] >> 12 == key { return slots[place] & LZW.lastCode }
                place = (place + 1) % Self.size
            }
            return nil
        }

        mutating func insert(_ key: UInt32, code: UInt32) {
            var place = Self.place(of: key)
            while slots[place] != 0 { place = (place + 1) % Self.size }
            slots[place] = key << 12 | code
        }

        mutating func removeAll() {
            for place in slots.indices { slots[place] = 0 }
        }

        /// Fibonacci hashing: the top 13 bits of a product.
        private static func place(of key: UInt32) -> Int { Int((key &* 2_654_435_769) >> 19) }
    }
}

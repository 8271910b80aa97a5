/// Undoes `LZWEncoder`, and everything else that Go's compress/lzw writes or reads with LSB order and 8-bit literals.
///
/// The output is bounded before it is written: 20 MiB of compressed bytes could become 28 GiB.
package struct LZWDecoder: Sendable {
    private let input: ArraySlice<UInt8>
    private var position: Int
    private var bits: UInt32 = 0
    private var bitCount = 0
    private var width = LZW.firstWidth
    /// The code that the next entry gets, one behind: Go's `hi`.
    private var high = LZW.end
    /// The code before, whose string the next entry extends. Nil after a clear, and once the table is full.
    private var previous: UInt32?
    /// Of each entry: the code it extends, its last byte, and how long its string is.
    private var prefixes = [UInt16](repeating: 0, count: Int(LZW.lastCode) + 1)
    private var suffixes = [UInt8](repeating: 0, count: Int(LZW.lastCode) + 1)
    private var lengths = [UInt16](repeating: 1, count: Int(LZW.lastCode) + 1)
    private var output: [UInt8] = []

    /// The plain form of `input`; bytes behind its end code are ignored.
    /// Throws `decompressedTooLarge` beyond `limit` bytes, and `corruptCompression` for an impossible code or when the
    /// end code is missing.
    package static func decompress(_ input: ArraySlice<UInt8>, atMost limit: Int) throws(WireError) -> [UInt8] {
        var decoder = LZWDecoder(input)
        while let code = try decoder.nextCode() { try decoder.handle(code, limit: limit) }
        return decoder.output
    }

    private init(_ input: ArraySlice<UInt8>) {
        self.input = input
        position = input.startIndex
    }

    /// Nil at the end code.
    private mutating func nextCode() throws(WireError) -> UInt32? {
        while bitCount < width {
            guard position < input.endIndex else { throw .corruptCompression }
            bits |= UInt32(input[position]) << UInt32(bitCount)
            bitCount += 8
            position += 1
        }
        let code = bits & (1 << UInt32(width) - 1)
        bits >>= UInt32(width)
        bitCount -= width
        return code == LZW.end ? nil : code
    }

    private mutating func handle(_ code: UInt32, limit: Int) throws(WireError) {
        guard code != LZW.clear else {
            width = LZW.firstWidth
            high = LZW.end
            previous = nil
            return
        }
        if let previous {
            try addEntry(extending: previous, with: code)
        } else {
            // After a clear the counter stands at `end` and only literals pass; with a full table every code does.
            guard code < LZW.clear || (code <= high && high > LZW.end) else { throw .corruptCompression }
        }
        try write(code, limit: limit)
        previous = code
        advance()
    }

    /// Enters the previous string and the first byte of the one that `code` stands for, which may be the new entry
    /// itself.
    private mutating func addEntry(extending previous: UInt32, with code: UInt32) throws(WireError) {
        guard code <= high else { throw .corruptCompression }
        let entry = Int(high)
        prefixes[entry] = UInt16(previous)
        lengths[entry] = lengths[Int(previous)] + 1
        suffixes[entry] = firstByte(of: code == high ? previous : code)
    }

    private func firstByte(of code: UInt32) -> UInt8 {
        var code = code
        while code > LZW.end { code = UInt32(prefixes[Int(code)]) }
        return UInt8(truncatingIfNeeded: code)
    }

    private mutating func write(_ code: UInt32, limit: Int) throws(WireError) {
        let length = Int(lengths[Int(code)])
        guard output.count + length <= limit else { throw .decompressedTooLarge }
        output.append(contentsOf: repeatElement(0, count: length))
        var (code, place) = (code, output.count - 1)
        while code > LZW.end {
            output[place] = suffixes[Int(code)]
            code = UInt32(prefixes[Int(code)])
            place -= 1
        }
        output[place] = UInt8(truncatingIfNeeded: code)
    }

    /// Moves the counter on after a data code.
    private mutating func advance() {
        high += 1
        guard high == 1 << UInt32(width) else { return }
        if width < LZW.lastWidth {
            width += 1
        } else {
            high -= 1
            previous = nil
        }
    }
}

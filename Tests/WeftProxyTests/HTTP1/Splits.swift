/// Ways of cutting a stream, under which a reader has to see the same.
enum Splits {
    /// Whole; byte by byte; and in two at every place.
    static func all(_ bytes: [UInt8]) -> [[[UInt8]]] {
        let cuts = bytes.indices.dropFirst().map { [Array(bytes[..<$0]), Array(bytes[$0...])] }
        return [[bytes], bytes.map { [$0] }] + cuts
    }

    /// In pieces of 1 to `longest` bytes.
    static func random(_ bytes: [UInt8], longest: Int, using rng: inout some RandomNumberGenerator) -> [[UInt8]] {
        var (pieces, rest): ([[UInt8]], ArraySlice<UInt8>) = ([], bytes[...])
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...longest, using: &rng))
            pieces.append(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }
}

/// The bytes of a text, each scalar below 0x100 being one.
func latin1(_ text: some StringProtocol) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

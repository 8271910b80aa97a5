import Testing

@testable import WeftGossip

@Suite struct LZWTests {
    /// The linear congruential generator that `vectors.json` describes.
    private static func lcg(_ count: Int) -> [UInt8] {
        var state: UInt32 = 1
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
    }

    private static func input(_ vector: WireVectors.LZW.Case) -> [UInt8] {
        if let count = vector.n { return lcg(count) }
        if let hex = vector.textHex { return (0..<(vector.repeat ?? 1)).flatMap { _ in [UInt8](hex: hex) } }
        switch vector.input {
        case "empty": return []
        case "one byte 0x00": return [0]
        default: return [UInt8](repeating: UInt8(ascii: "a"), count: 20)
        }
    }

    @Test(arguments: WireVectors.all.lzw.cases)
    func bothWays(vector: WireVectors.LZW.Case) throws {
        let (plain, compressed) = (Self.input(vector), [UInt8](hex: vector.outHex))
        #expect(LZWEncoder.compress(plain).hex == compressed.hex)
        #expect(try LZWDecoder.decompress(compressed[...], atMost: plain.count) == plain)
    }

    @Test func randomInputsOfManyKinds() throws {
        var rng = WireRandom(seed: 11)
        for round in 0..<60 {
            let alphabet = UInt64([1, 2, 4, 16, 256][round % 5])
            let plain = (0..<rng.count(round < 50 ? 3_000 : 60_000)).map { _ in
                UInt8(truncatingIfNeeded: rng.next() % alphabet)
            }
            #expect(try LZWDecoder.decompress(LZWEncoder.compress(plain)[...], atMost: plain.count) == plain)
        }
    }

    @Test func theOutputIsBounded() {
        let bomb = LZWEncoder.compress([UInt8](repeating: 0, count: 1_000_000))
        #expect(bomb.count < 3_000)
        #expect(throws: WireError.decompressedTooLarge) { try LZWDecoder.decompress(bomb[...], atMost: 999_999) }
    }

    @Test func everyTruncationThrows() {
        let compressed = LZWEncoder.compress(Self.lcg(600))
        for end in 0..<(compressed.count - 1) {
            #expect(throws: WireError.corruptCompression) {
                try LZWDecoder.decompress(compressed[..<end], atMost: 10_000)
            }
        }
    }

    /// Codes are 9 bits, lowest first: the first code is not a literal; and a code beyond the next entry.
    @Test(arguments: ["02050c08", "0002f90f0808", "ffffff"])
    func impossibleCodes(hex: String) {
        #expect(throws: WireError.corruptCompression) {
            try LZWDecoder.decompress([UInt8](hex: hex)[...], atMost: 10_000)
        }
    }

    @Test func mutationsNeverTrap() {
        var rng = WireRandom(seed: 12)
        let compressed = LZWEncoder.compress(Self.lcg(6_000))
        for _ in 0..<300 {
            var broken = compressed
            for _ in 0...rng.count(3) { broken[rng.count(broken.count - 1)] = UInt8(truncatingIfNeeded: rng.next()) }
            if let plain = try? LZWDecoder.decompress(broken[...], atMost: 20_000) { #expect(plain.count <= 20_000) }
        }
    }
}

@Suite struct LayerTests {
    @Test func checksumOfTheStandardInput() {
        #expect(Checksum.crc32(Array("123456789".utf8)) == 0xcbf4_3926)
        #expect(Checksum.crc32([]) == 0)
    }

    @Test func aShortChecksumIsNone() throws {
        #expect(try Checksum.unwrap([12, 0, 0, 0]) == [12, 0, 0, 0])
        #expect(throws: WireError.checksum) { try Checksum.unwrap([12, 0, 0, 0, 1]) }
        #expect(try Checksum.unwrap([12, 0, 0, 0, 0]).isEmpty)
    }

    @Test func compoundsAreSplitAt127Parts() {
        let messages = (0..<300).map { [UInt8(truncatingIfNeeded: $0), 1] }
        let packed = Compound.pack(messages)
        #expect(packed.map { $0[1] } == [127, 127, 46])
        #expect(Compound.pack([[5, 6]]) == [[5, 6]])
        #expect(Compound.pack([]).isEmpty)
        let long = [UInt8](repeating: 1, count: 70_000)
        #expect(Compound.pack([[1], long, [2], [3]]) == [[1], long, Compound.wrap([[2], [3]])])
    }

    @Test func partsThatFitSurviveATruncatedCompound() throws {
        let whole = Compound.wrap([[1, 1], [2, 2, 2], [3]])
        let (parts, isTruncated) = try Compound.parts(of: whole.dropFirst().dropLast())
        #expect(parts == [[1, 1], [2, 2, 2]])
        #expect(isTruncated)
        #expect(throws: WireError.truncatedCompound) { try Compound.parts(of: [3, 0, 1, 0, 1, 0]) }
        #expect(throws: WireError.truncatedCompound) { try Compound.parts(of: []) }
        #expect(try Compound.parts(of: [0]).parts.isEmpty)
    }

    @Test(arguments: [
        ("f4", WireError.malformedLabel), ("f400", .malformedLabel), ("f402", .malformedLabel),
        ("f40261", .malformedLabel), ("f4026162", nil), ("f402616200", nil), ("f4026163", .wrongLabel),
        ("f403616263", .wrongLabel), ("00", .wrongLabel), ("", .malformedLabel),
    ])
    func labels(hex: String, error: WireError?) throws {
        let bytes = [UInt8](hex: hex)
        if let error {
            #expect(throws: error) { try Label.unwrap(bytes[...], expecting: [0x61, 0x62]) }
        } else {
            #expect(try Label.unwrap(bytes[...], expecting: [0x61, 0x62]).elementsEqual(bytes.dropFirst(4)))
        }
    }
}

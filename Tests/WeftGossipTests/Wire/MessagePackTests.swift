import Testing

@testable import WeftGossip

/// The dialect: written as old agents write it, read as leniently as they read.
@Suite struct MessagePackTests {
    @Test func integersAreWrittenLikeTheOldVersionAndReadFromBoth() throws {
        for vector in WireVectors.all.msgpack.integers {
            var writer = MessagePackWriter()
            if let value = vector.uint { writer.write(value) }
            if let value = vector.int { writer.write(value) }
            #expect(writer.bytes.hex == vector.old)
            for form in [vector.old, vector.new] {
                var reader = MessagePackReader([UInt8](hex: form)[...])
                if let value = vector.uint {
                    #expect(try reader.readUInt64() == value)
                } else {
                    #expect(try reader.readInt64() == vector.int)
                }
                #expect(reader.rest.isEmpty)
            }
        }
    }

    @Test func stringHeaders() {
        for vector in WireVectors.all.msgpack.stringHeaders {
            var writer = MessagePackWriter()
            writer.write([UInt8](repeating: 0, count: vector.length)[...])
            #expect(writer.bytes.dropLast(vector.length).elementsEqual([UInt8](hex: vector.bytes)))
            var reader = MessagePackReader(writer.bytes[...])
            #expect(throws: Never.self) { try reader.readBytes(atMost: 70_000) }
        }
    }

    @Test func containerHeaders() throws {
        for (count, map, array) in [(15, "8f", "9f"), (16, "de0010", "dc0010"), (65_536, "df00010000", "dd00010000")] {
            var (maps, arrays) = (MessagePackWriter(), MessagePackWriter())
            maps.writeMapHeader(count)
            arrays.writeArrayHeader(count)
            #expect(maps.bytes.hex == map)
            #expect(arrays.bytes.hex == array)
            var reader = MessagePackReader((maps.bytes + [UInt8](repeating: 0xc0, count: 2 * count))[...])
            #expect(try reader.readMapHeader(atMost: count) == count)
        }
    }

    /// A ping in all the forms that real decoders take.
    @Test(arguments: [
        ("82a44e6f6465a26731a55365714e6f05", "as it should be"),
        ("82a55365714e6f05a44e6f6465a26731", "another order"),
        ("9205a26731", "as an array, in Go's order"),
        ("9605a26731c000c0a178", "as a longer array"),
        ("82c4044e6f6465d9026731c4055365714e6fd30000000000000005", "bin and str8, a signed 64-bit number"),
        (
            "83a44e6f6465a26731a25a7a82c391a1c2c0cb0000000000000000a55365714e6fcd0005",
            "an unknown key with a deep value"
        ),
        ("82a44e6f6465a26731a55365714e6f05deadbeef", "bytes behind it"),
        ("83a44e6f6465a26731a55365714e6f05aa536f7572636541646472c0", "a nil field"),
        ("83a55365714e6f04a44e6f6465a26731a55365714e6f05", "a key twice: the later wins"),
    ])
    func lenientForms(hex: String, what: String) throws {
        let bytes = [UInt8](hex: hex)
        #expect(try Ping(decoding: bytes[...]) == Ping(sequence: 5, node: "g1", source: nil), "\(what)")
    }

    @Test func nilIsZeroAndNumbersAreBooleans() throws {
        #expect(try Nack(decoding: [0xc0]) == Nack(sequence: 0))
        #expect(try JoinIntent(decoding: [0x80]) == JoinIntent(time: 0, node: ""))
        for (byte, value) in [(UInt8(0xc2), false), (0xc3, true), (0, false), (1, true), (0xc0, false)] {
            var reader = MessagePackReader([byte])
            #expect(try reader.readBool() == value)
        }
    }

    @Test(arguments: [
        ("ff", DecodeError.outOfRange(at: 0)), ("d0ff", .outOfRange(at: 0)), ("ce", .truncated(at: 1)),
        ("cf0000000100000000", .outOfRange(at: 0)), ("a131", .unexpected(byte: 0xa1, at: 0)), ("", .truncated(at: 0)),
        ("c1", .unexpected(byte: 0xc1, at: 0)), ("c3", .unexpected(byte: 0xc3, at: 0)),
    ])
    func numbersThatDoNotFit(hex: String, error: DecodeError) {
        var reader = MessagePackReader([UInt8](hex: hex)[...])
        #expect(throws: error) { try reader.readUInt32() }
    }

    @Test func lengthsAreNotBelieved() {
        for hex in ["dbffffffff", "ddffffffff", "dfffffffff", "c6ffffffff", "c9ffffffff00"] {
            var reader = MessagePackReader([UInt8](hex: hex)[...])
            #expect(throws: DecodeError.truncated(at: hex.utf8.count / 2)) { try reader.skip() }
        }
        var array = MessagePackReader([0xdd, 0xff, 0xff, 0xff, 0xff][...])
        #expect(throws: DecodeError.truncated(at: 5)) { try array.readArrayHeader(atMost: .max) }
    }

    @Test func nestingIsBounded() {
        let deep = [UInt8](repeating: 0x91, count: 60_000) + [0xc0]
        var reader = MessagePackReader(deep[...])
        #expect(throws: DecodeError.tooDeep(at: WireLimits.messagePackDepth)) { try reader.skip() }
        let allowed = [UInt8](repeating: 0x91, count: WireLimits.messagePackDepth) + [0xc0]
        var good = MessagePackReader(allowed[...])
        #expect(throws: Never.self) { try good.skip() }
    }

    @Test func theScannerFindsTheSameEndAsTheReader() throws {
        var rng = WireRandom(seed: 3)
        for _ in 0..<200 {
            let object = rng.userState().serf.encoded()
            var scanner = ObjectScanner()
            for end in 0..<object.count where rng.count(9) == 0 { #expect(try !scanner.scan(object[..<end])) }
            #expect(try scanner.scan((object + [1, 2, 3])[...]))
            #expect(scanner.offset == object.count)
        }
    }
}

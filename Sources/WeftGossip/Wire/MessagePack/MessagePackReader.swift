/// Reads the msgpack dialect of hashicorp's go-msgpack, as leniently as real agents do (specification 2): any form of
/// integer that fits, raw and bin strings alike, a structure as map or as array, nil for zero, unknown keys skipped.
///
/// It reads a slice in place. No length is believed before the bytes are there, so it never takes more memory than the
/// bytes given, and it recurses only in `skip`, to a fixed depth.
package struct MessagePackReader: Sendable {
    private let bytes: ArraySlice<UInt8>
    /// Index of the next byte, in terms of the slice.
    package private(set) var position: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// What has not been read.
    package var rest: ArraySlice<UInt8> { bytes[position...] }

    /// Steps over a nil; false when the next value is something else.
    package mutating func readNil() -> Bool {
        guard position < bytes.endIndex, bytes[position] == 0xc0 else { return false }
        position += 1
        return true
    }

    /// True or false, also as a number 1 or 0.
    package mutating func readBool() throws(DecodeError) -> Bool {
        switch try peek() {
        case 0xc2, 0xc3: return try takeByte() == 0xc3
        default: return try readUInt64(atMost: 1) == 1
        }
    }

    /// A number from 0 to `limit` in any integer form.
    package mutating func readUInt64(atMost limit: UInt64 = .max) throws(DecodeError) -> UInt64 {
        let start = position
        let (bits, isNegative) = try readInteger()
        guard !isNegative, bits <= limit else { throw .outOfRange(at: start) }
        return bits
    }

    package mutating func readUInt32() throws(DecodeError) -> UInt32 {
        UInt32(truncatingIfNeeded: try readUInt64(atMost: UInt64(UInt32.max)))
    }

    package mutating func readUInt16() throws(DecodeError) -> UInt16 {
        UInt16(truncatingIfNeeded: try readUInt64(atMost: UInt64(UInt16.max)))
    }

    package mutating func readUInt8() throws(DecodeError) -> UInt8 {
        UInt8(truncatingIfNeeded: try readUInt64(atMost: UInt64(UInt8.max)))
    }

    package mutating func readInt64() throws(DecodeError) -> Int64 {
        let start = position
        let (bits, isNegative) = try readInteger()
        guard isNegative || bits <= UInt64(Int64.max) else { throw .outOfRange(at: start) }
        return Int64(bitPattern: bits)
    }

    /// A count or length: 0 to `limit`; more is `tooLong`.
    package mutating func readCount(atMost limit: Int) throws(DecodeError) -> Int {
        let start = position
        guard let count = Int(exactly: try readUInt64()), count <= limit else {
            throw .tooLong(at: start, limit: limit)
        }
        return count
    }

    /// A float of either width, or an integer.
    package mutating func readDouble() throws(DecodeError) -> Double {
        switch try peek() {
        case 0xca:
            position += 1
            return Double(Float(bitPattern: UInt32(truncatingIfNeeded: try takeWord(4))))
        case 0xcb:
            position += 1
            return Double(bitPattern: try takeWord(8))
        default:
            let (bits, isNegative) = try readInteger()
            return isNegative ? Double(Int64(bitPattern: bits)) : Double(bits)
        }
    }

    /// The bytes of a raw or bin string of at most `limit` bytes, in place. Nil for nil.
    package mutating func readBytes(atMost limit: Int) throws(DecodeError) -> ArraySlice<UInt8>? {
        let start = position
        let byte = try takeByte()
        let length: UInt64
        switch byte {
        case 0xc0: return nil
        case 0xa0...0xbf: length = UInt64(byte & 0x1f)
        case 0xc4, 0xd9: length = try takeWord(1)
        case 0xc5, 0xda: length = try takeWord(2)
        case 0xc6, 0xdb: length = try takeWord(4)
        default: throw .unexpected(byte: byte, at: start)
        }
        guard length <= limit else { throw .tooLong(at: start, limit: limit) }
        guard length <= bytes.endIndex - position else { throw .truncated(at: bytes.endIndex) }
        defer { position += Int(length) }
        return bytes[position..<(position + Int(length))]
    }

    /// Text; bytes that are not UTF-8 are replaced. Nil reads as empty.
    package mutating func readText(atMost limit: Int) throws(DecodeError) -> String {
        String(decoding: try readBytes(atMost: limit) ?? [], as: UTF8.self)
    }

    /// A member's name of at most `WireLimits.nameLength` bytes. Nil reads as empty.
    package mutating func readName() throws(DecodeError) -> MemberName {
        MemberName(bytes: Array(try readBytes(atMost: WireLimits.nameLength) ?? []))
    }

    /// The number of elements that follow, each at least a byte long. Nil reads as 0.
    package mutating func readArrayHeader(atMost limit: Int) throws(DecodeError) -> Int {
        try readContainerHeader(small: 0x90, medium: 0xdc, large: 0xdd, elementSize: 1, limit: limit)
    }

    /// The number of entries that follow, each at least two bytes long. Nil reads as 0.
    package mutating func readMapHeader(atMost limit: Int) throws(DecodeError) -> Int {
        try readContainerHeader(small: 0x80, medium: 0xde, large: 0xdf, elementSize: 2, limit: limit)
    }

    /// Steps over one value of any kind.
    package mutating func skip() throws(DecodeError) { try skip(depth: 0) }
}

extension MessagePackReader {
    /// The next byte, which stays.
    func peek() throws(DecodeError) -> UInt8 {
        guard position < bytes.endIndex else { throw .truncated(at: bytes.endIndex) }
        return bytes[position]
    }

    private mutating func takeByte() throws(DecodeError) -> UInt8 {
        let byte = try peek()
        position += 1
        return byte
    }

    /// `width` bytes (1 to 8) as a big-endian number.
    private mutating func takeWord(_ width: Int) throws(DecodeError) -> UInt64 {
        guard width <= bytes.endIndex - position else { throw .truncated(at: bytes.endIndex) }
        var word: UInt64 = 0
        for index in position..<(position + width) { word = word << 8 | UInt64(bytes[index]) }
        position += width
        return word
    }

    /// Any integer form; nil is 0. The bits are two's complement when negative.
    private mutating func readInteger() throws(DecodeError) -> (bits: UInt64, isNegative: Bool) {
        let start = position
        let byte = try takeByte()
        switch byte {
        case 0x00...0x7f: return (UInt64(byte), false)
        case 0xe0...0xff: return (UInt64(bitPattern: Int64(Int8(bitPattern: byte))), true)
        case 0xc0: return (0, false)
        case 0xcc...0xcf: return (try takeWord(1 << (Int(byte) - 0xcc)), false)
        case 0xd0...0xd3:
            let width = 1 << (Int(byte) - 0xd0)
            let unused = 64 - 8 * width
            let value = Int64(bitPattern: try takeWord(width) << unused) >> unused
            return (UInt64(bitPattern: value), value < 0)
        default: throw .unexpected(byte: byte, at: start)
        }
    }

    private mutating func readContainerHeader(
        small: UInt8,
        medium: UInt8,
        large: UInt8,
        elementSize: Int,
        limit: Int
    ) throws(DecodeError) -> Int {
        let start = position
        let byte = try takeByte()
        let count: Int
        switch byte {
        case 0xc0: return 0
        case small...(small | 0x0f): count = Int(byte & 0x0f)
        case medium: count = Int(try takeWord(2))
        case large: count = Int(try takeWord(4))
        default: throw .unexpected(byte: byte, at: start)
        }
        guard count <= limit else { throw .tooLong(at: start, limit: limit) }
        guard count * elementSize <= bytes.endIndex - position else { throw .truncated(at: bytes.endIndex) }
        return count
    }

    private mutating func skip(depth: Int) throws(DecodeError) {
        guard let header = try ObjectHeader(of: bytes, at: position), header.size <= bytes.endIndex - position else {
            throw .truncated(at: bytes.endIndex)
        }
        guard header.children == 0 || depth < WireLimits.messagePackDepth else { throw .tooDeep(at: position) }
        position += header.size
        for _ in 0..<header.children { try skip(depth: depth + 1) }
    }
}

/// Reads a payload from a peer: never beyond its end, and every failure says where.
///
/// Numbers are in network order; a varint is LEB128 (seven bits a byte, the lowest first, at most ten bytes).
struct ByteReader {
    private let bytes: [UInt8]
    /// Where the next byte is read, from the payload's start.
    private(set) var offset: Int
    private let end: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        self.offset = 0
        self.end = bytes.count
    }

    private init(_ bytes: [UInt8], from offset: Int, to end: Int) {
        self.bytes = bytes
        self.offset = offset
        self.end = end
    }

    var isAtEnd: Bool { offset == end }

    mutating func byte() throws(CatalogueError) -> UInt8 {
        try need(1)
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func uint16() throws(CatalogueError) -> UInt16 { UInt16(truncatingIfNeeded: try number(bytes: 2)) }

    mutating func uint32() throws(CatalogueError) -> UInt32 { UInt32(truncatingIfNeeded: try number(bytes: 4)) }

    mutating func uint64() throws(CatalogueError) -> UInt64 { try number(bytes: 8) }

    mutating func varint() throws(CatalogueError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            let byte = try byte()
            // The tenth byte has room for one bit.
            guard shift < 63 || byte <= 1 else { throw .malformed(.number, at: start) }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw .malformed(.number, at: start)
    }

    mutating func bytes(_ count: Int) throws(CatalogueError) -> ArraySlice<UInt8> {
        try need(count)
        defer { offset += count }
        return bytes[offset..<offset + count]
    }

    /// A length byte, then as many bytes of UTF-8.
    mutating func text(_ field: CatalogueError.Field) throws(CatalogueError) -> String {
        let start = offset
        guard let text = String(validating: try bytes(Int(try byte())), as: UTF8.self) else {
            throw .malformed(field, at: start)
        }
        return text
    }

    /// What is left.
    mutating func rest() -> ArraySlice<UInt8> {
        defer { offset = end }
        return bytes[offset..<end]
    }

    /// A varint's length, then a part of that length, which is read on its own.
    mutating func part() throws(CatalogueError) -> ByteReader {
        let length = try varint()
        guard length <= UInt64(end - offset) else {
            throw .truncated(at: end, needed: Int(clamping: length &- UInt64(end - offset)))
        }
        let part = ByteReader(bytes, from: offset, to: offset + Int(length))
        offset += Int(length)
        return part
    }

    private mutating func number(bytes count: Int) throws(CatalogueError) -> UInt64 {
        try bytes(count).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func need(_ count: Int) throws(CatalogueError) {
        guard count <= end - offset else { throw .truncated(at: end, needed: count - (end - offset)) }
    }
}

/// What `ByteReader` reads.
extension [UInt8] {
    mutating func append(number: UInt64, bytes count: Int) {
        for shift in stride(from: (count - 1) * 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
    }

    mutating func append(varint: UInt64) {
        var rest = varint
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    /// Texts have at most 255 bytes by the rules of their types.
    mutating func append(text: String) {
        append(UInt8(clamping: text.utf8.count))
        append(contentsOf: text.utf8.prefix(255))
    }

    mutating func append(part: [UInt8]) {
        append(varint: UInt64(part.count))
        append(contentsOf: part)
    }
}

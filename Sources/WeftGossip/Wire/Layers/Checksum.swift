/// CRC-32 as IEEE 802.3 has it (reflected 0xEDB88320, all ones before and after), and its wrapper (specification 1.4):
/// `0c | crc:u32 | rest`.
package enum Checksum {
    /// Bytes that the wrapper adds. They do not count against the size budget.
    package static let overhead = 5

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
    }

    package static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let table = table
        return ~bytes.reduce(UInt32.max) { crc, byte in crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
    }

    static func wrap(_ bytes: [UInt8]) -> [UInt8] {
        let crc = crc32(bytes)
        return [MemberlistType.checksum.rawValue] + bigEndianBytes(crc) + bytes
    }

    /// What is inside, or the bytes themselves when they are not wrapped. Under five bytes are not taken for a wrapper.
    static func unwrap(_ bytes: ArraySlice<UInt8>) throws(WireError) -> ArraySlice<UInt8> {
        guard bytes.first == MemberlistType.checksum.rawValue, bytes.count >= overhead else { return bytes }
        let rest = bytes.dropFirst(overhead)
        let expected = bytes.dropFirst().prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard crc32(rest) == expected else { throw .checksum }
        return rest
    }
}

/// The four bytes of a number in network order.
func bigEndianBytes(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}

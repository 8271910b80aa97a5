/// Writes the msgpack dialect of hashicorp's go-msgpack (specification 2), in the form of its older version, which all
/// versions read: raw strings for text and bytes alike, and signed numbers like unsigned ones when not negative.
package struct MessagePackWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    /// Starts with `prefix` (a type byte), with room for `capacity` bytes in all.
    package init(prefix: UInt8? = nil, capacity: Int = 128) {
        bytes.reserveCapacity(capacity)
        if let prefix { bytes.append(prefix) }
    }

    package mutating func writeNil() { bytes.append(0xc0) }

    package mutating func write(_ value: Bool) { bytes.append(value ? 0xc3 : 0xc2) }

    /// The shortest form.
    package mutating func write(_ value: UInt64) {
        switch value {
        case 0...0x7f: bytes.append(UInt8(value))
        case 0...0xff: bytes += [0xcc, UInt8(value)]
        case 0...0xffff: append(0xcd, UInt16(value))
        case 0...0xffff_ffff: append(0xce, UInt32(value))
        default: append(0xcf, value)
        }
    }

    /// The shortest form, unsigned when not negative.
    package mutating func write(_ value: Int64) {
        switch value {
        case 0...: write(UInt64(value))
        case -32..<0: bytes.append(UInt8(bitPattern: Int8(value)))
        case -0x80..<0: bytes += [0xd0, UInt8(bitPattern: Int8(value))]
        case -0x8000..<0: append(0xd1, UInt16(bitPattern: Int16(value)))
        case -0x8000_0000..<0: append(0xd2, UInt32(bitPattern: Int32(value)))
        default: append(0xd3, UInt64(bitPattern: value))
        }
    }

    package mutating func write(_ value: Double) { append(0xcb, value.bitPattern) }

    /// A raw string.
    package mutating func write(_ value: some Collection<UInt8>) {
        writeRawHeader(value.count)
        bytes.append(contentsOf: value)
    }

    /// A raw string, or nil: Go tells a nil slice from an empty one.
    package mutating func write(_ value: [UInt8]?) {
        if let value { write(value[...]) } else { writeNil() }
    }

    /// A raw string, or nil when empty: how Go writes a slice that was never filled.
    package mutating func writeNilIfEmpty(_ value: [UInt8]) { write(value.isEmpty ? nil : value) }

    package mutating func write(_ value: String) { write(value.utf8) }

    package mutating func write(_ value: MemberName) { write(value.bytes[...]) }

    /// The name of a structure's field: go-msgpack writes them in byte-wise alphabetical order.
    package mutating func writeKey(_ field: some WireField) { write(field.rawValue.utf8) }

    package mutating func writeMapHeader(_ count: Int) {
        switch count {
        case ..<16: bytes.append(0x80 | UInt8(count))
        case ...0xffff: append(0xde, UInt16(count))
        default: append(0xdf, UInt32(clamping: count))
        }
    }

    package mutating func writeArrayHeader(_ count: Int) {
        switch count {
        case ..<16: bytes.append(0x90 | UInt8(count))
        case ...0xffff: append(0xdc, UInt16(count))
        default: append(0xdd, UInt32(clamping: count))
        }
    }

    /// Bytes as they are: what follows a msgpack object in some messages.
    package mutating func append(raw value: some Collection<UInt8>) { bytes.append(contentsOf: value) }

    private mutating func writeRawHeader(_ count: Int) {
        switch count {
        case ..<32: bytes.append(0xa0 | UInt8(count))
        case ...0xffff: append(0xda, UInt16(count))
        default: append(0xdb, UInt32(clamping: count))
        }
    }

    private mutating func append(_ head: UInt8, _ value: some FixedWidthInteger & UnsignedInteger) {
        bytes.append(head)
        for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}

/// Writes the one form that weft's identity documents have: numbers in network order, and byte strings after their
/// length. Every value has exactly one form, so that what is signed can be made again.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func number<Number: FixedWidthInteger>(_ value: Number) {
        withUnsafeBytes(of: value.bigEndian) { bytes += $0 }
    }

    /// Exactly these bytes, without a length.
    mutating func raw(_ content: some Collection<UInt8>) { bytes += content }

    /// Four bytes of length, then the bytes.
    mutating func blob(_ content: [UInt8]) {
        number(UInt32(clamping: content.count))
        bytes += content
    }

    mutating func text(_ content: String) { blob(Array(content.utf8)) }

    /// A count, then as many elements.
    mutating func list<Elements: Collection>(
        _ elements: Elements,
        _ write: (inout WireWriter, Elements.Element) -> Void
    ) {
        number(UInt32(clamping: elements.count))
        for element in elements { write(&self, element) }
    }

    /// 0, or 1 and the value.
    mutating func optional<Value>(_ value: Value?, _ write: (inout WireWriter, Value) -> Void) {
        byte(value == nil ? 0 : 1)
        if let value { write(&self, value) }
    }
}

/// Why a document was refused: what was being read, at which byte.
struct WireError: Error, Equatable {
    let what: String
    let offset: Int
    /// Whether the document ended too early, rather than holding something wrong.
    let isTruncated: Bool
}

/// Reads what `WireWriter` writes: never beyond the end, and never more than the bound that the caller names.
struct WireReader {
    private let bytes: [UInt8]
    private(set) var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func byte(_ what: String) throws(WireError) -> UInt8 { try raw(1, what)[0] }

    mutating func number<Number: FixedWidthInteger>(_ what: String) throws(WireError) -> Number {
        try raw(Number.bitWidth / 8, what).reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    mutating func raw(_ count: Int, _ what: String) throws(WireError) -> [UInt8] {
        guard count <= bytes.count - offset else { throw WireError(what: what, offset: offset, isTruncated: true) }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    mutating func blob(_ what: String, maximum: Int) throws(WireError) -> [UInt8] {
        try raw(count(what, maximum: maximum), what)
    }

    mutating func text(_ what: String, maximum: Int) throws(WireError) -> String {
        let start = offset
        guard let text = String(validating: try blob(what, maximum: maximum), as: UTF8.self) else {
            throw WireError(what: what, offset: start, isTruncated: false)
        }
        return text
    }

    mutating func list<Element>(
        _ what: String,
        maximum: Int,
        _ read: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        var elements: [Element] = []
        for _ in 0..<(try count(what, maximum: maximum)) { elements.append(try read(&self)) }
        return elements
    }

    mutating func optional<Value>(
        _ what: String,
        _ read: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> Value? {
        switch try byte(what) {
        case 0: return nil
        case 1: return try read(&self)
        default: throw WireError(what: what, offset: offset - 1, isTruncated: false)
        }
    }

    /// A value that has to pass a check of its own, such as a name.
    mutating func made<Value>(
        _ what: String,
        _ make: (inout WireReader) throws(WireError) -> Value?
    ) throws(WireError) -> Value {
        let start = offset
        guard let value = try make(&self) else { throw WireError(what: what, offset: start, isTruncated: false) }
        return value
    }

    /// Nothing may follow.
    func end() throws(WireError) {
        guard offset == bytes.count else { throw WireError(what: "end", offset: offset, isTruncated: false) }
    }

    private mutating func count(_ what: String, maximum: Int) throws(WireError) -> Int {
        let start = offset
        let count: UInt32 = try number(what)
        guard count <= maximum else { throw WireError(what: what, offset: start, isTruncated: false) }
        return Int(count)
    }
}

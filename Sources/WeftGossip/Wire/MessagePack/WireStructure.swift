/// The fields of a structure: raw values are the names on the wire, and the cases are in the order of the declaration
/// in Go, which counts when a structure comes as an array.
package protocol WireField: RawRepresentable<String>, CaseIterable, Sendable where AllCases == [Self] {}

/// A message or record that is one msgpack map on the wire.
package protocol WireStructure: Equatable, Sendable {
    /// Reads one map (or array), unknown fields skipped. Throws when a field does not fit or a needed one is missing.
    init(from reader: inout MessagePackReader) throws(DecodeError)

    /// Writes the map with its keys in byte-wise order.
    func write(to writer: inout MessagePackWriter)
}

extension WireStructure {
    /// Decodes the object at the start of `bytes`; what follows it is ignored, as agents do.
    package init(decoding bytes: ArraySlice<UInt8>) throws(DecodeError) {
        var reader = MessagePackReader(bytes)
        try self.init(from: &reader)
    }

    /// The map, behind a type byte if one is given.
    package func encoded(type: UInt8? = nil) -> [UInt8] {
        var writer = MessagePackWriter(prefix: type)
        write(to: &writer)
        return writer.bytes
    }
}

extension MessagePackReader {
    /// Reads a structure that comes as a map or as an array, calling `read` at each known field's value. A nil has no
    /// fields: all of them keep their zero values. Of a key that comes twice the later wins.
    mutating func readStructure<Field: WireField>(
        _ fields: Field.Type,
        _ read: (Field, inout MessagePackReader) throws(DecodeError) -> Void
    ) throws(DecodeError) {
        switch try peek() {
        case 0x90...0x9f, 0xdc, 0xdd:
            let count = try readArrayHeader(atMost: .max)
            let fields = Field.allCases
            for index in 0..<count {
                if index < fields.count { try read(fields[index], &self) } else { try skip() }
            }
        default:
            let count = try readMapHeader(atMost: .max)
            for _ in 0..<count {
                let start = position
                guard let key = try readBytes(atMost: .max) else { throw .unexpected(byte: 0xc0, at: start) }
                if let field = Field(name: key) { try read(field, &self) } else { try skip() }
            }
        }
    }
}

extension WireField {
    /// The field called so, byte for byte (capitals count).
    fileprivate init?(name: ArraySlice<UInt8>) {
        guard let field = Self.allCases.first(where: { $0.rawValue.utf8.elementsEqual(name) }) else { return nil }
        self = field
    }
}

/// A filter on the wire is a byte string: `type:u8 | msgpack`.
extension QueryFilter {
    private enum TagField: String, WireField {
        case name = "Tag"
        case expression = "Expr"
    }

    /// Reads the array of filters of a query.
    static func read(from reader: inout MessagePackReader) throws(DecodeError) -> [QueryFilter] {
        var filters: [QueryFilter] = []
        for _ in 0..<(try reader.readArrayHeader(atMost: WireLimits.queryFilters)) {
            filters.append(QueryFilter(decoding: try reader.readBytes(atMost: WireLimits.datagramSize) ?? []))
        }
        return filters
    }

    /// Writes the array of filters of a query; none is nil, as in Go.
    static func write(_ filters: [QueryFilter], to writer: inout MessagePackWriter) {
        guard !filters.isEmpty else { return writer.writeNil() }
        writer.writeArrayHeader(filters.count)
        for filter in filters { writer.write(filter.encoded()[...]) }
    }

    /// Whatever cannot be decoded is `.unsupported`: the query is valid, passed on, and not for us.
    package init(decoding bytes: ArraySlice<UInt8>) {
        var reader = MessagePackReader(bytes.dropFirst())
        do throws(DecodeError) {
            switch bytes.first {
            case 0: self = .nodes(try Self.readNames(from: &reader))
            case 1: self = try Self.readTag(from: &reader)
            default: self = .unsupported(Array(bytes))
            }
        } catch {
            self = .unsupported(Array(bytes))
        }
    }

    /// The bytes of one filter.
    package func encoded() -> [UInt8] {
        switch self {
        case .nodes(let names):
            var writer = MessagePackWriter(prefix: 0)
            writer.writeArrayHeader(names.count)
            for name in names { writer.write(name) }
            return writer.bytes
        case .tag(let name, let expression):
            var writer = MessagePackWriter(prefix: 1)
            writer.writeMapHeader(2)
            writer.writeKey(TagField.expression)
            writer.write(expression)
            writer.writeKey(TagField.name)
            writer.write(name)
            return writer.bytes
        case .unsupported(let bytes): return bytes
        }
    }

    private static func readNames(from reader: inout MessagePackReader) throws(DecodeError) -> [MemberName] {
        var names: [MemberName] = []
        for _ in 0..<(try reader.readArrayHeader(atMost: WireLimits.filterNodes)) {
            names.append(try reader.readName())
        }
        return names
    }

    private static func readTag(from reader: inout MessagePackReader) throws(DecodeError) -> QueryFilter {
        var (name, expression) = ("", "")
        try reader.readStructure(TagField.self) { field, reader throws(DecodeError) in
            switch field {
            case .name: name = try reader.readText(atMost: WireLimits.datagramSize)
            case .expression: expression = try reader.readText(atMost: WireLimits.datagramSize)
            }
        }
        return .tag(name: name, expression: expression)
    }
}

extension CoordinatePayload: WireStructure {
    private enum Field: String, WireField {
        case vector = "Vec"
        case error = "Error"
        case adjustment = "Adjustment"
        case height = "Height"
    }

    /// The only version of the payload: its first byte.
    private static let version: UInt8 = 1

    /// Decodes the payload of an ack: `01 | msgpack`.
    package init(payload: [UInt8]) throws(DecodeError) {
        guard let version = payload.first else { throw .truncated(at: 0) }
        guard version == Self.version else { throw .unknownType(version) }
        try self.init(decoding: payload.dropFirst())
    }

    /// The payload of an ack.
    package var payload: [UInt8] { encoded(type: Self.version) }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        self.init(vector: [], error: 0, adjustment: 0, height: 0)
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .error: error = try reader.readDouble()
            case .adjustment: adjustment = try reader.readDouble()
            case .height: height = try reader.readDouble()
            case .vector:
                vector = []
                for _ in 0..<(try reader.readArrayHeader(atMost: WireLimits.coordinateDimensions)) {
                    vector.append(try reader.readDouble())
                }
            }
        }
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(4)
        writer.writeKey(Field.adjustment)
        writer.write(adjustment)
        writer.writeKey(Field.error)
        writer.write(error)
        writer.writeKey(Field.height)
        writer.write(height)
        writer.writeKey(Field.vector)
        writer.writeArrayHeader(vector.count)
        for component in vector { writer.write(component) }
    }
}

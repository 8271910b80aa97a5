extension Ping: WireStructure {
    private enum Field: String, WireField {
        case sequence = "SeqNo"
        case node = "Node"
        case sourceAddress = "SourceAddr"
        case sourcePort = "SourcePort"
        case sourceNode = "SourceNode"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        var sequence: UInt32 = 0
        var node = MemberName(bytes: [])
        var source = SourceFields()
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .sequence: sequence = try reader.readUInt32()
            case .node: node = try reader.readName()
            case .sourceAddress: source.address = try reader.readAddress()
            case .sourcePort: source.port = try reader.readUInt16()
            case .sourceNode: source.node = try reader.readName()
            }
        }
        self.init(sequence: SequenceNumber(sequence), node: node, source: source.value)
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(2 + (source?.fieldCount ?? 0))
        writer.writeKey(Field.node)
        writer.write(node)
        writer.writeKey(Field.sequence)
        writer.write(UInt64(sequence.value))
        source?.write(to: &writer, keys: (Field.sourceAddress, Field.sourceNode, Field.sourcePort))
    }
}

extension IndirectPing: WireStructure {
    private enum Field: String, WireField {
        case sequence = "SeqNo"
        case target = "Target"
        case port = "Port"
        case node = "Node"
        case wantsNack = "Nack"
        case sourceAddress = "SourceAddr"
        case sourcePort = "SourcePort"
        case sourceNode = "SourceNode"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        var (sequence, port, wantsNack) = (UInt32(0), UInt16(0), false)
        var node = MemberName(bytes: [])
        var target: MemberAddress?
        var source = SourceFields()
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .sequence: sequence = try reader.readUInt32()
            case .target: target = try reader.readAddress()
            case .port: port = try reader.readUInt16()
            case .node: node = try reader.readName()
            case .wantsNack: wantsNack = try reader.readBool()
            case .sourceAddress: source.address = try reader.readAddress()
            case .sourcePort: source.port = try reader.readUInt16()
            case .sourceNode: source.node = try reader.readName()
            }
        }
        guard let target else { throw .outOfRange(at: reader.position) }
        self.init(
            sequence: SequenceNumber(sequence),
            target: target.withPort(port),
            node: node,
            wantsNack: wantsNack,
            source: source.value
        )
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(5 + (source?.fieldCount ?? 0))
        writer.writeKey(Field.wantsNack)
        writer.write(wantsNack)
        writer.writeKey(Field.node)
        writer.write(node)
        writer.writeKey(Field.port)
        writer.write(UInt64(target.port))
        writer.writeKey(Field.sequence)
        writer.write(UInt64(sequence.value))
        source?.write(to: &writer, keys: (Field.sourceAddress, Field.sourceNode, Field.sourcePort))
        writer.writeKey(Field.target)
        writer.write(target.bytes[...])
    }
}

extension Ack: WireStructure {
    private enum Field: String, WireField {
        case sequence = "SeqNo"
        case payload = "Payload"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        var sequence: UInt32 = 0
        var payload: [UInt8]?
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .sequence: sequence = try reader.readUInt32()
            case .payload: payload = try reader.readBytes(atMost: WireLimits.datagramSize).map(Array.init)
            }
        }
        self.init(sequence: SequenceNumber(sequence), payload: payload)
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(2)
        writer.writeKey(Field.payload)
        writer.write(payload)
        writer.writeKey(Field.sequence)
        writer.write(UInt64(sequence.value))
    }
}

extension Nack: WireStructure {
    private enum Field: String, WireField {
        case sequence = "SeqNo"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        var sequence: UInt32 = 0
        try reader.readStructure(Field.self) { _, reader throws(DecodeError) in sequence = try reader.readUInt32() }
        self.init(sequence: SequenceNumber(sequence))
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(1)
        writer.writeKey(Field.sequence)
        writer.write(UInt64(sequence.value))
    }
}

/// The three optional fields that say who asks, as they arrive one by one.
private struct SourceFields {
    var address: MemberAddress?
    var port: UInt16 = 0
    var node = MemberName(bytes: [])

    /// Nil unless address and port are both there: only then agents answer to them rather than to the datagram's
    /// source.
    var value: ProbeSource? {
        guard let address, port != 0 else { return nil }
        return ProbeSource(address: address.withPort(port), node: node)
    }
}

extension ProbeSource {
    /// How many of the three fields are written: those that are not zero, as `omitempty` in Go does.
    fileprivate var fieldCount: Int { 1 + (node.isEmpty ? 0 : 1) + (address.port == 0 ? 0 : 1) }

    fileprivate func write<Field: WireField>(
        to writer: inout MessagePackWriter,
        keys: (address: Field, node: Field, port: Field)
    ) {
        writer.writeKey(keys.address)
        writer.write(address.bytes[...])
        if !node.isEmpty {
            writer.writeKey(keys.node)
            writer.write(node)
        }
        if address.port != 0 {
            writer.writeKey(keys.port)
            writer.write(UInt64(address.port))
        }
    }
}

extension MessagePackReader {
    /// An address without its port (0). Nil for nil and for no bytes; other lengths than 4 and 16 throw.
    mutating func readAddress() throws(DecodeError) -> MemberAddress? {
        let start = position
        guard let bytes = try readBytes(atMost: 16), !bytes.isEmpty else { return nil }
        guard let address = MemberAddress(bytes: bytes, port: 0) else { throw .outOfRange(at: start) }
        return address
    }
}

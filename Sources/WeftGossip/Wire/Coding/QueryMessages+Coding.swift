extension QueryMessage: WireStructure {
    private enum Field: String, WireField {
        case time = "LTime"
        case id = "ID"
        case address = "Addr"
        case port = "Port"
        case sourceNode = "SourceNode"
        case filters = "Filters"
        case flags = "Flags"
        case relayFactor = "RelayFactor"
        case timeout = "Timeout"
        case name = "Name"
        case payload = "Payload"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        guard let placeholder = MemberAddress(bytes: [0, 0, 0, 0], port: 0) else { throw .outOfRange(at: 0) }
        self.init(
            time: 0,
            id: 0,
            source: placeholder,
            sourceNode: MemberName(bytes: []),
            timeoutNanoseconds: 0,
            name: "",
            payload: nil
        )
        var (address, port): (MemberAddress?, UInt16) = (nil, 0)
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .time: time = try reader.readLamportTime()
            case .id: id = QueryID(try reader.readUInt32())
            case .address: address = try reader.readAddress()
            case .port: port = try reader.readUInt16()
            case .sourceNode: sourceNode = try reader.readName()
            case .filters: filters = try QueryFilter.read(from: &reader)
            case .flags: flags = Flags(rawValue: try reader.readUInt32())
            case .relayFactor: relayFactor = try reader.readUInt8()
            case .timeout: timeoutNanoseconds = try reader.readInt64()
            case .name: name = try reader.readText(atMost: WireLimits.datagramSize)
            case .payload: payload = try reader.readBytes(atMost: WireLimits.datagramSize).map(Array.init)
            }
        }
        guard let address else { throw .outOfRange(at: reader.position) }
        source = address.withPort(port)
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(11)
        writer.writeKey(Field.address)
        writer.write(source.bytes[...])
        writer.writeKey(Field.filters)
        QueryFilter.write(filters, to: &writer)
        writer.writeKey(Field.flags)
        writer.write(UInt64(flags.rawValue))
        writer.writeKey(Field.id)
        writer.write(UInt64(id.value))
        writer.writeKey(Field.time)
        writer.write(time.value)
        writer.writeKey(Field.name)
        writer.write(name)
        writer.writeKey(Field.payload)
        writer.write(payload)
        writer.writeKey(Field.port)
        writer.write(UInt64(source.port))
        writer.writeKey(Field.relayFactor)
        writer.write(UInt64(relayFactor))
        writer.writeKey(Field.sourceNode)
        writer.write(sourceNode)
        writer.writeKey(Field.timeout)
        writer.write(timeoutNanoseconds)
    }
}

extension QueryResponseMessage: WireStructure {
    private enum Field: String, WireField {
        case time = "LTime"
        case id = "ID"
        case from = "From"
        case flags = "Flags"
        case payload = "Payload"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        self.init(time: 0, id: 0, from: MemberName(bytes: []), flags: 0, payload: nil)
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .time: time = try reader.readLamportTime()
            case .id: id = QueryID(try reader.readUInt32())
            case .from: from = try reader.readName()
            case .flags: flags = try reader.readUInt32()
            case .payload: payload = try reader.readBytes(atMost: WireLimits.datagramSize).map(Array.init)
            }
        }
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(5)
        writer.writeKey(Field.flags)
        writer.write(UInt64(flags))
        writer.writeKey(Field.from)
        writer.write(from)
        writer.writeKey(Field.id)
        writer.write(UInt64(id.value))
        writer.writeKey(Field.time)
        writer.write(time.value)
        writer.writeKey(Field.payload)
        writer.write(payload)
    }
}

extension RelayMessage {
    private enum Field: String, WireField {
        case address = "DestAddr"
        case name = "DestName"
    }

    /// Go's `net.UDPAddr`.
    private enum AddressField: String, WireField {
        case ip = "IP"
        case port = "Port"
        case zone = "Zone"
    }

    /// Decodes the header; everything behind it is the inner message, which has at least its type byte. A zone means a
    /// scoped IPv6 address, which means nothing on another host: it is not kept.
    package init(decoding bytes: ArraySlice<UInt8>) throws(DecodeError) {
        var reader = MessagePackReader(bytes)
        var (address, port): (MemberAddress?, UInt16) = (nil, 0)
        var name = MemberName(bytes: [])
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .name: name = try reader.readName()
            case .address:
                try reader.readStructure(AddressField.self) { field, reader throws(DecodeError) in
                    switch field {
                    case .ip: address = try reader.readAddress()
                    case .port: port = try reader.readUInt16()
                    case .zone: try reader.skip()
                    }
                }
            }
        }
        guard let address else { throw .outOfRange(at: reader.position) }
        guard !reader.rest.isEmpty else { throw .truncated(at: reader.position) }
        self.init(destination: address.withPort(port), destinationName: name, inner: Array(reader.rest))
    }

    /// The complete Serf message from its type byte on.
    package func encoded() -> [UInt8] {
        var writer = MessagePackWriter(prefix: SerfType.relay.rawValue)
        writer.writeMapHeader(2)
        writer.writeKey(Field.address)
        writer.writeMapHeader(3)
        writer.writeKey(AddressField.ip)
        writer.write(destination.bytes[...])
        writer.writeKey(AddressField.port)
        writer.write(UInt64(destination.port))
        writer.writeKey(AddressField.zone)
        writer.write("")
        writer.writeKey(Field.name)
        writer.write(destinationName)
        writer.append(raw: inner)
        return writer.bytes
    }
}

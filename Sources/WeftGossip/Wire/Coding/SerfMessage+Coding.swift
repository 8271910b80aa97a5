extension SerfMessage {
    /// Decodes a Serf message from its type byte on. Bytes behind it are ignored. The types that are only payloads
    /// (push/pull state, conflict and key answers) are unknown here, as they are to agents.
    package init(decoding bytes: ArraySlice<UInt8>) throws(DecodeError) {
        guard let type = bytes.first else { throw .truncated(at: bytes.endIndex) }
        let body = bytes.dropFirst()
        switch SerfType(rawValue: type) {
        case .join: self = .join(try JoinIntent(decoding: body))
        case .leave: self = .leave(try LeaveIntent(decoding: body))
        case .userEvent: self = .userEvent(try UserEventMessage(decoding: body))
        case .query: self = .query(try QueryMessage(decoding: body))
        case .queryResponse: self = .queryResponse(try QueryResponseMessage(decoding: body))
        case .relay: self = .relay(try RelayMessage(decoding: body))
        case .direct: self = .direct(Array(body))
        case .pushPull, .conflictResponse, .keyRequest, .keyResponse, nil: throw .unknownType(type)
        }
    }

    /// The complete Serf message from its type byte on.
    package func encoded() -> [UInt8] {
        switch self {
        case .join(let intent): intent.encoded(type: SerfType.join.rawValue)
        case .leave(let intent): intent.encoded(type: SerfType.leave.rawValue)
        case .userEvent(let event): event.encoded(type: SerfType.userEvent.rawValue)
        case .query(let query): query.encoded(type: SerfType.query.rawValue)
        case .queryResponse(let response): response.encoded(type: SerfType.queryResponse.rawValue)
        case .relay(let relay): relay.encoded()
        case .direct(let bytes): [SerfType.direct.rawValue] + bytes
        }
    }
}

extension JoinIntent: WireStructure {
    private enum Field: String, WireField {
        case time = "LTime"
        case node = "Node"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        self.init(time: 0, node: MemberName(bytes: []))
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .time: time = try reader.readLamportTime()
            case .node: node = try reader.readName()
            }
        }
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(2)
        writer.writeKey(Field.time)
        writer.write(time.value)
        writer.writeKey(Field.node)
        writer.write(node)
    }
}

extension LeaveIntent: WireStructure {
    private enum Field: String, WireField {
        case time = "LTime"
        case node = "Node"
        case prune = "Prune"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        self.init(time: 0, node: MemberName(bytes: []), prune: false)
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .time: time = try reader.readLamportTime()
            case .node: node = try reader.readName()
            case .prune: prune = try reader.readBool()
            }
        }
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(3)
        writer.writeKey(Field.time)
        writer.write(time.value)
        writer.writeKey(Field.node)
        writer.write(node)
        writer.writeKey(Field.prune)
        writer.write(prune)
    }
}

extension UserEventMessage: WireStructure {
    private enum Field: String, WireField {
        case time = "LTime"
        case name = "Name"
        case payload = "Payload"
        case coalesce = "CC"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        self.init(time: 0, name: "", payload: [], coalesce: false)
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .time: time = try reader.readLamportTime()
            case .name: name = try reader.readText(atMost: WireLimits.datagramSize)
            case .payload: payload = Array(try reader.readBytes(atMost: WireLimits.datagramSize) ?? [])
            case .coalesce: coalesce = try reader.readBool()
            }
        }
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(4)
        writer.writeKey(Field.coalesce)
        writer.write(coalesce)
        writer.writeKey(Field.time)
        writer.write(time.value)
        writer.writeKey(Field.name)
        writer.write(name)
        writer.writeKey(Field.payload)
        writer.writeNilIfEmpty(payload)
    }
}

extension MessagePackReader {
    mutating func readLamportTime() throws(DecodeError) -> LamportTime { LamportTime(try readUInt64()) }
}

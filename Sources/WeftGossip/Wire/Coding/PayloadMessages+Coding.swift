extension ConflictResponse: WireStructure {
    private enum Field: String, WireField {
        case name = "Name"
        case address = "Addr"
        case port = "Port"
        case tags = "Tags"
        case status = "Status"
        case protocolMin = "ProtocolMin"
        case protocolMax = "ProtocolMax"
        case protocolCurrent = "ProtocolCur"
        case delegateMin = "DelegateMin"
        case delegateMax = "DelegateMax"
        case delegateCurrent = "DelegateCur"
    }

    /// Decodes the payload of an answer, from its type byte on. Nil when the answering member does not know the name.
    package static func decode(payload: [UInt8]) throws(DecodeError) -> ConflictResponse? {
        var reader = MessagePackReader(try payload.body(of: .conflictResponse))
        guard !reader.readNil() else { return nil }
        return try ConflictResponse(from: &reader)
    }

    /// The payload of an answer: what we know about the name, or that we do not know it.
    package static func payload(_ response: ConflictResponse?) -> [UInt8] {
        response?.encoded(type: SerfType.conflictResponse.rawValue) ?? [SerfType.conflictResponse.rawValue, 0xc0]
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        var (name, address, port) = (MemberName(bytes: []), MemberAddress?.none, UInt16(0))
        var (tags, status) = (Tags(), UInt8(0))
        var versions = ProtocolVersions(
            protocolMin: 0,
            protocolMax: 0,
            protocolCurrent: 0,
            delegateMin: 0,
            delegateMax: 0,
            delegateCurrent: 0
        )
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .name: name = try reader.readName()
            case .address: address = try reader.readAddress()
            case .port: port = try reader.readUInt16()
            case .tags: tags = try Tags(from: &reader)
            case .status: status = try reader.readUInt8()
            case .protocolMin: versions.protocolMin = try reader.readUInt8()
            case .protocolMax: versions.protocolMax = try reader.readUInt8()
            case .protocolCurrent: versions.protocolCurrent = try reader.readUInt8()
            case .delegateMin: versions.delegateMin = try reader.readUInt8()
            case .delegateMax: versions.delegateMax = try reader.readUInt8()
            case .delegateCurrent: versions.delegateCurrent = try reader.readUInt8()
            }
        }
        guard let address else { throw .outOfRange(at: reader.position) }
        self.init(name: name, address: address.withPort(port), tags: tags, status: status, versions: versions)
    }

    package func write(to writer: inout MessagePackWriter) {
        func field(_ key: Field, _ value: UInt64) {
            writer.writeKey(key)
            writer.write(value)
        }
        writer.writeMapHeader(11)
        writer.writeKey(Field.address)
        writer.write(address.bytes[...])
        field(.delegateCurrent, UInt64(versions.delegateCurrent))
        field(.delegateMax, UInt64(versions.delegateMax))
        field(.delegateMin, UInt64(versions.delegateMin))
        writer.writeKey(Field.name)
        writer.write(name)
        field(.port, UInt64(address.port))
        field(.protocolCurrent, UInt64(versions.protocolCurrent))
        field(.protocolMax, UInt64(versions.protocolMax))
        field(.protocolMin, UInt64(versions.protocolMin))
        field(.status, UInt64(status))
        writer.writeKey(Field.tags)
        tags.write(to: &writer)
    }
}

extension KeyRequest: WireStructure {
    private enum Field: String, WireField {
        case key = "Key"
    }

    /// Decodes the payload of a key query, from its type byte on.
    package init(payload: [UInt8]) throws(DecodeError) {
        try self.init(decoding: try payload.body(of: .keyRequest))
    }

    /// The payload of a key query.
    package var payload: [UInt8] { encoded(type: SerfType.keyRequest.rawValue) }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        self.init(key: [])
        try reader.readStructure(Field.self) { _, reader throws(DecodeError) in
            key = Array(try reader.readBytes(atMost: WireLimits.datagramSize) ?? [])
        }
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(1)
        writer.writeKey(Field.key)
        writer.write(key[...])
    }
}

extension KeyResponse: WireStructure {
    private enum Field: String, WireField {
        case succeeded = "Result"
        case message = "Message"
        case keys = "Keys"
        case primaryKey = "PrimaryKey"
    }

    /// Decodes the payload of an answer, from its type byte on.
    package init(payload: [UInt8]) throws(DecodeError) {
        try self.init(decoding: try payload.body(of: .keyResponse))
    }

    /// The payload of an answer.
    package var payload: [UInt8] { encoded(type: SerfType.keyResponse.rawValue) }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        self.init(succeeded: false)
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .succeeded: succeeded = try reader.readBool()
            case .message: message = try reader.readText(atMost: WireLimits.datagramSize)
            case .primaryKey: primaryKey = try reader.readText(atMost: WireLimits.datagramSize)
            case .keys:
                keys = []
                for _ in 0..<(try reader.readArrayHeader(atMost: WireLimits.responseKeys)) {
                    keys.append(try reader.readText(atMost: WireLimits.datagramSize))
                }
            }
        }
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(4)
        writer.writeKey(Field.keys)
        if keys.isEmpty { writer.writeNil() } else { writer.writeArrayHeader(keys.count) }
        for key in keys { writer.write(key) }
        writer.writeKey(Field.message)
        writer.write(message)
        writer.writeKey(Field.primaryKey)
        writer.write(primaryKey)
        writer.writeKey(Field.succeeded)
        writer.write(succeeded)
    }
}

extension [UInt8] {
    /// What follows the type byte, which has to be this one.
    fileprivate func body(of type: SerfType) throws(DecodeError) -> ArraySlice<UInt8> {
        guard let first else { throw .truncated(at: 0) }
        guard first == type.rawValue else { throw .unknownType(first) }
        return dropFirst()
    }
}

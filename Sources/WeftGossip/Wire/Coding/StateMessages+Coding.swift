extension Suspect: WireStructure {
    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        let claim = try ClaimFields(from: &reader)
        self.init(incarnation: claim.incarnation, node: claim.node, from: claim.from)
    }

    package func write(to writer: inout MessagePackWriter) {
        ClaimFields(incarnation: incarnation, node: node, from: from).write(to: &writer)
    }
}

extension Dead: WireStructure {
    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        let claim = try ClaimFields(from: &reader)
        self.init(incarnation: claim.incarnation, node: claim.node, from: claim.from)
    }

    package func write(to writer: inout MessagePackWriter) {
        ClaimFields(incarnation: incarnation, node: node, from: from).write(to: &writer)
    }
}

extension Alive: WireStructure {
    private enum Field: String, WireField {
        case incarnation = "Incarnation"
        case node = "Node"
        case address = "Addr"
        case port = "Port"
        case meta = "Meta"
        case versions = "Vsn"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        var record = MemberFields()
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .incarnation: record.incarnation = try reader.readIncarnation()
            case .node: record.name = try reader.readName()
            case .address: record.address = try reader.readAddress()
            case .port: record.port = try reader.readUInt16()
            case .meta: record.meta = try reader.readMeta()
            case .versions: record.versions = try reader.readVersions()
            }
        }
        guard let address = record.address, !record.name.isEmpty else { throw .outOfRange(at: reader.position) }
        self.init(
            incarnation: record.incarnation,
            node: record.name,
            address: address.withPort(record.port),
            meta: record.meta,
            versions: record.versions
        )
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(6)
        writer.writeKey(Field.address)
        writer.write(address.bytes[...])
        writer.writeKey(Field.incarnation)
        writer.write(UInt64(incarnation.value))
        writer.writeKey(Field.meta)
        writer.writeNilIfEmpty(meta)
        writer.writeKey(Field.node)
        writer.write(node)
        writer.writeKey(Field.port)
        writer.write(UInt64(address.port))
        writer.writeKey(Field.versions)
        writer.write(versions?.bytes)
    }
}

extension PushNodeState: WireStructure {
    private enum Field: String, WireField {
        case name = "Name"
        case address = "Addr"
        case port = "Port"
        case meta = "Meta"
        case incarnation = "Incarnation"
        case state = "State"
        case versions = "Vsn"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        var record = MemberFields()
        var state: UInt64 = 0
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .name: record.name = try reader.readName()
            case .address: record.address = try reader.readAddress()
            case .port: record.port = try reader.readUInt16()
            case .meta: record.meta = try reader.readMeta()
            case .incarnation: record.incarnation = try reader.readIncarnation()
            case .state: state = try reader.readUInt64(atMost: 0xff)
            case .versions: record.versions = try reader.readVersions()
            }
        }
        guard let address = record.address, !record.name.isEmpty, let state = State(rawValue: UInt8(state)) else {
            throw .outOfRange(at: reader.position)
        }
        self.init(
            name: record.name,
            address: address.withPort(record.port),
            meta: record.meta,
            incarnation: record.incarnation,
            state: state,
            versions: record.versions
        )
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(7)
        writer.writeKey(Field.address)
        writer.write(address.bytes[...])
        writer.writeKey(Field.incarnation)
        writer.write(UInt64(incarnation.value))
        writer.writeKey(Field.meta)
        writer.writeNilIfEmpty(meta)
        writer.writeKey(Field.name)
        writer.write(name)
        writer.writeKey(Field.port)
        writer.write(UInt64(address.port))
        writer.writeKey(Field.state)
        writer.write(UInt64(state.rawValue))
        writer.writeKey(Field.versions)
        writer.write(versions?.bytes)
    }
}

/// The fields that suspect and dead messages share.
private struct ClaimFields {
    private enum Field: String, WireField {
        case incarnation = "Incarnation"
        case node = "Node"
        case from = "From"
    }

    var incarnation: Incarnation = 0
    var node = MemberName(bytes: [])
    var from = MemberName(bytes: [])

    init(incarnation: Incarnation, node: MemberName, from: MemberName) {
        (self.incarnation, self.node, self.from) = (incarnation, node, from)
    }

    init(from reader: inout MessagePackReader) throws(DecodeError) {
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .incarnation: incarnation = try reader.readIncarnation()
            case .node: node = try reader.readName()
            case .from: from = try reader.readName()
            }
        }
    }

    func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(3)
        writer.writeKey(Field.from)
        writer.write(from)
        writer.writeKey(Field.incarnation)
        writer.write(UInt64(incarnation.value))
        writer.writeKey(Field.node)
        writer.write(node)
    }
}

/// What an alive message and a push/pull record say about a member, as the fields arrive one by one.
private struct MemberFields {
    var name = MemberName(bytes: [])
    var address: MemberAddress?
    var port: UInt16 = 0
    var meta: [UInt8] = []
    var incarnation: Incarnation = 0
    var versions: ProtocolVersions?
}

extension MessagePackReader {
    fileprivate mutating func readIncarnation() throws(DecodeError) -> Incarnation { Incarnation(try readUInt32()) }

    fileprivate mutating func readMeta() throws(DecodeError) -> [UInt8] {
        Array(try readBytes(atMost: WireLimits.metaSize) ?? [])
    }

    /// Nil for nil and for no bytes; 1 to 5 bytes throw (they crash old agents).
    fileprivate mutating func readVersions() throws(DecodeError) -> ProtocolVersions? {
        let start = position
        guard let bytes = try readBytes(atMost: WireLimits.metaSize), !bytes.isEmpty else { return nil }
        guard let versions = ProtocolVersions(bytes: bytes) else { throw .outOfRange(at: start) }
        return versions
    }
}

extension PushPullHeader: WireStructure {
    private enum Field: String, WireField {
        case nodes = "Nodes"
        case userStateLength = "UserStateLen"
        case join = "Join"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        self.init(nodes: 0, userStateLength: 0, join: false)
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .nodes: nodes = try reader.readCount(atMost: WireLimits.pushPullNodes)
            case .userStateLength: userStateLength = try reader.readCount(atMost: WireLimits.userStateSize)
            case .join: join = try reader.readBool()
            }
        }
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(3)
        writer.writeKey(Field.join)
        writer.write(join)
        writer.writeKey(Field.nodes)
        writer.write(Int64(nodes))
        writer.writeKey(Field.userStateLength)
        writer.write(Int64(userStateLength))
    }
}

extension StreamError: WireStructure {
    private enum Field: String, WireField {
        case text = "Error"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        self.init(text: "")
        try reader.readStructure(Field.self) { _, reader throws(DecodeError) in
            let bytes = try reader.readBytes(atMost: WireLimits.streamObjectSize) ?? []
            text = String(decoding: bytes.prefix(WireLimits.errorTextLength), as: UTF8.self)
        }
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(1)
        writer.writeKey(Field.text)
        writer.write(text)
    }
}

/// First object of a user message on a stream.
struct UserMessageHeader: WireStructure {
    private enum Field: String, WireField {
        case length = "UserMsgLen"
    }

    var length: Int

    init(length: Int) { self.length = length }

    init(from reader: inout MessagePackReader) throws(DecodeError) {
        length = 0
        try reader.readStructure(Field.self) { _, reader throws(DecodeError) in
            length = try reader.readCount(atMost: WireLimits.streamUserMessageSize)
        }
    }

    func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(1)
        writer.writeKey(Field.length)
        writer.write(Int64(length))
    }
}

extension StreamMessage {
    /// The complete message from its type byte on, without any wrapper.
    package func encoded() -> [UInt8] {
        switch self {
        case .ping(let ping): return ping.encoded(type: MemberlistType.ping.rawValue)
        case .ack(let ack): return ack.encoded(type: MemberlistType.ack.rawValue)
        case .error(let error): return error.encoded(type: MemberlistType.error.rawValue)
        case .pushPull(let pushPull): return pushPull.encoded()
        case .user(let message):
            return UserMessageHeader(length: message.raw.count).encoded(type: MemberlistType.user.rawValue)
                + message.raw
        }
    }
}

extension PushPull {
    /// Header, records and user state behind the type byte.
    fileprivate func encoded() -> [UInt8] {
        // A record takes 74 bytes and its meta (specification 12).
        var writer = MessagePackWriter(
            prefix: MemberlistType.pushPull.rawValue,
            capacity: 64 + nodes.count * 160 + userState.count
        )
        PushPullHeader(nodes: nodes.count, userStateLength: userState.count, join: join).write(to: &writer)
        for node in nodes { node.write(to: &writer) }
        writer.append(raw: userState)
        return writer.bytes
    }
}

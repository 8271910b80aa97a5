extension MemberlistMessage {
    /// Decodes a message behind its type byte. The wrappers (compound, compress and so on) are not messages and are
    /// unknown types here, as are the types that only streams carry.
    package init(type: UInt8, body: ArraySlice<UInt8>) throws(DecodeError) {
        switch MemberlistType(rawValue: type) {
        case .ping: self = .ping(try Ping(decoding: body))
        case .indirectPing: self = .indirectPing(try IndirectPing(decoding: body))
        case .ack: self = .ack(try Ack(decoding: body))
        case .nack: self = .nack(try Nack(decoding: body))
        case .suspect: self = .suspect(try Suspect(decoding: body))
        case .alive: self = .alive(try Alive(decoding: body))
        case .dead: self = .dead(try Dead(decoding: body))
        case .user: self = .user(try UserMessage(decoding: body))
        case .pushPull, .compound, .compress, .encrypt, .checksum, .error, .label, nil: throw .unknownType(type)
        }
    }

    /// The complete message from its type byte on, as one part of a datagram.
    package func encoded() -> [UInt8] {
        switch self {
        case .ping(let ping): ping.encoded(type: MemberlistType.ping.rawValue)
        case .indirectPing(let ping): ping.encoded(type: MemberlistType.indirectPing.rawValue)
        case .ack(let ack): ack.encoded(type: MemberlistType.ack.rawValue)
        case .nack(let nack): nack.encoded(type: MemberlistType.nack.rawValue)
        case .suspect(let suspect): suspect.encoded(type: MemberlistType.suspect.rawValue)
        case .alive(let alive): alive.encoded(type: MemberlistType.alive.rawValue)
        case .dead(let dead): dead.encoded(type: MemberlistType.dead.rawValue)
        case .user(let message): [MemberlistType.user.rawValue] + message.raw
        }
    }
}

extension UserMessage {
    /// Decodes a Serf message from its type byte on, and keeps the bytes.
    package init(decoding bytes: ArraySlice<UInt8>) throws(DecodeError) {
        self.init(raw: Array(bytes), content: try SerfMessage(decoding: bytes))
    }

    /// A message of our own.
    package init(_ content: SerfMessage) { self.init(raw: content.encoded(), content: content) }
}

/// What members of the memberlist model say to each other. Members are numbers; lengths are those that the real messages
/// have on the wire (serf-protocol.md section 3, worked out by hand), with names of `nameLength` bytes.
package enum ModelMessage: Sendable {
    case ping(sequence: UInt32)
    case indirectPing(sequence: UInt32, target: Int32)
    case ack(sequence: UInt32)
    case nack(sequence: UInt32)
    case alive(Int32, incarnation: UInt32, tags: UInt32)
    case suspect(Int32, incarnation: UInt32, from: Int32)
    case dead(Int32, incarnation: UInt32, from: Int32)
    case event(Int32)
    /// Everything that a member knows, in one stream message.
    case state([ModelRecord], isReply: Bool)

    /// Bytes of a member's name.
    static let nameLength = 5
    /// Bytes of the encoded tags.
    static let metaLength = 14
    /// Bytes of a user event's name and payload.
    static let eventLength = 11
    /// A state record on the wire, with what Serf adds for it.
    static let recordLength = 71 + metaLength

    var byteCount: Int {
        switch self {
        case .ping: 59 + 2 * Self.nameLength
        case .indirectPing: 86 + 2 * Self.nameLength
        case .ack: 152
        case .nack: 11
        case .alive: 57 + Self.metaLength + Self.nameLength
        case .suspect, .dead: 27 + 2 * Self.nameLength
        case .event: 28 + Self.eventLength
        case .state(let records, _): 100 + Self.recordLength * records.count
        }
    }

    /// Whom the message is news about; it replaces older news about the same member.
    var subject: Int32? {
        switch self {
        case .alive(let node, _, _), .suspect(let node, _, _), .dead(let node, _, _): node
        case .ping, .indirectPing, .ack, .nack, .event, .state: nil
        }
    }
}

/// What a member of the model knows of another.
package struct ModelRecord: Sendable {
    var incarnation: UInt32
    var tags: UInt32
    var state: State

    enum State: UInt8, Sendable { case alive, suspect, dead }
}

/// Messages in one datagram or on one stream.
package struct ModelPacket: SimulatedPacket, Sendable {
    let messages: [ModelMessage]
    package let byteCount: Int

    /// One message goes bare, several in a compound; gossip has a checksum around it.
    init(_ messages: [ModelMessage], hasChecksum: Bool = false) {
        self.messages = messages
        let compound = messages.count > 1 ? 2 + 2 * messages.count : 0
        byteCount = messages.reduce(compound + (hasChecksum ? 5 : 0)) { $0 + $1.byteCount }
    }
}

/// What a member of the model tells the observer.
package enum ModelReport: Sendable {
    case event(Int)
    case tags(of: Int, UInt32)
    case failed(Int, incarnation: UInt32)
    case alive(Int)
}

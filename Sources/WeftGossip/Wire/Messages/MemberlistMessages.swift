/// First byte of every memberlist message (specification 1.1).
package enum MemberlistType: UInt8, Sendable, CaseIterable {
    case ping = 0
    case indirectPing = 1
    case ack = 2
    case suspect = 3
    case alive = 4
    case dead = 5
    case pushPull = 6
    case compound = 7
    case user = 8
    case compress = 9
    case encrypt = 10
    case nack = 11
    case checksum = 12
    case error = 13
    case label = 244
}

/// One message out of a datagram, all wrappers taken off.
package enum MemberlistMessage: Equatable, Sendable {
    case ping(Ping)
    case indirectPing(IndirectPing)
    case ack(Ack)
    case nack(Nack)
    case suspect(Suspect)
    case alive(Alive)
    case dead(Dead)
    case user(UserMessage)
}

/// Who asks, and where to send the answer. Old versions leave it out: then the answer goes to the datagram's source.
package struct ProbeSource: Equatable, Sendable {
    package var address: MemberAddress
    package var node: MemberName

    package init(address: MemberAddress, node: MemberName) {
        self.address = address
        self.node = node
    }
}

/// Type 0: are you there? On UDP and, as a fallback probe, on TCP.
package struct Ping: Equatable, Sendable {
    package var sequence: SequenceNumber
    /// The intended target; a receiver with another name ignores the ping. Empty: whoever gets it.
    package var node: MemberName
    package var source: ProbeSource?

    package init(sequence: SequenceNumber, node: MemberName, source: ProbeSource?) {
        self.sequence = sequence
        self.node = node
        self.source = source
    }
}

/// Type 1: please ping `node` at `target` and pass its ack on to me.
package struct IndirectPing: Equatable, Sendable {
    /// The requester's number, which the relayed ack or nack carries.
    package var sequence: SequenceNumber
    package var target: MemberAddress
    package var node: MemberName
    /// Whether a nack is wanted when the target does not answer.
    package var wantsNack: Bool
    package var source: ProbeSource?

    package init(
        sequence: SequenceNumber,
        target: MemberAddress,
        node: MemberName,
        wantsNack: Bool,
        source: ProbeSource?
    ) {
        self.sequence = sequence
        self.target = target
        self.node = node
        self.wantsNack = wantsNack
        self.source = source
    }
}

/// Type 2: the answer to a ping.
package struct Ack: Equatable, Sendable {
    package var sequence: SequenceNumber
    /// A Serf coordinate (`CoordinatePayload`) in acks to direct UDP pings; nil in relayed acks and on TCP.
    package var payload: [UInt8]?

    package init(sequence: SequenceNumber, payload: [UInt8]?) {
        self.sequence = sequence
        self.payload = payload
    }
}

/// Type 11: the target of an indirect ping did not answer.
package struct Nack: Equatable, Sendable {
    package var sequence: SequenceNumber

    package init(sequence: SequenceNumber) { self.sequence = sequence }
}

/// Type 3: `from` suspects `node` of having failed.
package struct Suspect: Equatable, Sendable {
    package var incarnation: Incarnation
    package var node: MemberName
    package var from: MemberName

    package init(incarnation: Incarnation, node: MemberName, from: MemberName) {
        self.incarnation = incarnation
        self.node = node
        self.from = from
    }
}

/// Type 4: a member announces itself.
package struct Alive: Equatable, Sendable {
    package var incarnation: Incarnation
    package var node: MemberName
    /// Port 0 means "the port that the receiver listens on itself".
    package var address: MemberAddress
    /// The encoded tags (`Tags`), at most `WireLimits.metaSize` bytes. Empty and absent are the same.
    package var meta: [UInt8]
    /// Nil when the sender left them out.
    package var versions: ProtocolVersions?

    package init(
        incarnation: Incarnation,
        node: MemberName,
        address: MemberAddress,
        meta: [UInt8],
        versions: ProtocolVersions?
    ) {
        self.incarnation = incarnation
        self.node = node
        self.address = address
        self.meta = meta
        self.versions = versions
    }
}

/// Type 5: `from` declares `node` dead; about itself it means "left on purpose".
package struct Dead: Equatable, Sendable {
    package var incarnation: Incarnation
    package var node: MemberName
    package var from: MemberName

    package init(incarnation: Incarnation, node: MemberName, from: MemberName) {
        self.incarnation = incarnation
        self.node = node
        self.from = from
    }

    /// The member left; it did not fail.
    package var isLeave: Bool { from == node }
}

/// Type 8: a Serf message, with the bytes it came in, because Serf messages are passed on byte for byte.
package struct UserMessage: Equatable, Sendable {
    /// The complete Serf message from its type byte on, trailing bytes included; without memberlist's own type byte 8.
    package var raw: [UInt8]
    package var content: SerfMessage

    /// For a message that was received; `raw` is what `content` was decoded from.
    package init(raw: [UInt8], content: SerfMessage) {
        self.raw = raw
        self.content = content
    }
}

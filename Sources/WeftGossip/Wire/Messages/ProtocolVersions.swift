/// What a member speaks (the six `Vsn` bytes): memberlist's protocol and, as "delegate", Serf's.
package struct ProtocolVersions: Hashable, Sendable {
    package var protocolMin: UInt8
    package var protocolMax: UInt8
    package var protocolCurrent: UInt8
    package var delegateMin: UInt8
    package var delegateMax: UInt8
    package var delegateCurrent: UInt8

    package init(
        protocolMin: UInt8,
        protocolMax: UInt8,
        protocolCurrent: UInt8,
        delegateMin: UInt8,
        delegateMax: UInt8,
        delegateCurrent: UInt8
    ) {
        self.protocolMin = protocolMin
        self.protocolMax = protocolMax
        self.protocolCurrent = protocolCurrent
        self.delegateMin = delegateMin
        self.delegateMax = delegateMax
        self.delegateCurrent = delegateCurrent
    }

    /// What stock agents send, old and new, and what weft sends: 1 5 2, 2 5 5.
    package static let serf = ProtocolVersions(
        protocolMin: 1,
        protocolMax: 5,
        protocolCurrent: 2,
        delegateMin: 2,
        delegateMax: 5,
        delegateCurrent: 5
    )

    /// Reads six bytes or more (later ones are ignored, as stock agents do). Nil for fewer.
    package init?(bytes: some Collection<UInt8>) {
        let six = Array(bytes.prefix(6))
        guard six.count == 6 else { return nil }
        self.init(
            protocolMin: six[0],
            protocolMax: six[1],
            protocolCurrent: six[2],
            delegateMin: six[3],
            delegateMax: six[4],
            delegateCurrent: six[5]
        )
    }

    /// The six bytes in wire order.
    package var bytes: [UInt8] {
        [protocolMin, protocolMax, protocolCurrent, delegateMin, delegateMax, delegateCurrent]
    }

    /// Understands a TCP ping as a fallback probe.
    package var answersStreamPings: Bool { protocolMax >= 3 }
    /// Sends a nack when asked to in an indirect ping.
    package var sendsNacks: Bool { protocolMax >= 4 }
    /// Understands checksummed datagrams, and may relay query responses.
    package var understandsChecksums: Bool { protocolMax >= 5 }
}

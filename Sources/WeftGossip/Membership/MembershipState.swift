internal import WeftCore

/// Memberlist's part of a node, apart from the table of members.
struct MembershipState: Sendable {
    var awareness: Awareness
    /// Members whose time to refute is running; never iterated.
    var suspicions: [MemberName: Suspicion] = [:]
    /// News about members: one message per name.
    var broadcasts = BroadcastQueue()
    /// The probe under way; there is one at a time.
    var probe: Probe?
    /// A probe was due while the last one still ran: the next begins when that ends.
    var missedProbe = false
    /// Pings we sent for others, by our own sequence numbers; never iterated.
    var relayedPings: [SequenceNumber: RelayedPing] = [:]
    private var lastSequence: SequenceNumber = 0
    /// Gossip happens at this time and whole intervals after it.
    var gossipPhase = Instant(nanoseconds: 0)
    /// The timer of the next gossip is set: only while there is news.
    var gossipIsArmed = false

    init(_ configuration: GossipConfiguration) {
        awareness = Awareness(bound: configuration.lifeguard ? configuration.timing.awarenessMax : 1)
    }

    /// Numbers from 1 that join pings to acks.
    mutating func nextSequence() -> SequenceNumber {
        lastSequence = lastSequence.next
        return lastSequence
    }

    /// One member being probed (section 6.5).
    struct Probe: Sendable {
        let sequence: SequenceNumber
        let target: MemberName
        let sent: Instant
        /// When it is over: probeInterval x (health + 1) after it began.
        let end: Instant
        /// Still waiting for the direct ack; others have not been asked.
        var isDirect = true
        var expectedNacks = 0
        var receivedNacks = 0
        /// The target answered a TCP ping.
        var streamAnswered = false
    }

    /// One ping for somebody else.
    struct RelayedPing: Sendable {
        /// Who asked, and under which number.
        let requester: NetworkAddress
        let sequence: SequenceNumber
        let wantsNack: Bool
    }
}

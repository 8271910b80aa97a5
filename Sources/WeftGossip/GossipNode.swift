package import WeftCore

/// One member of a gossip pool: the whole protocol core, as a value without sockets, clock or randomness of its own.
///
/// The shell (or the simulator) calls it with what happened and carries out the actions that it appends. It speaks
/// memberlist's and Serf's wire protocol, so stock `serf` agents can be in the same pool (serf-protocol.md). What it
/// does:
/// 1. membership: probes others, suspects, refutes, spreads news, exchanges full state (`Membership/`);
/// 2. Serf on top of it: tags, graceful leave, user events, queries, keys, reconnecting (`Serf/`);
/// 3. network coordinates, so that the distance to every member is known (`Coordinates/`).
///
/// Rules for callers: `now` never goes backwards; the actions of one call are carried out in order before the next
/// call; nothing that a peer sends makes a call fail or trap: it is dropped, and counted by reason in `counters`.
/// The same calls with the same generator give the same actions.
package struct GossipNode: Sendable {
    /// What the node was started with. `tags` follows `setTags`, `keys` the pool's key operations, and both `keys` and
    /// `encryption` follow `setEncryption`.
    package internal(set) var configuration: GossipConfiguration
    /// What has been counted since the start.
    package internal(set) var counters = GossipCounters()
    /// An opaque blob of the owner that goes with every push/pull to another weft node, at most
    /// `GossipLimits.sectionBytes` long (a longer one is not sent). Empty: nothing is sent.
    package var section: [UInt8] = []

    /// Where the node is between start and end.
    var phase = Phase.idle
    /// Everybody who is known, this node included.
    var table: MemberTable
    /// This node's last announcement.
    var ownIncarnation: Incarnation = 0
    var membership: MembershipState
    var serf: SerfState
    var coordinates: CoordinateState
    var streams = StreamTable()
    var timers = TimerQueue()
    /// The wake-up the shell knows about.
    var announcedWake: Instant?
    /// Datagrams to messages and back, with label and keys.
    var packets: PacketCodec

    /// A node that is not in any pool yet and sends nothing before `start`.
    package init(
        _ configuration: GossipConfiguration,
        snapshot: GossipSnapshot? = nil
    ) throws(GossipConfigurationError) {
        try configuration.validate()
        self.configuration = configuration
        packets = PacketCodec(
            security: WireSecurity(
                label: configuration.label,
                keyring: Keyring(keys: configuration.keys),
                mode: configuration.encryption
            ),
            compresses: configuration.compression
        )
        table = MemberTable(expectedCount: configuration.expectedMembers)
        membership = MembershipState(configuration)
        serf = SerfState(configuration, snapshot: snapshot)
        coordinates = CoordinateState()
    }
}

// MARK: - What happened

extension GossipNode {
    /// Begins: the node becomes a member of a pool of one, its timers start with random phases, and with a snapshot it
    /// dials the members it knew until one answers.
    package mutating func start(
        now: Instant,
        using rng: inout some RandomNumberGenerator,
        into actions: inout [GossipAction]
    ) {
        perform(now, &rng, &actions) { node, turn in node.begin(&turn) }
    }

    /// Handles one datagram from `source`.
    package mutating func datagramReceived(
        _ bytes: [UInt8],
        from source: NetworkAddress,
        now: Instant,
        using rng: inout some RandomNumberGenerator,
        into actions: inout [GossipAction]
    ) {
        perform(now, &rng, &actions) { node, turn in node.handleDatagram(bytes, from: source, &turn) }
    }

    /// What reads the message that the other end of a stream sends. Take it when the stream begins: keys may change.
    package func streamDecoder(for stream: StreamID) -> StreamDecoder {
        StreamDecoder(role: streams.isAccepted(stream) ? .acceptor : .dialler, security: packets.security)
    }

    /// Somebody dialled this node. Nil: close the connection at once, there are too many. Else the shell reads one
    /// message with `streamDecoder(for:)` and reports it, or the failure, under the identifier.
    package mutating func streamAccepted(now: Instant) -> StreamID? { acceptStream() }

    /// A whole message came on a stream: the answer on one that was opened, the request on one that was accepted.
    /// `byteCount` is what it took on the wire.
    package mutating func streamReceived(
        _ message: StreamMessage,
        byteCount: Int,
        on stream: StreamID,
        now: Instant,
        using rng: inout some RandomNumberGenerator,
        into actions: inout [GossipAction]
    ) {
        perform(now, &rng, &actions) { node, turn in
            node.handleStream(message, byteCount: byteCount, on: stream, &turn)
        }
    }

    /// A stream ended before a whole message had come; `error` is what the decoder threw, if it did. An accepted stream
    /// that could not be read may still be answered: carry out the actions before closing it.
    package mutating func streamFailed(
        _ stream: StreamID,
        _ failure: StreamFailure,
        error: WireError? = nil,
        now: Instant,
        using rng: inout some RandomNumberGenerator,
        into actions: inout [GossipAction]
    ) {
        perform(now, &rng, &actions) { node, turn in node.handleStreamFailure(stream, failure, error, &turn) }
    }

    /// The time asked for with `.wake` has come. Early or needless calls do no harm.
    package mutating func timerFired(
        now: Instant,
        using rng: inout some RandomNumberGenerator,
        into actions: inout [GossipAction]
    ) {
        announcedWake = nil
        perform(now, &rng, &actions) { node, turn in node.runTimers(&turn) }
    }
}

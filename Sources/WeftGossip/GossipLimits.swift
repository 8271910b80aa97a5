/// The bounds on what a node keeps and accepts. Everything that a peer can make grow is held by one of these.
package struct GossipLimits: Sendable, Equatable {
    /// Bytes of a datagram before compression (memberlist `UDPBufferSize`). 1400, which fits an Ethernet frame.
    package var datagramBytes: Int = 1400
    /// Members known at once, failed and left ones included. News about further names is dropped. 65,536.
    package var members: Int = 65_536
    /// Messages waiting in one of the Serf queues; beyond it the most transmitted are dropped. 4096.
    package var queueDepth: Int = 4096
    /// Bytes of a user event: of name and payload, and of the encoded message. 512, as stock agents accept by default.
    package var userEventBytes: Int = 512
    /// Bytes of an encoded query. 1024.
    package var queryBytes: Int = 1024
    /// Bytes of an encoded query response. 1024.
    package var queryResponseBytes: Int = 1024
    /// Lamport times that user events are remembered for, to tell repeated ones. 512.
    package var eventSlots: Int = 512
    /// Lamport times that queries are remembered for. 512.
    package var querySlots: Int = 512
    /// Bytes of remembered user events in all; beyond it the oldest are forgotten and their times refused. 1 MiB.
    package var eventBufferBytes: Int = 1 << 20
    /// Queries of our own that run at once. 64.
    package var runningQueries: Int = 64
    /// Answers kept for one query of our own. 65,536.
    package var queryAnswers: Int = 65_536
    /// Queries from others that may still be answered. 256.
    package var openQueries: Int = 256
    /// Intents about unknown members that are remembered. 4096.
    package var recentIntents: Int = 4096
    /// Streams that others have open to us at once (memberlist serves 128 push/pulls). 128.
    package var acceptedStreams: Int = 128
    /// Pings on behalf of others that are under way. 1024.
    package var relayedPings: Int = 1024
    /// Bytes of a section of the owner, sent or received. 4 MiB.
    package var sectionBytes: Int = 4 << 20
    /// Bytes of a direct message between weft nodes. 1 MiB.
    package var directBytes: Int = 1 << 20
    /// Addresses in one join. 64.
    package var joinAddresses: Int = 64

    /// The defaults above.
    package init() {}
}

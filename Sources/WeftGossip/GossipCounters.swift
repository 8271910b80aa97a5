internal import WeftCore

/// What a node has counted since it started. Each number only grows.
package struct GossipCounters: Sendable, Equatable {
    /// Datagrams received, bad ones included.
    package var datagramsIn: UInt64 = 0
    package var datagramsOut: UInt64 = 0
    /// Bytes of datagrams and stream messages, as they are on the wire; without IP, UDP and TCP headers.
    package var bytesIn: UInt64 = 0
    package var bytesOut: UInt64 = 0
    /// Messages by kind, received and sent, in datagrams and on streams.
    package var messagesIn = Counts<MessageKind>()
    package var messagesOut = Counts<MessageKind>()
    /// What could not be decoded, by reason; datagrams, parts of them, and streams.
    package var wireDrops = Counts<WireError>()
    /// What was decoded and not processed, by reason.
    package var drops = Counts<DropReason>()
    /// Round trips of answered direct pings.
    package var probeRoundTrips = RoundTripHistogram()
    /// Probe cycles that ended without any sign of life.
    package var failedProbes: UInt64 = 0
    /// Probes that only TCP answered: UDP to that member is broken.
    package var streamOnlyProbes: UInt64 = 0
    /// How often this node defended itself: against suspicion, death, a foreign announcement or a leave intent.
    package var refutations: UInt64 = 0
    /// How often this node told an accuser again what it had refuted before.
    package var reassurances: UInt64 = 0
    /// Members that went from alive to suspect here.
    package var suspicions: UInt64 = 0
    /// Suspicions that this node's own probes raised.
    package var suspicionsRaised: UInt64 = 0
    /// Suspicions that time turned into a death declared by this node.
    package var deathsDeclared: UInt64 = 0
    /// How often timers came so late that this process must have stood still.
    package var stalls: UInt64 = 0
    /// Exchanges of full state, merged ones only: those we began, and those of others.
    package var pushPullsStarted: UInt64 = 0
    package var pushPullsServed: UInt64 = 0
    /// Streams that ended without their message, by why.
    package var streamFailures = Counts<StreamFailure>()
    /// Announcements of a known name from another address.
    package var nameConflicts: UInt64 = 0
    /// User events delivered, own ones included.
    package var eventsDelivered: UInt64 = 0
    /// User events and queries that were known already: gossip repeats itself, this is no fault.
    package var duplicates: UInt64 = 0
    /// Queries delivered to the shell or answered inside.
    package var queriesDelivered: UInt64 = 0

    package init() {}
}

/// The kinds of message that are counted apart. Raw values are metric labels: they stay as they are.
package enum MessageKind: String, Sendable, CaseIterable {
    case ping
    case indirectPing = "indirect_ping"
    case ack
    case nack
    case suspect
    case alive
    case dead
    case joinIntent = "join_intent"
    case leaveIntent = "leave_intent"
    case userEvent = "user_event"
    case query
    case queryResponse = "query_response"
    case relay
    case direct
    case pushPull = "push_pull"
    case streamPing = "stream_ping"
    case streamAck = "stream_ack"
    case streamError = "stream_error"
}

/// Why something that could be decoded was not processed; what could not be has a `WireError`. Raw values are metric
/// labels: they stay as they are.
package enum DropReason: String, Sendable, CaseIterable {
    /// A ping for another name.
    case notForUs = "not_for_us"
    /// An ack or nack that nothing waits for: it came too late, or twice.
    case unexpectedAck = "unexpected_ack"
    /// Protocol versions that make no sense, or that this node cannot live with.
    case versions
    /// A name that is too long or empty, an unusable address, or tags that are too long.
    case invalidMember = "invalid_member"
    /// The table of members, or another table of ours, is full.
    case tableFull = "table_full"
    /// A Lamport time beyond any that counting could reach.
    case lamportTime = "lamport_time"
    /// A user event or query from before our window.
    case tooOld = "too_old"
    /// A query, response or relayed message that is longer than it may be.
    case tooLong = "too_long"
    /// A response to a query that is not ours, is over, or was answered by that member already.
    case unexpectedResponse = "unexpected_response"
    /// A payload that is not what the query or its answer should have.
    case malformedPayload = "malformed_payload"
    /// A query about keys in clear text, or to a node that does not speak encrypted yet.
    case clearKeyQuery = "clear_key_query"
    /// An ack with a coordinate that is none.
    case coordinate
    /// A stream beyond the limit of accepted ones.
    case tooManyStreams = "too_many_streams"
    /// A message on a stream that is over, or that has no place on it.
    case unexpectedStream = "unexpected_stream"
    /// The node has not started, or has left.
    case notRunning = "not_running"
}

/// How often each case of an enumeration was counted.
package struct Counts<Key: RawRepresentable<String> & CaseIterable & Equatable & Sendable>: Sendable, Equatable {
    /// In the order of the cases.
    private var values = [UInt64](repeating: 0, count: Key.allCases.count)

    package init() {}

    /// How often this was counted. Linear in the number of cases: they are few.
    package subscript(key: Key) -> UInt64 { values[Self.place(of: key)] }

    /// All of them together.
    package var total: UInt64 { values.reduce(0, &+) }

    /// Each case with its count, in the order of the cases.
    package var all: [(key: Key, count: UInt64)] { zip(Key.allCases, values).map { ($0, $1) } }

    mutating func add(_ key: Key, _ count: UInt64 = 1) { values[Self.place(of: key)] &+= count }

    private static func place(of key: Key) -> Int {
        var place = 0
        for candidate in Key.allCases {
            if candidate == key { return place }
            place += 1
        }
        preconditionFailure("\(key) is not among its own cases")
    }
}

/// Round-trip times in fixed buckets, in the form that Prometheus wants.
package struct RoundTripHistogram: Sendable, Equatable {
    /// Upper bounds of the buckets in seconds; one more bucket holds what is above.
    package static let bounds: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
    ]
    /// How many fell into each bucket (not cumulative); one more than there are bounds.
    package private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    /// All of them added up, in seconds.
    package private(set) var sum: Double = 0

    package init() {}

    mutating func record(_ roundTrip: Duration) {
        let seconds = roundTrip.inSeconds
        let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        counts[bucket] &+= 1
        sum += seconds
    }
}

/// The state of a node in numbers, at one moment.
package struct GossipGauges: Sendable, Equatable {
    /// Members by state, this node included.
    package var members: [Member.State: Int]
    /// 0 (healthy) to `GossipTiming.awarenessMax` - 1.
    package var healthScore: Int
    /// Messages that wait to be sent: memberlist's, and Serf's intents, queries and user events.
    package var queuedMemberships: Int
    package var queuedIntents: Int
    package var queuedQueries: Int
    package var queuedEvents: Int
    package var memberClock: LamportTime
    package var eventClock: LamportTime
    package var queryClock: LamportTime
    /// This node's own incarnation.
    package var incarnation: Incarnation
    /// Streams that are open, ours and accepted ones.
    package var openStreams: Int
    /// Live suspicions.
    package var suspicions: Int
}

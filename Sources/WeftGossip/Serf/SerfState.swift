internal import OrderedCollections
internal import WeftCore

/// Serf's part of a node, apart from the table of members.
struct SerfState: Sendable {
    var memberClock = LamportClock()
    var eventClock = LamportClock()
    var queryClock = LamportClock()
    /// Intents, queries and user events that wait to be sent.
    var intents = BroadcastQueue()
    var queries = BroadcastQueue()
    var events = BroadcastQueue()
    /// User events seen lately.
    var recentEvents: SlotRing<SerfPushPull.Event>
    /// Queries seen lately.
    var recentQueries: SlotRing<QueryID>
    /// The newest intent about each unknown member, oldest first.
    var recentIntents: OrderedDictionary<MemberName, RecentIntent> = [:]
    /// Queries of our own that collect answers; never iterated.
    var runningQueries: [QueryKey: RunningQuery] = [:]
    /// Queries that may still be answered by us, oldest first.
    var openQueries: OrderedDictionary<QueryKey, OpenQuery> = [:]
    var joins: [JoinState] = []
    var lastJoin = JoinID.rejoin
    /// Addresses that were joined through, to be tried again while no live member has them.
    var seeds: [NetworkAddress] = []
    /// Members of the last run, to come back through.
    var formerPeers: [GossipSnapshot.Peer]
    /// What a leave waits for.
    var leaveTicket: BroadcastQueue.Ticket?
    /// Our name is being disputed.
    var conflictQuery: QueryKey?

    init(_ configuration: GossipConfiguration, snapshot: GossipSnapshot?) {
        let limits = configuration.limits
        recentEvents = SlotRing(slotCount: limits.eventSlots, byteLimit: limits.eventBufferBytes)
        recentQueries = SlotRing(slotCount: limits.querySlots, byteLimit: .max)
        formerPeers = snapshot?.members ?? []
        if let snapshot { resume(snapshot) }
    }

    /// What was seen before the restart is not new after it.
    private mutating func resume(_ snapshot: GossipSnapshot) {
        func last(_ time: LamportTime) -> LamportTime {
            min(time.value > 0 ? LamportTime(time.value - 1) : 0, LamportClock.limit)
        }
        memberClock.witness(last(snapshot.memberClock))
        eventClock.witness(last(snapshot.eventClock))
        queryClock.witness(last(snapshot.queryClock))
        recentEvents.ignore(before: eventClock.time)
        recentQueries.ignore(before: queryClock.time)
    }
}

/// An intent that came before its member was known.
struct RecentIntent: Sendable, Equatable {
    let isLeave: Bool
    let time: LamportTime
    let received: Instant
}

/// The stages of leaving (section 8.6). An announcement that overtakes the intent would show as a failure.
enum LeaveStep: Sendable, Equatable {
    /// The leave intent is being sent.
    case intent
    /// We have sent it often enough; others are still passing it on.
    case settle
    /// Our own death notice is being sent.
    case farewell
    /// Everybody is told; we still answer, for those who have not heard it yet.
    case linger
}

/// One join under way.
struct JoinState: Sendable {
    var outcome: JoinOutcome
    /// Addresses that have not been dialled yet.
    var remaining: [NetworkAddress]
    /// Exchanges under way.
    var active = 0
    /// One success is enough (coming back after a restart).
    let stopsAtFirst: Bool
}

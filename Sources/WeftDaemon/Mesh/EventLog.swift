internal import WeftAPI
internal import WeftCore

/// What happened in the mesh lately, for `weft events`: the last `capacity` events, numbered, and those who wait for the
/// next one. Confined to the actor that owns it.
struct EventLog {
    static let capacity = 1024
    /// Events in one answer.
    static let answerMax = 512
    /// Clients that wait at a time; one more is answered at once with nothing.
    private static let waitersMax = 64

    private var events: [EventRow] = []
    private(set) var latest: UInt64 = 0
    private var waiters: [UInt64: AsyncStream<Void>.Continuation] = [:]
    private var nextWaiter: UInt64 = 0

    /// Adds an event and wakes who waits for one.
    mutating func append(kind: Kind, time: WallTime, node: String?, name: String? = nil, payload: [UInt8]? = nil) {
        latest += 1
        // In one go: removing the first element each time would move all the others.
        if events.count >= 2 * Self.capacity { events.removeFirst(Self.capacity) }
        events.append(
            EventRow(
                sequence: latest,
                time: time.rfc3339,
                kind: kind.rawValue,
                node: node,
                name: name,
                payload: payload.map { String(decoding: $0, as: UTF8.self) }
            )
        )
        for waiter in waiters.values { waiter.finish() }
        waiters = [:]
    }

    /// The events after a number; without one, all that are remembered.
    func answer(after sequence: UInt64?) -> EventsResponse {
        let remembered = events.suffix(Self.capacity)
        let wanted = remembered.drop { $0.sequence <= sequence ?? 0 }.prefix(Self.answerMax)
        let first = wanted.first?.sequence ?? latest + 1
        // A number from before a restart of weftd is greater than any there is.
        let missed = sequence.map { $0 < first ? first - $0 - 1 : 0 } ?? 0
        return EventsResponse(events: Array(wanted), latest: wanted.last?.sequence ?? latest, missed: missed)
    }

    /// Ends with the next event; nil when too many wait already.
    mutating func makeWaiter() -> (id: UInt64, signal: AsyncStream<Void>)? {
        guard waiters.count < Self.waitersMax else { return nil }
        let (signal, continuation) = AsyncStream.makeStream(of: Void.self)
        nextWaiter += 1
        waiters[nextWaiter] = continuation
        return (nextWaiter, signal)
    }

    /// The client waits no longer.
    mutating func removeWaiter(_ id: UInt64) { waiters.removeValue(forKey: id)?.finish() }
}

extension EventLog {
    /// The kinds of events; the raw values are what the API says.
    enum Kind: String {
        case peerJoined = "peer-joined"
        case peerUpdated = "peer-updated"
        case peerFailed = "peer-failed"
        case peerLeft = "peer-left"
        case peerRemoved = "peer-removed"
        case serviceAdded = "service-added"
        case serviceChanged = "service-changed"
        case serviceRemoved = "service-removed"
        case user
        case query
        case keys
    }
}

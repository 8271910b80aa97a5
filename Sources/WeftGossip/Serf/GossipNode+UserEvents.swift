internal import WeftCore

/// User events (section 8.7).
extension GossipNode {
    /// Checks an event of our own and gives it the current time.
    func prepareEvent(
        name: String,
        payload: [UInt8],
        coalesce: Bool
    ) throws(GossipError) -> UserEventMessage {
        guard !name.isEmpty else { throw .emptyName }
        let event = UserEventMessage(time: serf.eventClock.time, name: name, payload: payload, coalesce: coalesce)
        let limit = configuration.limits.userEventBytes
        let byteCount = max(name.utf8.count + payload.count, SerfMessage.userEvent(event).encoded().count)
        guard byteCount <= limit else { throw .tooLong(byteCount: byteCount, limit: limit) }
        return event
    }

    mutating func broadcastEvent(
        _ event: UserEventMessage,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) -> LamportTime {
        serf.eventClock.advance()
        _ = handle(event, isOwn: true, &turn)
        queue(SerfMessage.userEvent(event).encoded(), .userEvent, in: \.events)
        return event.time
    }

    /// Delivers an event that is new here. True when it is, to be passed on.
    mutating func handle(
        _ event: UserEventMessage,
        isOwn: Bool,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) -> Bool {
        serf.eventClock.witness(event.time)
        let admission = serf.recentEvents.admit(
            SerfPushPull.Event(name: event.name, payload: event.payload),
            at: event.time,
            clock: serf.eventClock.time,
            byteCount: event.name.utf8.count + event.payload.count
        )
        guard count(admission) else { return false }
        counters.eventsDelivered += 1
        let delivered = UserEvent(
            name: event.name,
            payload: event.payload,
            time: event.time,
            coalesce: event.coalesce,
            isOwn: isOwn
        )
        turn.act(.userEvent(delivered))
        return true
    }

    /// True for something new; else counts why it is not delivered.
    mutating func count(_ admission: SlotRing<some Equatable & Sendable>.Admission) -> Bool {
        switch admission {
        case .new: return true
        case .duplicate: counters.duplicates += 1
        case .tooOld: counters.drops.add(.tooOld)
        case .full: counters.drops.add(.tableFull)
        }
        return false
    }
}

internal import WeftCore

/// Serf's part of a push/pull (section 8.4), with weft's section behind it.
extension GossipNode {
    /// What Serf knows, for a peer.
    func serfState() -> SerfPushPull {
        let members = table.records.lazy.filter { $0.isMember }
        return SerfPushPull(
            time: serf.memberClock.time,
            statusTimes: members.map { SerfPushPull.StatusTime(node: $0.identity.name, time: $0.statusTime) },
            leftMembers: members.filter { $0.status == .left }.map { $0.identity.name },
            eventTime: serf.eventClock.time,
            events: serf.recentEvents.used.map { SerfPushPull.EventSlot(time: $0.time, events: $0.items) },
            queryTime: serf.queryClock.time
        )
    }

    /// Takes over what a peer's Serf knows. Nothing of it is passed on.
    mutating func mergeSerfState(
        _ remote: SerfPushPull,
        ignoringOldEvents: Bool,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        // No message has the peer's current times yet.
        witness(remote.time, \.memberClock)
        witness(remote.eventTime, \.eventClock)
        witness(remote.queryTime, \.queryClock)
        mergeStatusTimes(remote, &turn)
        if ignoringOldEvents, remote.eventTime <= LamportClock.limit {
            serf.recentEvents.ignore(before: remote.eventTime)
        }
        for slot in remote.events where isCredible(slot.time) {
            for event in slot.events {
                let message = UserEventMessage(
                    time: slot.time,
                    name: event.name,
                    payload: event.payload,
                    coalesce: false
                )
                _ = handle(message, isOwn: false, &turn)
            }
        }
    }

    private mutating func witness(_ time: LamportTime, _ clock: WritableKeyPath<SerfState, LamportClock>) {
        guard time > 0, isCredible(time) else { return }
        serf[keyPath: clock].witness(LamportTime(time.value - 1))
    }

    /// Members that left come first: their leave was accepted after their join, at a time that is not sent, so one past
    /// the join's is taken for it.
    ///
    /// That makes leave intents which nobody sent. One that is taken from a peer who has not heard of our return yet
    /// shows us as leaving to whoever takes it, for good, as only leave intents that reach ourselves are refuted. It is
    /// known by its time, which is later than any of ours, and answered with a newer join intent.
    private mutating func mergeStatusTimes(
        _ remote: SerfPushPull,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        let left = Set(remote.leftMembers)
        var leftTimes: [MemberName: LamportTime] = [:]
        if !left.isEmpty {
            for status in remote.statusTimes where left.contains(status.node) { leftTimes[status.node] = status.time }
        }
        for name in remote.leftMembers {
            let time = leftTimes[name] ?? 0
            guard isCredible(time) else { continue }
            _ = handle(LeaveIntent(time: time.next, node: name, prune: false), &turn)
        }
        var isDoubted = false
        for status in remote.statusTimes where !left.contains(status.node) && isCredible(status.time) {
            let isNew = handle(JoinIntent(time: status.time, node: status.node), &turn)
            if isNew, status.node == configuration.name { isDoubted = true }
        }
        if isDoubted, phase == .running { broadcastJoinIntent(&turn) }
    }
}

// MARK: - Weft's own bytes

extension GossipNode {
    /// The owner's section for a peer; nil when there is none or it is too long.
    var framedSection: [UInt8]? {
        guard !section.isEmpty, section.count <= configuration.limits.sectionBytes else { return nil }
        return WeftFrame(sender: configuration.name, content: section).encoded()
    }

    mutating func receiveSection(_ bytes: [UInt8], _ turn: inout Turn<some RandomNumberGenerator>) {
        guard let frame = openFrame(bytes, limit: configuration.limits.sectionBytes) else { return }
        turn.act(.sectionReceived(frame.content, from: frame.sender))
    }

    mutating func receiveDirect(_ bytes: [UInt8], _ turn: inout Turn<some RandomNumberGenerator>) {
        guard let frame = openFrame(bytes, limit: configuration.limits.directBytes) else { return }
        turn.act(.directReceived(frame.content, from: frame.sender))
    }

    private mutating func openFrame(_ bytes: [UInt8], limit: Int) -> WeftFrame? {
        guard let frame = WeftFrame(decoding: bytes), frame.sender != configuration.name else {
            counters.drops.add(.malformedPayload)
            return nil
        }
        guard frame.content.count <= limit else {
            counters.drops.add(.tooLong)
            return nil
        }
        return frame
    }
}

/// First byte of every Serf message (specification 8.2).
package enum SerfType: UInt8, Sendable, CaseIterable {
    case leave = 0
    case join = 1
    case pushPull = 2
    case userEvent = 3
    case query = 4
    case queryResponse = 5
    case conflictResponse = 6
    case keyRequest = 7
    case keyResponse = 8
    case relay = 9
    /// Weft's own, only sent straight to members that carry the tag `weft`: stock agents log it and drop it.
    case direct = 0x77
}

/// A Serf message as it travels in a memberlist user message.
package enum SerfMessage: Equatable, Sendable {
    case join(JoinIntent)
    case leave(LeaveIntent)
    case userEvent(UserEventMessage)
    case query(QueryMessage)
    case queryResponse(QueryResponseMessage)
    case relay(RelayMessage)
    /// Weft's own bytes behind the type 0x77.
    case direct([UInt8])
}

/// Type 1: a member has joined (or is here after all).
package struct JoinIntent: Equatable, Sendable {
    package var time: LamportTime
    package var node: MemberName

    package init(time: LamportTime, node: MemberName) {
        self.time = time
        self.node = node
    }
}

/// Type 0: a member is about to leave, or an operator says that a failed one has left.
package struct LeaveIntent: Equatable, Sendable {
    package var time: LamportTime
    package var node: MemberName
    /// Whether to forget the member at once.
    package var prune: Bool

    package init(time: LamportTime, node: MemberName, prune: Bool) {
        self.time = time
        self.node = node
        self.prune = prune
    }
}

/// Type 3: something that a user announces to all members.
package struct UserEventMessage: Equatable, Sendable {
    package var time: LamportTime
    /// Text; bytes that are not UTF-8 are replaced (the raw message is what travels on).
    package var name: String
    package var payload: [UInt8]
    /// Whether receivers may deliver only the newest of several with one name.
    package var coalesce: Bool

    package init(time: LamportTime, name: String, payload: [UInt8], coalesce: Bool) {
        self.time = time
        self.name = name
        self.payload = payload
        self.coalesce = coalesce
    }
}

/// Type 2, only as user state of a push/pull: the Serf state of a member.
package struct SerfPushPull: Equatable, Sendable {
    /// When a member's status last changed.
    package struct StatusTime: Equatable, Sendable {
        package var node: MemberName
        package var time: LamportTime

        package init(node: MemberName, time: LamportTime) {
            self.node = node
            self.time = time
        }
    }

    /// The recent events of one Lamport time.
    package struct EventSlot: Equatable, Sendable {
        package var time: LamportTime
        package var events: [Event]

        package init(time: LamportTime, events: [Event]) {
            self.time = time
            self.events = events
        }
    }

    /// A recent event. The coalesce flag is lost here, by the protocol.
    package struct Event: Equatable, Sendable {
        package var name: String
        package var payload: [UInt8]

        package init(name: String, payload: [UInt8]) {
            self.name = name
            self.payload = payload
        }
    }

    /// The member clock.
    package var time: LamportTime
    /// In the sender's order, which is arbitrary; encoded in the order given.
    package var statusTimes: [StatusTime]
    /// Never name a live member here: receivers show it as leaving.
    package var leftMembers: [MemberName]
    package var eventTime: LamportTime
    /// Only the filled slots: the empty ones that stock agents send are left out, and stock agents accept that.
    package var events: [EventSlot]
    package var queryTime: LamportTime

    package init(
        time: LamportTime,
        statusTimes: [StatusTime],
        leftMembers: [MemberName],
        eventTime: LamportTime,
        events: [EventSlot],
        queryTime: LamportTime
    ) {
        self.time = time
        self.statusTimes = statusTimes
        self.leftMembers = leftMembers
        self.eventTime = eventTime
        self.events = events
        self.queryTime = queryTime
    }
}

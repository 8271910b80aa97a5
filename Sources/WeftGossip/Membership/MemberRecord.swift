internal import WeftCore

/// What a node knows of one member. 40 bytes and its key: there may be ten thousand.
struct MemberRecord: Sendable {
    var identity: MemberIdentity
    /// The Lamport time of the last intent about it (Serf's statusLTime).
    var statusTime: LamportTime
    /// Since when it has been in `detected`.
    var detectedSince: Instant
    /// Since when it has had `status`.
    var statusSince: Instant
    var incarnation: Incarnation
    var detected: Detected
    var status: Status

    /// The failure detector's view: memberlist's states.
    enum Detected: UInt8, Sendable {
        case alive
        case suspect
        case dead
        case left
        /// No longer in memberlist's list: dead or left for long. Only Serf remembers it, and any announcement of it is
        /// that of a new member.
        case forgotten
    }

    /// Serf's view, from intents and from the failure detector's joins and leaves (section 8.4). The numbers are those
    /// of a conflict response.
    enum Status: UInt8, Sendable, CaseIterable {
        /// Serf does not know it (any more), while memberlist does.
        case none = 0
        case alive = 1
        case leaving = 2
        case left = 3
        case failed = 4
    }
}

extension MemberRecord {
    /// Memberlist knows the member: it counts for the pool's size.
    var isListed: Bool { detected != .forgotten }

    /// Worth probing, and able to answer.
    var isReachable: Bool { detected == .alive || detected == .suspect }

    /// The state shown to people; nobody is shown what Serf does not know.
    var viewState: Member.State {
        switch status {
        case .none: .left
        case .alive: detected == .suspect ? .suspect : .alive
        case .leaving: .leaving
        case .left: .left
        case .failed: .failed
        }
    }

    /// Serf knows the member.
    var isMember: Bool { status != .none }

    /// Since when `viewState` has been so.
    var viewSince: Instant { viewState == .suspect ? detectedSince : statusSince }
}

package import WeftCore

/// One member of the pool as the owner of the node sees it. A copy: it does not change by itself.
package struct Member: Sendable, Equatable {
    package let name: MemberName
    /// Where it is reached, with v4-mapped addresses as IPv4.
    package let address: NetworkAddress
    package let state: State
    /// Whether new work may go to it: it is alive, has not said that it leaves, and is not suspected by as many as it
    /// takes to shorten a suspicion to its minimum. That is known seconds before the member counts as failed.
    package let isAvailable: Bool
    /// Empty when it has none, or when they cannot be read.
    package let tags: Tags
    /// Since when it has been in this state, by this node's clock.
    package let since: Instant
    /// The round trip to it: measured by our own probes where there are some, else estimated from coordinates.
    package let roundTrip: Duration?
    package let kind: Kind
    /// Nil when its announcement had none.
    package let versions: ProtocolVersions?
    package let incarnation: Incarnation
    /// The Lamport time of the last intent about it.
    package let statusTime: LamportTime

    /// Serf's view of a member, with suspicion shown as a state of its own.
    package enum State: String, Sendable, CaseIterable {
        case alive
        /// Alive to Serf, but it did not answer somebody's probes.
        case suspect
        /// It has said that it leaves.
        case leaving
        case left
        case failed
    }

    /// What runs on the member, by its tag `weft`.
    package enum Kind: String, Sendable, CaseIterable {
        case weft
        case serf
    }
}

/// Something happened to a member.
package struct MemberChange: Sendable, Equatable {
    package let kind: Kind
    /// The member after the change.
    package let member: Member

    /// What happened, as Serf's events tell it.
    package enum Kind: String, Sendable, CaseIterable {
        /// It is new, or back.
        case joined
        /// Its tags changed.
        case updated
        /// `isAvailable` changed, and nothing else that is reported. Serf has no event for it.
        case availability
        /// It was declared dead without having said that it leaves.
        case failed
        /// It left on purpose, or was made to.
        case left
        /// It was forgotten: it had been failed or left for long, or was pruned.
        case reaped
    }
}

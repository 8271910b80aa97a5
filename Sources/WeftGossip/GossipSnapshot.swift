package import WeftCore

/// What survives a restart: whom to rejoin through, and how far the Lamport clocks had come, so that old events are not
/// taken for new ones. The shell writes it to disk and gives it back to `GossipNode.init`.
package struct GossipSnapshot: Sendable, Equatable {
    /// Members that had not left, this node left out, sorted by name. When there are none, those of the snapshot before: a
    /// node that could not come back yet does not forget where to.
    package var members: [Peer]
    package var memberClock: LamportTime
    package var eventClock: LamportTime
    package var queryClock: LamportTime

    package init(
        members: [Peer] = [],
        memberClock: LamportTime = 0,
        eventClock: LamportTime = 0,
        queryClock: LamportTime = 0
    ) {
        self.members = members
        self.memberClock = memberClock
        self.eventClock = eventClock
        self.queryClock = queryClock
    }

    /// One member to rejoin through.
    package struct Peer: Sendable, Equatable {
        package var name: MemberName
        package var address: NetworkAddress
        /// Whether it was there. Those that had failed are tried last.
        package var wasAlive: Bool

        package init(name: MemberName, address: NetworkAddress, wasAlive: Bool = true) {
            self.name = name
            self.address = address
            self.wasAlive = wasAlive
        }
    }
}

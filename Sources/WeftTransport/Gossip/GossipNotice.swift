package import WeftCore
package import WeftGossip

/// Something that the gossip core tells its owner, apart from answers to what the owner asked.
package enum GossipNotice: Sendable, Equatable {
    case memberChanged(MemberChange)
    case userEvent(UserEvent)
    /// A user's query, which only agents' own handlers would answer; weft shows it.
    case query(IncomingQuery)
    /// A weft node's section came with an exchange of state.
    case section([UInt8], from: MemberName)
    /// A weft node sent a direct message.
    case direct([UInt8], from: MemberName)
    /// The gossip keys changed, by this host's or another's wish; the one to send with is first.
    case keys([[UInt8]])
    /// Another host has this one's name, and the pool sides with it. Gossip has stopped.
    case nameConflictLost
}

/// The notices of one turn of the gossip loop, in order.
package struct GossipNotices: Sendable {
    package let notices: [GossipNotice]
    /// Notices before these were lost, because the owner did not keep up: members have to be read anew.
    package let isAfterGap: Bool
    /// When the core saw what it tells of.
    package let time: Instant
}

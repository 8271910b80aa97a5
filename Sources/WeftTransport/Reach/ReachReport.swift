/// How one port of another host answers.
package enum ReachOutcome: String, Sendable, CaseIterable {
    /// It can be used.
    case open
    /// The host, or a firewall that says so, refuses: nothing listens there, or it is not let through.
    case refused
    /// No answer in time: what most firewalls do.
    case silent
    /// There is no way to the host at all.
    case unreachable
}

/// How the ports that a mesh needs answer on another host.
package struct ReachReport: Sendable, Equatable {
    /// TCP: tunnels and joins.
    package let tunnel: ReachOutcome
    /// TCP: exchanges of state, and pings where UDP does not get through.
    package let gossipStream: ReachOutcome
    /// UDP: almost all of gossip.
    package let gossipDatagram: ReachOutcome

    package init(tunnel: ReachOutcome, gossipStream: ReachOutcome, gossipDatagram: ReachOutcome) {
        self.tunnel = tunnel
        self.gossipStream = gossipStream
        self.gossipDatagram = gossipDatagram
    }

    package var isComplete: Bool { tunnel == .open && gossipStream == .open && gossipDatagram == .open }
}

internal import WeftCore
internal import WeftGossip

/// What only goes forward: a node's own incarnation and its three Lamport clocks during the life of a process, and the
/// incarnation of a member in the eyes of another for as long as it is not declared gone.
struct ClockChecker {
    private var own: [Reading?]
    /// By observer, the incarnation last seen of each member; only looked up.
    private var seen: [[MemberName: Incarnation]]

    private struct Reading {
        let incarnation: Incarnation
        let clocks: [LamportTime]
    }

    init(hostCount: Int) {
        own = Array(repeating: nil, count: hostCount)
        seen = Array(repeating: [:], count: hostCount)
    }

    mutating func processStarted(on host: Int) {
        own[host] = nil
        seen[host] = [:]
    }

    /// A member that was gone may come back with a lower incarnation; whoever remembers more makes it refute.
    mutating func memberCameOrWent(_ name: MemberName, on host: Int) { seen[host][name] = nil }

    /// Looks at a node, and says what went back.
    mutating func check(_ node: borrowing GossipNode, on host: Int) -> [String] {
        let gauges = node.gauges
        let reading = Reading(
            incarnation: gauges.incarnation,
            clocks: [gauges.memberClock, gauges.eventClock, gauges.queryClock]
        )
        var violations: [String] = []
        if let last = own[host] {
            if reading.incarnation < last.incarnation { violations.append("n\(host): its incarnation went back") }
            if zip(reading.clocks, last.clocks).contains(where: { $0 < $1 }) {
                violations.append("n\(host): a Lamport clock went back from \(last.clocks) to \(reading.clocks)")
            }
        }
        own[host] = reading
        for member in node.members {
            if let last = seen[host][member.name], member.incarnation < last {
                violations.append("n\(host): the incarnation of \(member.name) went back from \(last)")
            }
            seen[host][member.name] = member.incarnation
        }
        return violations
    }
}

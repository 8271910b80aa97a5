internal import WeftCore
internal import WeftGossip

/// Whether all live nodes see the pool as it is: who is alive, under which tags and incarnation; nobody who is gone as
/// alive; and one opinion on whether who is gone left or failed.
enum AgreementChecker {
    /// What is not agreed on; empty when all is well.
    static func disagreements(_ simulation: Simulation<GossipProcess>, _ truths: [HostTruth]) -> [String] {
        let up = truths.indices.filter { truths[$0].isUp && simulation.isRunning($0) }
        var views: [[MemberName: Member]] = []
        var incarnations: [Int: Incarnation] = [:]
        for host in up {
            simulation.inspect(host) { process in
                let members = process.node.members
                views.append(Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0) }))
                incarnations[host] = process.node.gauges.incarnation
            }
        }
        var found: [String] = []
        for subject in truths.indices {
            let seen = views.map { $0[MemberName(simulatedHost: subject)] }
            found +=
                truths[subject].isUp
                ? aboutPresent(subject, truths[subject], incarnations[subject], seen, up)
                : aboutGone(subject, seen, up)
        }
        return found
    }

    private static func aboutPresent(
        _ subject: Int,
        _ truth: HostTruth,
        _ incarnation: Incarnation?,
        _ seen: [Member?],
        _ observers: [Int]
    ) -> [String] {
        var found: [String] = []
        for (observer, member) in zip(observers, seen) {
            let state = member.map { $0.state.rawValue } ?? "unknown"
            if member?.state != .alive {
                found.append("n\(observer) sees n\(subject), which runs, as \(state)")
            } else if member?.tags != truth.tags {
                found.append("n\(observer) has old tags of n\(subject)")
            } else if member?.incarnation != incarnation {
                found.append("n\(observer) has another incarnation of n\(subject)")
            }
        }
        return found
    }

    private static func aboutGone(_ subject: Int, _ seen: [Member?], _ observers: [Int]) -> [String] {
        var found: [String] = []
        for (observer, member) in zip(observers, seen) {
            guard let state = member?.state, state != .failed, state != .left else { continue }
            found.append("n\(observer) sees n\(subject), which is gone, as \(state.rawValue)")
        }
        let opinions = Set(seen.compactMap { $0?.state })
        if found.isEmpty, opinions.count > 1 {
            let failed = zip(observers, seen).filter { $0.1?.state == .failed }.map { $0.0 }
            found.append("n\(subject), which is gone, failed to \(failed) and left to the others")
        }
        return found
    }
}

internal import WeftCore
internal import WeftGossip

/// Pools that no protocol could bring together again.
///
/// When everybody who knew of the other side has been restarted without a memory, or remembers it only as having left,
/// two parts of a pool have no way to find each other. Only then may the operator help.
extension SeedRun {
    /// Joins parts of the pool of which no member knows how to reach the other part.
    func joinIslands() {
        let up = truths.indices.filter { truths[$0].isUp }
        guard let first = up.first else { return }
        var reached: Set<Int> = [first]
        var frontier = [first]
        while let host = frontier.popLast() {
            for other in up where !reached.contains(other) && (dials(host, other) || dials(other, host)) {
                reached.insert(other)
                frontier.append(other)
            }
        }
        guard let stranger = up.first(where: { !reached.contains($0) }) else { return }
        tell("n\(stranger) knows no way to n\(first), nor the reverse: the operator helps")
        join(stranger, through: [first])
    }

    /// The node on `host` will talk to `other` by itself sooner or later: it takes it for alive, tries again as it
    /// failed, or was told to join it.
    private func dials(_ host: Int, _ other: Int) -> Bool {
        let state = simulation.inspect(host) { $0.node.state(of: MemberName(simulatedHost: other)) } ?? nil
        switch state {
        case .alive, .suspect, .leaving, .failed: return true
        case .left, nil: return !plan.stockLike.contains(host) && truths[host].seeds.contains(other)
        }
    }
}

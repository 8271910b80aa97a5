internal import WeftCore
internal import WeftGossip

/// In a pool at rest nothing that was taken is still held: no queue, table or timer keeps what a fault put into it.
enum GrowthChecker {
    /// What has grown too large on a host.
    static func excesses(_ process: borrowing GossipProcess, on host: Int, nodes: Int, now: Instant) -> [String] {
        let held = process.node.footprint
        let limits: [(String, Int, Int)] = [
            ("records", held.records, nodes),
            // Periodic ones, a probe's two, those of pings for others, and needless ones of suspicions that ended.
            ("timers", held.timers, 24 + 6 * nodes),
            ("queued messages", held.queued, 0),
            ("suspicions", held.suspicions, 0),
            ("relayed pings", held.relayedPings, nodes),
            ("open streams", held.openStreams, 4),
            ("recent intents", held.recentIntents, nodes),
            ("running queries", held.runningQueries, 0),
            ("joins", held.joins, 0),
            ("overdue streams", process.ledger?.overdueStreams(at: now, limit: .seconds(30)) ?? 0, 0),
        ]
        return limits.filter { $0.1 > $0.2 }.map { "n\(host) holds \($0.1) \($0.0), at most \($0.2) are needed" }
    }
}

internal import OrderedCollections

/// How much a node holds at one moment, in entries: each of these numbers has to come back to rest when the pool does.
/// For simulations, which assert that, and for metrics.
package struct GossipFootprint: Sendable, Equatable {
    /// Members known, to memberlist or to Serf.
    package let records: Int
    /// Timers set, needless ones that have not come up yet included.
    package let timers: Int
    /// Messages that wait to be sent, in all queues.
    package let queued: Int
    package let suspicions: Int
    /// Pings on behalf of others that are under way.
    package let relayedPings: Int
    package let openStreams: Int
    /// Intents about unknown members.
    package let recentIntents: Int
    /// Queries of our own that collect answers.
    package let runningQueries: Int
    /// Queries of others that may still be answered.
    package let openQueries: Int
    /// Joins under way.
    package let joins: Int
}

extension GossipNode {
    /// How much the node holds now.
    package var footprint: GossipFootprint {
        GossipFootprint(
            records: table.count,
            timers: timers.count,
            queued: membership.broadcasts.count + serf.intents.count + serf.queries.count + serf.events.count,
            suspicions: membership.suspicions.count,
            relayedPings: membership.relayedPings.count,
            openStreams: streams.count,
            recentIntents: serf.recentIntents.count,
            runningQueries: serf.runningQueries.count,
            openQueries: serf.openQueries.count,
            joins: serf.joins.count
        )
    }
}

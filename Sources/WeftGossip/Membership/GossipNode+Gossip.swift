internal import WeftCore

/// Spreading news: at every gossip interval, and in the free room of each datagram (section 6.6).
extension GossipNode {
    /// Queues news about a member, in place of older news about it.
    mutating func broadcast(_ message: MemberlistMessage, about name: MemberName, heardFrom source: NetworkAddress?) {
        membership.broadcasts.add(message.encoded(), kind: message.kind, about: name, heardFrom: source)
    }

    /// Sets the timer of the next gossip if there is news and somebody to tell. Without news no timer runs.
    mutating func armGossip(now: Instant) {
        guard phase.isActive, !membership.gossipIsArmed, hasNews, table.listedCount > 1 else { return }
        let interval = UInt64(max(1, configuration.timing.gossipInterval.wholeNanoseconds))
        let first = membership.gossipPhase.nanoseconds
        let elapsed = now.nanoseconds > first ? (now.nanoseconds - first) / interval + 1 : 0
        membership.gossipIsArmed = true
        timers.set(.gossip, at: Instant(nanoseconds: first + elapsed * interval))
    }

    private var hasNews: Bool {
        !(membership.broadcasts.isEmpty && serf.intents.isEmpty && serf.queries.isEmpty && serf.events.isEmpty)
    }

    mutating func gossipTick(at deadline: Instant, _ turn: inout Turn<some RandomNumberGenerator>) {
        membership.gossipIsArmed = false
        gossip(to: configuration.timing.gossipNodes, &turn)
    }

    /// Sends a fresh batch to each of some random members; dead ones are told too for a while, so that they can refute.
    mutating func gossip(to count: Int, _ turn: inout Turn<some RandomNumberGenerator>) {
        let own = configuration.name
        let grace = configuration.timing.gossipToTheDead
        let now = turn.now
        let targets = table.sample(count, using: &turn.random) { record in
            record.identity.name != own
                && (record.isReachable || record.detected == .dead && now - record.detectedSince <= grace)
        }
        for target in targets {
            let address = target.identity.networkAddress
            let recipient = BroadcastQueue.Recipient(address: address, name: target.identity.name)
            let batch = takeNews(for: recipient, budget: datagramBudget, maximumCount: WireLimits.compoundParts)
            guard !batch.isEmpty else { continue }
            sendParts(batch, to: address, recipient: target.identity, &turn)
        }
    }

    /// Bytes for the messages of one datagram, 2 for each message's length in the compound included.
    var datagramBudget: Int {
        configuration.limits.datagramBytes - Self.compoundHeader - packets.security.overhead
    }

    /// This node, who told us, who it is about, and one more.
    private static let smallestPoolToChoose = 3

    /// Type and count of a compound.
    private static let compoundHeader = 2

    /// Takes news that fits: memberlist's first, then Serf's intents, queries and user events. Each message costs its
    /// own bytes, 2 for its length, and 1 for the user message type of Serf's. Members are not told what they told us,
    /// nor of themselves: memberlist spends transmits on that, which a small pool has few of.
    mutating func takeNews(
        for recipient: BroadcastQueue.Recipient,
        budget: Int,
        maximumCount: Int
    ) -> [[UInt8]] {
        guard hasNews, budget > 0 else { return [] }
        // Somebody else has to be there who may be told, or the news would wait for ever.
        let recipient = table.reachableCount > Self.smallestPoolToChoose ? recipient : nil
        var budget = budget
        var batch: [[UInt8]] = []
        let mult = configuration.timing.retransmitMult
        membership.broadcasts.fetch(
            for: recipient,
            budget: &budget,
            overhead: 2,
            limit: PoolScaling.retransmitLimit(mult: mult, nodes: table.listedCount),
            maximumCount: maximumCount
        ) { kind, message in
            counters.messagesOut.add(kind)
            batch.append(message)
        }
        let limit = PoolScaling.retransmitLimit(mult: mult, nodes: table.serfCount)
        for queue in [\SerfState.intents, \SerfState.queries, \SerfState.events] {
            serf[keyPath: queue].fetch(
                for: recipient,
                budget: &budget,
                overhead: 3,
                limit: limit,
                maximumCount: maximumCount - batch.count
            ) { kind, message in
                counters.messagesOut.add(kind)
                batch.append([MemberlistType.user.rawValue] + message)
            }
        }
        return batch
    }
}

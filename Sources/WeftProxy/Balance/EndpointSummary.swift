package import WeftCore

/// What the balancers of one or more event loops know of one endpoint: for people, and for nothing else.
package struct EndpointSummary<ID: Hashable & Sendable>: Sendable, Equatable {
    package let endpoint: ID
    package let word: GossipWord
    /// To the first byte, over all loops, each by its number of requests; nil when nothing has been measured.
    package private(set) var latency: Duration?
    /// What past failures add to it, the largest of all loops.
    package private(set) var penalty: Duration
    package private(set) var pending: Int
    /// Requests in the last 10 s, and those of them that failed.
    package private(set) var requests: Int
    package private(set) var failures: Int
    /// Loops that use the endpoint, and those of them that have ejected it.
    package private(set) var loops = 1
    package private(set) var ejectedLoops: Int
    /// When the last loop lets it in for a probe, and the rule that it broke there; nil when no loop has ejected it.
    package private(set) var ejection: Ejection?
    /// Whether some loop ignores health, as fewer than half of the group are well.
    package private(set) var isPanicking: Bool

    package struct Ejection: Sendable, Equatable {
        package let until: Instant
        package let rule: OutlierRecord.Rule
    }

    /// Who keeps new requests from an endpoint.
    package enum Speaker: String, Sendable, Hashable {
        case gossip
        case traffic
        case both
    }

    /// Who speaks against the endpoint; nil when it is well by both words. Traffic speaks when most loops have ejected it:
    /// one loop's ejection leaves it with nearly all of its requests.
    package var speaker: Speaker? {
        switch (word.isAgainst || word == .draining, ejectedLoops * 2 > loops) {
        case (false, false): nil
        case (true, false): .gossip
        case (false, true): .traffic
        case (true, true): .both
        }
    }

    /// Adds what another loop knows of the same endpoint.
    package mutating func merge(_ other: EndpointSummary) {
        // Loops without requests still have an estimate; one keeps it from counting for nothing.
        let (mine, theirs) = (max(1, requests), max(1, other.requests))
        if let own = latency, let others = other.latency {
            latency = (own * mine + others * theirs) / (mine + theirs)
        } else {
            latency = latency ?? other.latency
        }
        penalty = max(penalty, other.penalty)
        pending += other.pending
        requests += other.requests
        failures += other.failures
        loops += other.loops
        ejectedLoops += other.ejectedLoops
        if let theirs = other.ejection, ejection.map({ $0.until < theirs.until }) ?? true { ejection = theirs }
        isPanicking = isPanicking || other.isPanicking
    }

    /// Adds up what loops know, endpoint by endpoint, in the order in which they first appear.
    package static func merged(_ loops: [[EndpointSummary]]) -> [EndpointSummary] {
        var places: [ID: Int] = [:]
        var merged: [EndpointSummary] = []
        for summary in loops.joined() {
            if let place = places[summary.endpoint] {
                merged[place].merge(summary)
            } else {
                places[summary.endpoint] = merged.count
                merged.append(summary)
            }
        }
        return merged
    }
}

extension EndpointSummary {
    init(_ endpoint: ID, _ slot: EndpointSlot, isPanicking: Bool, decay: Decay, at now: Instant) {
        self.endpoint = endpoint
        word = slot.word
        latency = slot.load.average.latency(at: now, decay: decay)
        penalty = slot.load.average.penalty(at: now, decay: decay)
        pending = slot.load.pending
        let totals = slot.outlier.totals(at: now)
        requests = totals.successes + totals.failures
        failures = totals.failures
        ejectedLoops = slot.outlier.isServing ? 0 : 1
        ejection =
            switch slot.outlier.state {
            case .serving: nil
            case .ejected(let until, let rule): Ejection(until: until, rule: rule)
            case .probing(_, let rule): Ejection(until: now, rule: rule)
            }
        self.isPanicking = isPanicking
    }
}

extension LoadBalancer {
    /// What this loop knows of each endpoint, in the order of their slots: stable while the group is.
    package func summary(at now: Instant) -> [EndpointSummary<ID>] {
        roster.all.compactMap { slot in
            identities[Int(slot)].map {
                EndpointSummary($0, slots[Int(slot)], isPanicking: roster.isPanicking, decay: decay, at: now)
            }
        }
    }
}

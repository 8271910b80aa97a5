package import WeftCore

/// What one event loop has carried since weftd started. Touched on its loop only; a scrape adds the loops up.
package struct TrafficCounters: Sendable, Equatable {
    /// Rows kept for single (source, destination) pairs; traffic of further pairs is counted under `TrafficPair.other`.
    package static let pairsMax = 1024

    package var accepted: UInt64 = 0
    package var open: Int = 0
    package var failed: UInt64 = 0
    package var bytesOut: UInt64 = 0
    package var bytesIn: UInt64 = 0
    /// Outbound connections whose owner the kernel could not name; they count as the host's.
    package var attributionMisses: UInt64 = 0
    /// Kernel look-ups for attribution (conntrack and sock_diag), and the time that they took together.
    package var attributions: UInt64 = 0
    package var attributionTime = Duration.zero
    /// Times that accepting stopped for want of descriptors or because of the connection limit.
    package var acceptPauses: UInt64 = 0
    package private(set) var endings: [Outcome: UInt64] = [:]
    /// Ended connections by their way and protection.
    package private(set) var securities: [SecurityKind: UInt64] = [:]
    package private(set) var pairs: [TrafficPair: PairCounters] = [:]

    package init() {}

    /// Counts a connection that has just been attributed and located.
    package mutating func opened(_ pair: TrafficPair) {
        pairs[admit(pair), default: PairCounters()].open += 1
    }

    /// Counts that a connection is carried request by request from now on.
    package mutating func requestsBegan(_ pair: TrafficPair) {
        pairs[admit(pair), default: PairCounters()].withRequests.began += 1
    }

    /// Counts a connection that has ended; `pair` is nil for one that ended before it was located.
    package mutating func closed(
        _ pair: TrafficPair?,
        bytesOut: UInt64,
        bytesIn: UInt64,
        outcome: Outcome,
        hadRequests: Bool = false
    ) {
        self.bytesOut += bytesOut
        self.bytesIn += bytesIn
        endings[outcome, default: 0] += 1
        if outcome.isFailure { failed += 1 }
        guard let pair else { return }
        var counters = pairs[admit(pair)] ?? PairCounters()
        counters.open -= 1
        counters.total += 1
        counters.bytesOut += bytesOut
        counters.bytesIn += bytesIn
        if outcome.isFailure { counters.failed += 1 }
        if hadRequests { counters.withRequests.count(bytesOut: bytesOut, bytesIn: bytesIn) }
        pairs[admit(pair)] = counters
    }

    /// Counts how the bytes of a connection that has ended were protected.
    package mutating func closed(_ security: Security, on path: Path) {
        securities[SecurityKind(path: path, security: security), default: 0] += 1
    }

    /// Adds another loop's counters to these.
    package mutating func merge(_ other: TrafficCounters) {
        accepted += other.accepted
        open += other.open
        failed += other.failed
        bytesOut += other.bytesOut
        bytesIn += other.bytesIn
        attributionMisses += other.attributionMisses
        attributions += other.attributions
        attributionTime += other.attributionTime
        acceptPauses += other.acceptPauses
        endings.merge(other.endings, uniquingKeysWith: +)
        securities.merge(other.securities, uniquingKeysWith: +)
        for (pair, counters) in other.pairs {
            pairs[admit(pair), default: PairCounters()].merge(counters)
        }
    }

    private func admit(_ pair: TrafficPair) -> TrafficPair {
        pairs[pair] != nil || pairs.count < Self.pairsMax ? pair : .other
    }
}

/// A way and its protection.
package struct SecurityKind: Hashable, Sendable {
    package let path: Path
    package let security: Security
}

/// Who talks to what, coarse enough to count: units and services, never addresses.
package struct TrafficPair: Hashable, Sendable {
    /// The unit, `host`, or `remote` for clients on other hosts.
    package let source: String
    package let tenant: String
    /// The service, or the path's name where there is none.
    package let destination: String
    package let path: Path

    package init(source: String, tenant: String, destination: String, path: Path) {
        self.source = source
        self.tenant = tenant
        self.destination = destination
        self.path = path
    }

    /// Where pairs beyond the limit are counted together.
    package static let other = TrafficPair(source: "other", tenant: "other", destination: "other", path: .outside)
}

/// Counts of one pair.
package struct PairCounters: Sendable, Equatable {
    package var open = 0
    package var total: UInt64 = 0
    package var failed: UInt64 = 0
    package var bytesOut: UInt64 = 0
    package var bytesIn: UInt64 = 0
    /// What of all this was carried request by request, and is counted as requests too.
    package var withRequests = RequestShare()

    package init() {}

    /// Adds other counts to these.
    package mutating func merge(_ other: PairCounters) {
        open += other.open
        total += other.total
        failed += other.failed
        bytesOut += other.bytesOut
        bytesIn += other.bytesIn
        withRequests.merge(other.withRequests)
    }

    /// Connections that were carried request by request, since weftd started.
    package struct RequestShare: Sendable, Equatable {
        package fileprivate(set) var began: UInt64 = 0
        package private(set) var ended: UInt64 = 0
        package private(set) var bytesOut: UInt64 = 0
        package private(set) var bytesIn: UInt64 = 0

        fileprivate mutating func count(bytesOut: UInt64, bytesIn: UInt64) {
            ended += 1
            self.bytesOut += bytesOut
            self.bytesIn += bytesIn
        }

        fileprivate mutating func merge(_ other: RequestShare) {
            began += other.began
            ended += other.ended
            bytesOut += other.bytesOut
            bytesIn += other.bytesIn
        }
    }
}

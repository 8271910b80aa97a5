internal import WeftCore

/// The network between the hosts: who reaches whom, and what packets suffer on the way. It knows nothing of what it
/// carries. Faults are set from outside, and hold from then on for everything that is sent.
package struct SimulatedNetwork: Sendable {
    /// Every link's conditions, unless a host at one of its ends has its own.
    package var conditions = LinkConditions()
    package var streams = StreamConditions()
    /// Conditions of everything from and to a host; never iterated.
    package var hostConditions: [Int: LinkConditions] = [:]
    /// The island that each host is on; hosts that are left out are on island 0. Different islands cannot talk.
    package var islands: [Int: Int] = [:]
    /// Links that are cut in one direction only.
    package var cutLinks: Set<Link> = []

    package init() {}

    /// A direction between two hosts.
    package struct Link: Hashable, Sendable, Comparable {
        package let from: Int
        package let to: Int

        package init(from: Int, to: Int) {
            self.from = from
            self.to = to
        }

        package static func < (left: Link, right: Link) -> Bool { (left.from, left.to) < (right.from, right.to) }
    }

    /// Takes all faults back.
    package mutating func heal(_ conditions: LinkConditions = LinkConditions()) {
        self = SimulatedNetwork()
        self.conditions = conditions
    }

    /// Packets in this direction arrive, loss aside.
    package func isOpen(from: Int, to: Int) -> Bool {
        if !islands.isEmpty, islands[from, default: 0] != islands[to, default: 0] { return false }
        return cutLinks.isEmpty || !cutLinks.contains(Link(from: from, to: to))
    }

    /// The worse of what the ends and the network in general have.
    private func conditions(from: Int, to: Int) -> LinkConditions {
        guard !hostConditions.isEmpty else { return conditions }
        return hostConditions[to] ?? hostConditions[from] ?? conditions
    }

    /// How long each copy of a datagram takes; none when it is lost.
    package func copies(from: Int, to: Int, using random: inout SeededRandom) -> [Duration] {
        guard isOpen(from: from, to: to) else { return [] }
        let link = conditions(from: from, to: to)
        guard !random.chance(link.loss) else { return [] }
        let first = transit(link, using: &random)
        return random.chance(link.duplication) ? [first, transit(link, using: &random)] : [first]
    }

    private func transit(_ link: LinkConditions, using random: inout SeededRandom) -> Duration {
        let usual = link.delay + random.duration(.zero...link.jitter)
        return random.chance(link.reordering) ? usual + random.duration(.zero...link.holdback) : usual
    }
}

// MARK: - Streams

extension SimulatedNetwork {
    /// How long a handshake takes from now; nil when the first packet or its answer is lost, and TCP tries again later.
    package func handshake(from: Int, to: Int, using random: inout SeededRandom) -> Duration? {
        guard isOpen(from: from, to: to), isOpen(from: to, to: from) else { return nil }
        let link = conditions(from: from, to: to)
        guard !random.chance(link.loss), !random.chance(link.loss) else { return nil }
        return transit(link, using: &random) + transit(link, using: &random)
    }

    /// How long a message takes on an open stream; nil while the link is cut. Flights double from 10 segments on, as in
    /// slow start. What is lost in a flight is sent again after `retransmission`, as often as it takes.
    package func transfer(_ byteCount: Int, from: Int, to: Int, using random: inout SeededRandom) -> Duration? {
        guard isOpen(from: from, to: to), isOpen(from: to, to: from) else { return nil }
        let link = conditions(from: from, to: to)
        var remaining = max(1, (byteCount + Self.segmentPayload - 1) / Self.segmentPayload)
        var total = transit(link, using: &random) + Self.timePerSegment * remaining
        var window = Self.firstWindow
        while remaining > 0 {
            let flight = min(window, remaining)
            let flightLoss = 1 - Self.power(1 - link.loss, flight)
            var timeout = Self.retransmission
            while random.chance(flightLoss), timeout < .seconds(10) {
                total += flight > 3 ? link.delay * 2 + link.jitter + .milliseconds(1) : timeout
                timeout = timeout * 2
            }
            remaining -= flight
            window *= 2
            if remaining > 0 { total += link.delay * 2 + link.jitter }
        }
        return total
    }

    private static let segmentPayload = 1448
    private static let firstWindow = 10
    /// The least time until TCP sends again what nobody acknowledged (Linux: 200 ms).
    private static let retransmission = Duration.milliseconds(200)
    /// At 1 Gbit/s.
    private static let timePerSegment = Duration.microseconds(12)

    private static func power(_ base: Double, _ exponent: Int) -> Double {
        var result = 1.0
        for _ in 0..<min(exponent, 10_000) { result *= base }
        return result
    }
}

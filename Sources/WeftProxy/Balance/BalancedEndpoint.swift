/// What a balancer is told of one endpoint: everything but what traffic shows.
package struct BalancedEndpoint<ID: Hashable & Sendable>: Sendable {
    /// What stays the same while the endpoint does, such as node and address. The balancer hands back the one that it
    /// was given last, so a value that compares by these may carry more.
    package let id: ID
    /// The same number on every host and loop, such as a `StableHash` of node and address: consistent hashing goes by it.
    package let hash: UInt64
    package let weight: EndpointWeight
    package let distance: EndpointDistance
    package let word: GossipWord

    package init(
        _ id: ID,
        hash: UInt64,
        weight: EndpointWeight = .standard,
        distance: EndpointDistance = .unknown,
        word: GossipWord = .healthy
    ) {
        self.id = id
        self.hash = hash
        self.weight = weight
        self.distance = distance
        self.word = weight.number == 0 && word == .healthy ? .draining : word
    }
}

/// What gossip says of an endpoint.
package enum GossipWord: String, Sendable, Hashable, CaseIterable {
    case healthy
    /// Its own host calls it unhealthy.
    case unhealthy
    /// Its host does not answer probes, and may be dead.
    case hostSuspected = "host-suspected"
    /// It finishes what it has and wants nothing new.
    case draining

    /// Whether it is a word against the endpoint. Draining is none: such an endpoint is not of the group any more.
    var isAgainst: Bool { self == .unhealthy || self == .hostSuspected }
}

/// How much of a group's traffic an endpoint is meant to get, related to the others: 0 to 1000, 100 when nothing is said.
/// With 0 it gets none, as if it were draining.
package struct EndpointWeight: Sendable, Hashable {
    /// The label that sets it.
    package static let label = "weight"
    package static let standard = EndpointWeight(100)
    /// With more, the smallest of a group would hardly ever be tried.
    package static let maximum = 1000

    package let number: Int

    /// Held within 0 to 1000.
    package init(_ number: Int) { self.number = min(max(0, number), Self.maximum) }

    /// By the label's text; the standard weight for anything but a whole number from 0 to 1000. Gossip brings labels from
    /// other hosts, whose mistakes must not decide.
    package init(label: String?) {
        guard let label, (1...4).contains(label.utf8.count),
            label.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int(label), number <= Self.maximum
        else {
            self = .standard
            return
        }
        self.init(number)
    }
}

/// How far away an endpoint is from this host.
package enum EndpointDistance: Sendable, Hashable {
    /// On this host.
    case here
    /// The estimated round-trip time of the network, as gossip's coordinates have it.
    case roundTrip(Duration)
    case unknown
}

package import WeftCore

/// All endpoints of one service at one port: what a virtual address and port stand for.
package final class EndpointGroup: Sendable {
    package let service: ServiceName
    package let port: UInt16
    /// Never empty: the one on this host first, the others by node.
    package let endpoints: [Endpoint]
    /// Those that connections go to: the healthy ones, or all when none is healthy, as trying beats giving up.
    private let chosen: [Endpoint]
    /// The group's place among the counters of a `RoundRobin`.
    private let slot: Int

    init(service: ServiceName, port: UInt16, endpoints: [Endpoint]) {
        precondition(!endpoints.isEmpty, "\(service):\(port) has no endpoints and needs no group")
        self.service = service
        self.port = port
        self.endpoints = endpoints
        let healthy = endpoints.filter(\.isHealthy)
        self.chosen = healthy.isEmpty ? endpoints : healthy
        let hash = StableHash(service.text.utf8, purpose: 11).value &+ UInt64(port)
        self.slot = Int(truncatingIfNeeded: hash) & (RoundRobin.slotCount - 1)
    }

    /// The endpoint whose turn it is.
    package func next(_ turns: inout RoundRobin) -> Endpoint {
        chosen[Int(turns.take(slot) % UInt32(truncatingIfNeeded: chosen.count))]
    }
}

extension EndpointGroup: Equatable {
    package static func == (left: EndpointGroup, right: EndpointGroup) -> Bool {
        left === right
            || left.service == right.service && left.port == right.port && left.endpoints == right.endpoints
    }
}

/// Whose turn it is, for each service: one for each event loop, beside its snapshot and longer-lived than it.
///
/// Services have counters of their own, so that a client which calls two in turn does not always meet the same endpoint
/// of each; where two services share a counter the turns are uneven and nothing else. The start differs by seed, or all
/// loops of all hosts would begin with the same endpoint.
package struct RoundRobin: Sendable {
    /// A power of two. One kilobyte in all.
    static let slotCount = 256

    private var counters: [UInt32]

    /// `seed` differs from loop to loop and from host to host.
    package init(seed: UInt64) {
        var seedBytes: [UInt8] = []
        seedBytes.append(number: seed, bytes: 8)
        self.counters = (0..<Self.slotCount).map {
            // 16 bits, so that the first overflow, an unevenness, is four billion connections away.
            UInt32(StableHash(seedBytes + [UInt8(truncatingIfNeeded: $0)], purpose: 12).value & 0xffff)
        }
    }

    mutating func take(_ slot: Int) -> UInt32 {
        defer { counters[slot] &+= 1 }
        return counters[slot]
    }
}

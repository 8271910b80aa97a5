internal import WeftCatalog
internal import WeftCore
internal import WeftProxy

/// The balancers of one event loop, kept in step with its snapshot: a group that has changed is told to its balancer when
/// the next request goes there.
struct LoopBalancers {
    typealias Balancer = LoadBalancer<BalancedTarget>
    typealias Choice = Balancer.Choice
    typealias Ticket = Balancer.Ticket
    typealias Tried = Balancer.Tried

    private var table = BalancerTable<EndpointGroup.Key, BalancedTarget>()
    /// What each balancer was told last.
    private var known: [EndpointGroup.Key: Known] = [:]
    /// How far away other hosts are.
    var distances: [NodeName: Duration] = [:] {
        didSet { distancesCount += 1 }
    }
    private var distancesCount = 0

    private struct Known {
        let group: EndpointGroup
        let prefersNear: Bool
        let distancesCount: Int
    }

    /// Nil when all endpoints of the group have been tried.
    mutating func pick(
        from group: EndpointGroup,
        preferringNear prefersNear: Bool,
        affinity: AffinityKey?,
        excluding tried: Tried,
        isRetryable: Bool,
        now: Instant,
        using random: inout some RandomNumberGenerator
    ) -> Choice? {
        learn(group, prefersNear, now)
        return table.with(group.key, at: now) {
            $0.pick(affinity: affinity, excluding: tried, isRetryable: isRetryable, at: now, using: &random)
        } ?? nil
    }

    mutating func started(_ choice: Choice, now: Instant) -> Ticket? {
        table.with(choice.endpoint.group, at: now) { $0.started(choice, at: now) } ?? nil
    }

    mutating func answered(
        _ ticket: inout Ticket,
        _ verdict: RequestVerdict,
        now: Instant,
        using random: inout some RandomNumberGenerator
    ) {
        _ = table.with(ticket.endpoint.group, at: now) { $0.answered(&ticket, verdict, at: now, using: &random) }
    }

    mutating func ended(
        _ ticket: inout Ticket,
        _ verdict: RequestVerdict,
        now: Instant,
        using random: inout some RandomNumberGenerator
    ) {
        _ = table.with(ticket.endpoint.group, at: now) { $0.ended(&ticket, verdict, at: now, using: &random) }
    }

    mutating func withdrawn(_ ticket: inout Ticket, now: Instant) {
        _ = table.with(ticket.endpoint.group, at: now) { $0.withdrawn(&ticket, at: now) }
    }

    /// What this loop knows of every endpoint that it has sent something to.
    func summaries(now: Instant) -> [EndpointSummary<BalancedTarget>] { table.summaries(at: now) }

    private mutating func learn(_ group: EndpointGroup, _ prefersNear: Bool, _ now: Instant) {
        let old = known[group.key]
        if let old, old.group === group, old.prefersNear == prefersNear,
            !prefersNear || old.distancesCount == distancesCount
        {
            return
        }
        if known.count >= table.groupsMax { known = [:] }
        known[group.key] = Known(group: group, prefersNear: prefersNear, distancesCount: distancesCount)
        // A balancer keeps the settings that it was made with.
        if let old, old.prefersNear != prefersNear { table.remove(group.key) }
        var settings = BalanceSettings()
        settings.prefersNear = prefersNear
        let endpoints = group.endpoints.map { endpoint in
            BalancedEndpoint(endpoint, of: group, roundTrip: endpoint.node.flatMap { distances[$0] })
        }
        table.update(group.key, endpoints, settings: settings, at: now)
    }
}

/// An endpoint as a balancer knows it: the same one as long as its host and address stay.
struct BalancedTarget: Hashable, Sendable {
    let group: EndpointGroup.Key
    let endpoint: Endpoint

    static func == (left: BalancedTarget, right: BalancedTarget) -> Bool {
        left.endpoint.node == right.endpoint.node && left.endpoint.address == right.endpoint.address
    }

    func hash(into hasher: inout Hasher) { hasher.combine(endpoint.address) }
}

extension BalancedEndpoint<BalancedTarget> {
    fileprivate init(_ endpoint: Endpoint, of group: EndpointGroup, roundTrip: Duration?) {
        self.init(
            BalancedTarget(group: group.key, endpoint: endpoint),
            hash: AffinityKey("\(endpoint.node?.text ?? "") \(endpoint.address)".utf8).number,
            weight: EndpointWeight(label: endpoint.labels[EndpointWeight.label]),
            distance: endpoint.isLocal ? .here : roundTrip.map { .roundTrip($0) } ?? .unknown,
            word: endpoint.isHealthy ? .healthy : .unhealthy
        )
    }
}

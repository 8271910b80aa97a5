package import WeftCore

/// Who may send to a service's application now, who waits, and who is refused: fair between tenants. One for each service
/// and event loop, in front of the application.
///
/// **The rule.** There are `capacity` places. A free place goes to the first who comes. When there is none, requests wait
/// in a queue for each tenant, and a place that becomes free goes to the waiting tenant that holds the fewest places for
/// its weight; of equals, to the one whose first request has waited longest. When too many wait, the tenant with the
/// longest queue for its weight loses its newest request.
///
/// **Why this rule.** It is max-min fairness of places held, weighted (progressive filling; with one resource, Dominant
/// Resource Fairness, Ghodsi et al., NSDI 2011). What is scarce here is the application's attention, places times time,
/// and the time that a request takes is not known before. Deficit round robin (Shreedhar and Varghese, 1995) is fair in
/// what was paid for at the door: a tenant whose requests take 100 times longer would hold nearly all places. Places held
/// are a measure of what is really used, need no guess, and have no memory to be gamed. Dropping from the longest queue
/// (McKenney, "Stochastic Fairness Queueing", 1990) keeps a flood from filling the room in which others wait.
///
/// **What follows.** A tenant that holds less than its share waits for one place at most for each of its own requests
/// before; a flood, ten times or a thousand times what fits, does not lengthen that. Nobody is interrupted.
///
/// Bounded: `pendingMax` waiting requests, 64 tenants; further tenants share one place among them. Deterministic: the same
/// events give the same actions. The shell's duties: one `finished` for each request that was let in, one `cancelled` for
/// each that left while it waited, `expire` now and then while any wait; it carries out the actions in order.
package struct FairAdmission: Sendable {
    package static let tenantsMax = 64

    package enum Action: Hashable, Sendable {
        /// A request that waited may go on.
        case start(RequestToken)
        /// A request that waited is refused.
        case refuse(RequestToken, ResponseFlag)
    }

    package enum Arrival: Hashable, Sendable {
        case started
        /// An action will tell of it.
        case waiting
        case refused(ResponseFlag)
    }

    var tenants: BoundedTable<TenantName, TenantQueue>
    private var weights: [TenantName: Int]
    private var capacityMax: Int
    private var pendingMax: Int
    private var pendingTimeout: Duration
    /// Places now: `capacityMax`, or less while the daemon sheds load.
    package private(set) var capacity: Int
    /// Places held when shedding began; nil while it does not.
    private var sheddingBase: Int?
    package private(set) var inFlight = 0
    package private(set) var waiting = 0
    private var arrivals: UInt64 = 0

    /// - Parameter loops: event loops that share the service's bounds.
    package init(policy: ServicePolicy, loops: Int) {
        capacityMax = ServicePolicy.share(of: policy.requestsMax, loops: loops)
        capacity = capacityMax
        pendingMax = policy.pendingMax == 0 ? 0 : ServicePolicy.share(of: policy.pendingMax, loops: loops)
        pendingTimeout = policy.pendingTimeout
        weights = policy.tenantWeights
        tenants = BoundedTable(capacity: Self.tenantsMax, overflow: TenantQueue(weight: 1))
    }

    /// A request has come.
    ///
    /// - Parameters:
    ///   - token: names it in actions; the shell's choice.
    ///   - hint: kept with the connection, for its tenant.
    package mutating func arrived(
        _ token: RequestToken,
        tenant: TenantName,
        hint: inout TableHint,
        now: Instant,
        into actions: inout [Action]
    ) -> (arrival: Arrival, place: TenantPlace) {
        let place = TenantPlace(index: self.place(of: tenant, &hint))
        arrivals &+= 1
        if inFlight < capacity, waiting == 0 {
            inFlight += 1
            tenants.update(place.index) { $0.inFlight += 1 }
            return (.started, place)
        }
        if waiting >= room, !makeRoom(for: place.index, into: &actions) {
            return (.refused(overflowFlag), place)
        }
        let request = WaitingRequest(token: token, number: arrivals, deadline: now + pendingTimeout)
        tenants.update(place.index) { $0.append(request) }
        waiting += 1
        return (.waiting, place)
    }

    /// A request that was let in is over, or has become a stream that counts as a connection.
    package mutating func finished(_ place: TenantPlace, into actions: inout [Action]) {
        precondition(inFlight > 0, "a request finished that was not let in")
        inFlight -= 1
        tenants.update(place.index) { $0.inFlight -= 1 }
        startWaiting(into: &actions)
    }

    /// A request left while it waited. Does nothing for one that an action has told of already.
    package mutating func cancelled(_ token: RequestToken, _ place: TenantPlace) {
        if tenants.update(place.index, { $0.remove(token) }) { waiting -= 1 }
    }

    /// Refuses those that have waited for too long.
    package mutating func expire(now: Instant, into actions: inout [Action]) {
        for place in 0..<tenants.slotCount {
            while let first = tenants[place].first, first.deadline <= now {
                _ = tenants.update(place) { $0.removeFirst() }
                waiting -= 1
                actions.append(.refuse(first.token, isShedding ? .overloaded : .pendingTimeout))
            }
        }
    }

    /// The service's numbers have changed. Requests that wait keep the deadline that they had.
    package mutating func policyChanged(_ policy: ServicePolicy, loops: Int, into actions: inout [Action]) {
        let new = FairAdmission(policy: policy, loops: loops)
        (capacityMax, pendingMax) = (new.capacityMax, new.pendingMax)
        (pendingTimeout, weights) = (new.pendingTimeout, new.weights)
        capacity = isShedding ? min(capacity, capacityMax) : capacityMax
        for place in 1..<max(1, tenants.slotCount) {
            guard let tenant = tenants.key(at: place) else { continue }
            tenants.update(place) { $0.weight = Self.weight(of: tenant, in: weights) }
        }
        settle(into: &actions)
    }

    /// The daemon has begun to shed load, sheds more or less of it, or has stopped.
    ///
    /// Shedding counts from the places that are held when it begins, as `requestsMax` says nothing of what this host can
    /// carry. Those who are in stay; the room to wait shrinks to as many as there are places.
    package mutating func pressureChanged(_ pressure: Pressure, into actions: inout [Action]) {
        switch pressure {
        case .none:
            sheddingBase = nil
            capacity = capacityMax
        case .shedding(let percent):
            let base = sheddingBase ?? max(1, inFlight)
            sheddingBase = base
            capacity = min(capacityMax, max(1, base * percent / 100))
        }
        settle(into: &actions)
    }
}

/// Names a request towards `FairAdmission`; unique on its event loop while the request lives.
package struct RequestToken: Hashable, Sendable {
    package let number: UInt64

    package init(_ number: UInt64) { self.number = number }
}

/// Whose share a request counts against. Valid while the request is waiting or let in.
package struct TenantPlace: Hashable, Sendable {
    let index: Int
}

// MARK: - Choosing

extension FairAdmission {
    private var isShedding: Bool { sheddingBase != nil }

    private var room: Int { isShedding ? min(pendingMax, capacity) : pendingMax }

    private var overflowFlag: ResponseFlag { isShedding ? .overloaded : .pendingOverflow }

    private mutating func place(of tenant: TenantName, _ hint: inout TableHint) -> Int {
        tenants.place(
            of: tenant,
            hint: &hint,
            isForgettable: { $0.inFlight == 0 && $0.count == 0 },
            make: { TenantQueue(weight: Self.weight(of: tenant, in: weights)) }
        )
    }

    private static func weight(of tenant: TenantName, in weights: [TenantName: Int]) -> Int {
        max(1, weights[tenant] ?? 1)
    }

    /// Makes the queues fit the bounds, after these have changed.
    private mutating func settle(into actions: inout [Action]) {
        while waiting > room, let longest = longestQueue() { dropNewest(of: longest, into: &actions) }
        startWaiting(into: &actions)
    }

    private mutating func startWaiting(into actions: inout [Action]) {
        while inFlight < capacity, waiting > 0, let place = neediest() {
            guard let request = tenants.update(place, { $0.removeFirst() }) else { return }
            waiting -= 1
            inFlight += 1
            tenants.update(place) { $0.inFlight += 1 }
            actions.append(.start(request.token))
        }
    }

    /// The waiting tenant with the fewest places for its weight.
    private func neediest() -> Int? {
        var best: (place: Int, number: UInt64)?
        for place in 0..<tenants.slotCount {
            guard let first = tenants[place].first else { continue }
            guard let (other, number) = best else {
                best = (place, first.number)
                continue
            }
            // places / weight, compared without dividing
            let mine = tenants[place].inFlight * tenants[other].weight
            let others = tenants[other].inFlight * tenants[place].weight
            if (mine, first.number) < (others, number) { best = (place, first.number) }
        }
        return best?.place
    }

    /// The tenant with the longest queue for its weight; of equals, the one with the lower place.
    private func longestQueue() -> Int? {
        var best: Int?
        for place in 0..<tenants.slotCount where tenants[place].count > 0 {
            guard let other = best else {
                best = place
                continue
            }
            if isLonger(place, than: other, extra: 0) { best = place }
        }
        return best
    }

    private func isLonger(_ place: Int, than other: Int, extra: Int) -> Bool {
        tenants[place].count * tenants[other].weight > (tenants[other].count + extra) * tenants[place].weight
    }

    /// Whether the newcomer gets the place of a tenant that has more waiting than its own would then have.
    private mutating func makeRoom(for newcomer: Int, into actions: inout [Action]) -> Bool {
        guard let longest = longestQueue(), isLonger(longest, than: newcomer, extra: 1) else { return false }
        dropNewest(of: longest, into: &actions)
        return true
    }

    private mutating func dropNewest(of place: Int, into actions: inout [Action]) {
        guard let request = tenants.update(place, { $0.removeLast() }) else { return }
        waiting -= 1
        actions.append(.refuse(request.token, overflowFlag))
    }
}

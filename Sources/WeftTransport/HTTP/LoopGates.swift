internal import NIOCore
package import WeftCore
internal import WeftProxy

/// What governs the requests to each service: from the host configuration, the same for all loops.
package struct ServicePolicies: Sendable {
    package struct Entry: Sendable {
        package let policy: ServicePolicy
        /// Counted for all loops together.
        let rates: ServiceRates
    }

    private var entries: [ServiceName: Entry] = [:]
    private static let standard = Entry(policy: ServicePolicy(), rates: ServiceRates())

    package init() {}

    /// Takes the numbers of a new configuration; a service that had a rate keeps what was used of it.
    package mutating func update(_ policies: [ServiceName: ServicePolicy]) {
        let old = entries
        entries = [:]
        for (service, policy) in policies {
            entries[service] = Entry(policy: policy, rates: old[service]?.rates ?? ServiceRates())
        }
    }

    package subscript(service: ServiceName?) -> Entry { service.flatMap { entries[$0] } ?? Self.standard }
}

/// A request that may have to wait at the door of a service.
protocol GateWaiter: AnyObject {
    /// The wait is over.
    func admitted()
    /// Waiting was in vain.
    func turnedAway(_ flag: ResponseFlag)
}

/// The doors before this host's services, on one event loop: who comes in now, who waits, who is refused.
final class LoopGates {
    /// How exactly the limit of waiting is kept.
    private static let expiryStep = TimeAmount.milliseconds(50)

    private let eventLoop: any EventLoop
    private let loops: Int
    private let counts: SharedCounts
    /// As many as services that were called; this host has as many as it has.
    private var gates: [ServiceName: ServiceGate] = [:]
    private var waiting: [RequestToken: any GateWaiter] = [:]
    private var actions: [FairAdmission.Action] = []
    private var isPerforming = false
    private var expiry: Scheduled<Void>?
    private var pressure = Pressure.none
    var policies = ServicePolicies() {
        didSet { policiesChanged() }
    }

    init(eventLoop: any EventLoop, counts: SharedCounts, loops: Int) {
        self.eventLoop = eventLoop
        self.counts = counts
        self.loops = loops
    }

    private var now: Instant { .now(on: eventLoop) }

    // MARK: Connections

    /// A connection for the service has come. False is `connection-limit`; true counts it until `connectionClosed`.
    func connectionWanted(by service: ServiceName) -> Bool { with(service) { $0.connectionWanted() } }

    func connectionClosed(by service: ServiceName) { with(service) { $0.connectionClosed() } }

    // MARK: Requests

    /// A request for the service has come; `waiter` hears of it if it has to wait.
    func arrived(
        _ token: RequestToken,
        for service: ServiceName,
        from caller: inout ServiceGate.Caller,
        in waiter: any GateWaiter
    ) -> ServiceGate.Verdict {
        let now = self.now
        var gate = take(service)
        let verdict = gate.arrived(token, from: &caller, now: now, into: &actions)
        gates[service] = gate
        if case .waiting = verdict {
            waiting[token] = waiter
            scheduleExpiry()
        }
        perform()
        return verdict
    }

    /// A request that was let in is over.
    func finished(_ place: TenantPlace, for service: ServiceName) {
        var gate = take(service)
        gate.admission.finished(place, into: &actions)
        gates[service] = gate
        perform()
    }

    /// A request left while it waited.
    func cancelled(_ token: RequestToken, _ place: TenantPlace, for service: ServiceName) {
        guard waiting.removeValue(forKey: token) != nil else { return }
        with(service) { $0.admission.cancelled(token, place) }
    }

    func pressureChanged(_ pressure: Pressure) {
        self.pressure = pressure
        for service in gates.keys.sorted() { with(service) { $0.admission.pressureChanged(pressure, into: &actions) } }
        perform()
    }

    private func policiesChanged() {
        for service in gates.keys.sorted() {
            with(service) { $0.policyChanged(policies[service].policy, loops: loops, into: &actions) }
        }
        perform()
    }

    // MARK: Gates

    private func take(_ service: ServiceName) -> ServiceGate {
        // Out of the table while it changes, so that it is not copied.
        if let gate = gates.removeValue(forKey: service) { return gate }
        let entry = policies[service]
        var gate = ServiceGate(
            policy: entry.policy,
            rates: entry.rates,
            connections: counts.counter(of: service),
            loops: loops
        )
        gate.admission.pressureChanged(pressure, into: &actions)
        return gate
    }

    @discardableResult
    private func with<Result>(_ service: ServiceName, _ body: (inout ServiceGate) -> Result) -> Result {
        var gate = take(service)
        defer { gates[service] = gate }
        return body(&gate)
    }

    /// Tells those who waited, in order. Each may lead to more, which come behind.
    private func perform() {
        guard !isPerforming else { return }
        isPerforming = true
        var next = 0
        while next < actions.count {
            switch actions[next] {
            case .start(let token): waiting.removeValue(forKey: token)?.admitted()
            case .refuse(let token, let flag): waiting.removeValue(forKey: token)?.turnedAway(flag)
            }
            next += 1
        }
        actions.removeAll(keepingCapacity: true)
        isPerforming = false
    }

    private func scheduleExpiry() {
        guard expiry == nil, !waiting.isEmpty else { return }
        expiry = eventLoop.assumeIsolated().scheduleTask(in: Self.expiryStep) {
            self.expiry = nil
            self.expire()
        }
    }

    private func expire() {
        let now = self.now
        for service in gates.keys.filter({ gates[$0].map { $0.admission.waiting > 0 } ?? false }) {
            with(service) { $0.admission.expire(now: now, into: &actions) }
        }
        perform()
        scheduleExpiry()
    }
}

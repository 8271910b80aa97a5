package import WeftCore

/// The last door before a service's application, on one event loop: connections, rates, then places.
///
/// Rates come first: a caller that is over its rate must not take a place from one that is not. The answer to a refusal is
/// the shell's (`GatewayAnswer`), with `retryAfter` where weft knows it.
package struct ServiceGate: Sendable {
    package enum Verdict: Hashable, Sendable {
        /// Send it; report `finished` when it is over.
        case started(TenantPlace)
        /// Hold it until an action of `admission` names its token.
        case waiting(TenantPlace)
        case refused(ResponseFlag, retryAfter: Duration?)
    }

    /// Who asks: the same for all requests of a connection, and kept with it.
    package struct Caller: Sendable {
        package let key: CallerKey
        package let tenant: TenantName
        var hint = TableHint()

        package init(_ key: CallerKey, tenant: TenantName) {
            self.key = key
            self.tenant = tenant
        }
    }

    /// Told to clients that find the service full or weft overloaded: long enough that a client that waits so long does
    /// not add to a flood.
    private static let fullRetryAfter = Duration.seconds(1)

    package private(set) var policy: ServicePolicy
    private let rates: ServiceRates
    package var admission: FairAdmission
    private let connections: SharedCounts.Counter

    /// - Parameters:
    ///   - rates: the service's, shared by the loops.
    ///   - connections: the service's, shared by the loops.
    ///   - loops: event loops that share the service's bounds.
    package init(policy: ServicePolicy, rates: ServiceRates, connections: SharedCounts.Counter, loops: Int) {
        self.policy = policy
        self.rates = rates
        self.connections = connections
        admission = FairAdmission(policy: policy, loops: loops)
    }

    /// A request has come. `actions` may tell of others that had to go for it.
    package mutating func arrived(
        _ token: RequestToken,
        from caller: inout Caller,
        now: Instant,
        into actions: inout [FairAdmission.Action]
    ) -> Verdict {
        if policy.rate != nil || policy.callerRate != nil,
            let wait = rates.take(caller.key, policy: policy, now: now)
        {
            return .refused(.rateLimited, retryAfter: wait)
        }
        let (arrival, place) = admission.arrived(
            token,
            tenant: caller.tenant,
            hint: &caller.hint,
            now: now,
            into: &actions
        )
        switch arrival {
        case .started: return .started(place)
        case .waiting: return .waiting(place)
        case .refused(let flag): return .refused(flag, retryAfter: Self.fullRetryAfter)
        }
    }

    /// The service's numbers have changed; what is open and waiting stays.
    package mutating func policyChanged(
        _ policy: ServicePolicy,
        loops: Int,
        into actions: inout [FairAdmission.Action]
    ) {
        self.policy = policy
        admission.policyChanged(policy, loops: loops, into: &actions)
    }

    /// A connection to the application is wanted. False is `connection-limit`; true counts it until `connectionClosed`.
    package func connectionWanted() -> Bool { connections.take(below: policy.connectionsMax) }

    package func connectionClosed() { connections.release() }
}

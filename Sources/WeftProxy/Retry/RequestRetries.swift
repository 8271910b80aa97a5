package import WeftCore

/// The plan of one request: how often, when and where it may be tried. A value that lives with the request on its loop.
///
/// ```
/// attemptStarted ─► attemptFailed ─► .retry(at) ─► attemptStarted ...
///        │                └────────► .giveUp(why): the failure goes to the client
///        └─► responseStarted: from here on nothing is retried
/// ```
///
/// Duties of the shell: report each byte of the body that it forwards and let go of what it kept when told so; pick an
/// endpoint that was not tried (`AttemptFailure.isEndpointsFault` says which count); end a try when the instant of
/// `attemptStarted` has come, with `.timedOut`.
package struct RequestRetries: Sendable {
    package enum Action: Hashable, Sendable {
        /// Send it again at this time.
        case retry(at: Instant)
        /// The failure is the outcome.
        case giveUp(RetryRefusal)
    }

    /// What follows from a piece of the body.
    package enum BodyAction: Hashable, Sendable {
        /// Keep a copy: the request may be sent again.
        case keep
        /// Let go of everything kept, and keep no more.
        case letGo
    }

    /// Fixed by `RetryPolicy.countMax`: two retries.
    package static let attemptsMax = 3

    private let policy: RetryPolicy
    private let tryTimeout: Duration?
    private let isIdempotent: Bool
    /// When the client has to have the head of a response.
    package let deadline: Instant?
    private var bodyBytes = 0
    private var isBodyKept = true
    private var isResponseStarted = false
    private var attemptBegan: Instant
    /// What became of the tries so far, for the record.
    package private(set) var trail = AttemptTrail()

    /// - Parameter now: when the head of the request was complete.
    package init(policy: ServicePolicy, isIdempotent: Bool, now: Instant) {
        self.policy = policy.retry
        self.tryTimeout = policy.tryTimeout
        self.isIdempotent = isIdempotent
        self.deadline = policy.timeout.map { now + $0 }
        self.attemptBegan = now
    }

    /// Tries begun so far.
    package private(set) var attempts = 0

    /// A piece of the body has come from the client.
    package mutating func bodyReceived(bytes: Int) -> BodyAction {
        guard isBodyKept, !isResponseStarted, bytes <= policy.bodyBytesMax - bodyBytes else {
            isBodyKept = false
            return .letGo
        }
        bodyBytes += bytes
        return .keep
    }

    /// A try begins. Gives when the head of its response has to be there; nil is no limit.
    package mutating func attemptStarted(now: Instant) -> Instant? {
        attempts += 1
        attemptBegan = now
        guard let tryTimeout else { return deadline }
        return deadline.map { min($0, now + tryTimeout) } ?? now + tryTimeout
    }

    /// The first byte of a response goes to the client.
    package mutating func responseStarted() { isResponseStarted = true }

    /// A try failed.
    ///
    /// - Parameters:
    ///   - isConnectionReused: it went over a connection that had stood idle.
    ///   - isAnotherEndpointLeft: for the next try; counted by the shell, who knows the endpoints.
    package mutating func attemptFailed(
        _ failure: AttemptFailure,
        isConnectionReused: Bool,
        isAnotherEndpointLeft: Bool,
        budget: inout RetryBudgets,
        key: RetryKey,
        hint: inout TableHint,
        now: Instant,
        using rng: inout some RandomNumberGenerator
    ) -> Action {
        trail.append(AttemptRecord(failure, latency: now - attemptBegan))
        if let refusal = refusal(failure) { return .giveUp(refusal) }
        guard isAnotherEndpointLeft || !failure.isEndpointsFault(isConnectionReused: isConnectionReused) else {
            return .giveUp(.noOtherEndpoint)
        }
        let time = now + RetryBackoff.delay(before: attempts, using: &rng)
        if let deadline, time >= deadline { return .giveUp(.deadline) }
        // Last, so that a retry that is not sent costs nothing.
        guard budget.takeRetry(key, hint: &hint, policy: policy, now: now) else { return .giveUp(.budget) }
        return .retry(at: time)
    }

    /// The reasons that lie in the request itself.
    private func refusal(_ failure: AttemptFailure) -> RetryRefusal? {
        if isResponseStarted { return .responseStarted }
        switch failure.safety {
        case .never: return .final
        case .ifIdempotent where !isIdempotent: return .notIdempotent
        case .always, .ifIdempotent: break
        }
        if !isBodyKept { return .bodyGone }
        return attempts > min(policy.countMax, Self.attemptsMax - 1) ? .attemptsUsed : nil
    }
}

package import WeftCore

/// Whether the traffic of this event loop speaks for or against one endpoint.
///
/// ```
///              a rule is broken              the ejection ends
///   serving ───────────────────► ejected ───────────────────► (due) ── one request ──► probing
///      ▲                            ▲                                                     │
///      └──── it succeeds            └──── it fails: twice as long ────────────────────────┤
///      └──────────────────────────────────────────────────────────────────────────────────┘
/// ```
///
/// The record knows its own endpoint only. That never more than half of a group is out is the balancer's business, so a
/// broken rule is told, and `eject` is called or not. Ejections are per event loop: loops share nothing, and each sees
/// enough of an endpoint that matters to it.
package struct OutlierRecord: Sendable {
    /// The rule that an ejected endpoint broke.
    package enum Rule: String, Sendable, Hashable {
        case consecutiveFailures = "consecutive-failures"
        case successRate = "success-rate"
        /// The probe after an ejection failed.
        case probe
    }

    package enum State: Sendable, Equatable {
        case serving
        case ejected(until: Instant, for: Rule)
        /// The probe is on its way since then; `for` is the rule that led to the ejection.
        case probing(since: Instant, for: Rule)
    }

    package private(set) var state = State.serving
    private var consecutiveFailures = 0
    private var window = SuccessWindow()
    /// Ejections in a row; the next one lasts `ejectionMin` x 2^this.
    private var ejections = 0
    /// When the endpoint was let in again, after at least one ejection.
    private var readmitted: Instant?

    package init() {}

    package var isServing: Bool { state == .serving }

    /// Counts a request that went well.
    package mutating func succeeded(at now: Instant) {
        guard isServing else { return }
        consecutiveFailures = 0
        window.count(isSuccess: true, at: now)
    }

    /// Counts a request that failed; gives the rule that is broken by now, if one is. What was started before an
    /// ejection and fails during it counts for nothing: it tells what is known already.
    package mutating func failed(at now: Instant, _ settings: BalanceSettings) -> Rule? {
        guard isServing else { return nil }
        consecutiveFailures += 1
        window.count(isSuccess: false, at: now)
        if consecutiveFailures >= settings.consecutiveFailures { return .consecutiveFailures }
        let (successes, failures) = window.totals(at: now)
        let total = successes + failures
        let isEnough = total >= settings.successRateRequestsMin
        return isEnough && Double(successes) < settings.successRateMin * Double(total) ? .successRate : nil
    }

    /// Takes the endpoint out of service.
    package mutating func eject(
        for rule: Rule,
        at now: Instant,
        _ settings: BalanceSettings,
        using rng: inout some RandomNumberGenerator
    ) {
        if let readmitted, now - readmitted >= settings.ejectionMax { ejections = 0 }
        let length = Self.length(of: ejections, settings, using: &rng)
        ejections += 1
        state = .ejected(until: now + length, for: rule)
        consecutiveFailures = 0
        window = SuccessWindow()
    }

    /// When the next probe may go, for a request that could be retried elsewhere or one that could not; nil while the
    /// endpoint serves.
    package func probeTime(isRetryable: Bool, _ settings: BalanceSettings) -> Instant? {
        switch state {
        case .serving: nil
        case .ejected(let until, _): isRetryable ? until : until + settings.probeCaution
        case .probing(let since, _): since + settings.probePatience
        }
    }

    /// The probe is on its way.
    package mutating func probeStarted(at now: Instant) {
        switch state {
        case .serving: break
        case .ejected(_, let rule), .probing(_, let rule): state = .probing(since: now, for: rule)
        }
    }

    /// The probe ended and said nothing: the next request may try.
    package mutating func probeAbandoned(at now: Instant) {
        guard case .probing(_, let rule) = state else { return }
        state = .ejected(until: now, for: rule)
    }

    /// Takes the endpoint into service again: the probe succeeded, or too many are out.
    package mutating func readmit(at now: Instant) {
        guard !isServing else { return }
        state = .serving
        readmitted = now
    }

    /// `ejectionMin` x 2^`earlier` up to `ejectionMax`, less a random part.
    static func length(
        of earlier: Int,
        _ settings: BalanceSettings,
        using rng: inout some RandomNumberGenerator
    ) -> Duration {
        // 2^30 of the shortest is above any longest.
        let full = min(settings.ejectionMin * (1 << min(earlier, 30)), settings.ejectionMax)
        return full * (1 - Double.random(in: 0...settings.ejectionJitter, using: &rng))
    }

    /// Successes and failures in the window: for people.
    package func totals(at now: Instant) -> (successes: Int, failures: Int) { window.totals(at: now) }
}

import Testing
import WeftCore
import WeftProxy

/// The bar of the issue: with all endpoints down, at most 1.2 x load + 10 per second reaches them.
@Suite struct RetryStormTests {
    struct Storm: Sendable, CustomTestStringConvertible {
        let perSecond: Int
        let loops: Int
        let seconds: Int
        var failure = AttemptFailure.status(503)

        var testDescription: String { "\(perSecond)/s on \(loops) loops for \(seconds) s, \(failure)" }
    }

    /// What the endpoints see: one connect or answer for each try.
    private struct Outcome {
        var requests = 0
        var attempts = 0
    }

    @Test(arguments: [
        Storm(perSecond: 1, loops: 1, seconds: 60), Storm(perSecond: 10, loops: 4, seconds: 60),
        Storm(perSecond: 100, loops: 2, seconds: 30, failure: .connectFailed),
        Storm(perSecond: 100, loops: 2, seconds: 30, failure: .reset(reachedApplication: true)),
        Storm(perSecond: 1000, loops: 1, seconds: 15), Storm(perSecond: 1000, loops: 8, seconds: 15),
    ])
    func allEndpointsDown(_ storm: Storm) {
        let outcome = run(storm)
        let bound = 1.2 * Double(outcome.requests) + 10 * Double(storm.seconds)
        #expect(Double(outcome.attempts) <= bound)
        // The budget is used as well: not a tenth of what it allows beyond the requests is left, or all have their two.
        let retries = Double(outcome.attempts - outcome.requests)
        #expect(retries >= min(0.9 * (bound - Double(outcome.requests)), 2 * Double(outcome.requests)))
    }

    /// Requests come in at random, and each try fails at once.
    private func run(_ storm: Storm) -> Outcome {
        var rng = SplitMix64(seed: UInt64(storm.perSecond * 31 + storm.loops))
        let floors = SharedBuckets()
        var budgets = (0..<storm.loops).map { _ in RetryBudgets(floors: floors, secret: 9) }
        var hints = Array(repeating: TableHint(), count: storm.loops)
        let key = RetryKey(source: "web", service: name("api"))
        var outcome = Outcome()
        var retries = Agenda<(loop: Int, request: RequestRetries)>()

        func attempt(_ request: RequestRetries, _ loop: Int, _ now: Instant) {
            var request = request
            outcome.attempts += 1
            _ = request.attemptStarted(now: now)
            let action = request.attemptFailed(
                storm.failure,
                isConnectionReused: false,
                isAnotherEndpointLeft: true,
                budget: &budgets[loop],
                key: key,
                hint: &hints[loop],
                now: now,
                using: &rng
            )
            if case .retry(let time) = action { retries.add((loop, request), at: time) }
        }

        var now = Instant.at(.seconds(100))
        let end = now + .seconds(storm.seconds)
        while true {
            now = now + rng.exponential(.seconds(1) / storm.perSecond)
            while let (time, event) = retries.removeFirst(until: min(now, end)) {
                attempt(event.request, event.loop, time)
            }
            guard now < end else { return outcome }
            let loop = Int.random(in: 0..<storm.loops, using: &rng)
            outcome.requests += 1
            budgets[loop].countRequest(key, hint: &hints[loop], now: now)
            attempt(RequestRetries(policy: ServicePolicy(), isIdempotent: true, now: now), loop, now)
        }
    }
}

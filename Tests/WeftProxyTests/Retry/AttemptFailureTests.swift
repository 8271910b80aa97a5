import Testing
import WeftProxy

@Suite struct AttemptFailureTests {
    @Test(
        "Only what no application saw is safe for any method",
        arguments: [
            (AttemptFailure.connectFailed, RetrySafety.always), (.refusedStream, .always), (.beyondGoAway, .always),
            (.refusedByPeer, .always), (.reset(reachedApplication: false), .always),
            (.reset(reachedApplication: true), .ifIdempotent), (.timedOut(reachedApplication: false), .always),
            (.timedOut(reachedApplication: true), .ifIdempotent),
        ]
    )
    func safety(_ failure: AttemptFailure, _ safety: RetrySafety) {
        #expect(failure.safety == safety)
    }

    @Test func ofAllStatusesThreeAreRetried() {
        let retried = (UInt16(0)...999).filter { AttemptFailure.status($0).safety != .never }
        #expect(retried == [502, 503, 504])
        #expect(retried.allSatisfy { AttemptFailure.status($0).safety == .ifIdempotent })
    }

    @Test func onlyTheEndOfAConnectionThatCouldEndIsNobodysFault() {
        #expect(!AttemptFailure.beyondGoAway.isEndpointsFault(isConnectionReused: false))
        for reached in [true, false] {
            #expect(!AttemptFailure.reset(reachedApplication: reached).isEndpointsFault(isConnectionReused: true))
            #expect(AttemptFailure.reset(reachedApplication: reached).isEndpointsFault(isConnectionReused: false))
        }
        for failure: AttemptFailure in [
            .connectFailed, .timedOut(reachedApplication: true), .status(503), .refusedStream,
        ] {
            #expect(failure.isEndpointsFault(isConnectionReused: true))
        }
    }

    @Test(
        "The bounds of the first waits",
        arguments: [
            (0, 25), (1, 25), (2, 75), (3, 175), (4, 250), (5, 250), (1000, 250), (.max, 250),
        ]
    )
    func backoff(_ retry: Int, _ milliseconds: Int) {
        var rng = SplitMix64(seed: 5)
        let delays = (0..<4000).map { _ in RetryBackoff.delay(before: retry, using: &rng) }
        #expect(delays.allSatisfy { $0 >= .zero && $0 < .milliseconds(milliseconds) })
        // Full jitter: the mean of a uniform distribution, within four of its standard errors.
        let mean = delays.reduce(.zero, +) / delays.count
        #expect(mean > .milliseconds(milliseconds) * 0.48 && mean < .milliseconds(milliseconds) * 0.52)
    }
}

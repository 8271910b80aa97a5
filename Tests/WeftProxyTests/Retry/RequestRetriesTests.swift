import Testing
import WeftCore
import WeftProxy

@Suite struct RequestRetriesTests {
    /// One request with everything around it.
    private struct Bench {
        var retries: RequestRetries
        var budget = RetryBudgets(floors: SharedBuckets(), secret: 1)
        var hint = TableHint()
        var rng = SplitMix64(seed: 1)
        var now = Duration.seconds(50)

        init(isIdempotent: Bool = true, _ change: (inout ServicePolicy) -> Void = { _ in }) {
            var policy = ServicePolicy()
            change(&policy)
            retries = RequestRetries(policy: policy, isIdempotent: isIdempotent, now: .at(.seconds(50)))
        }

        /// Begins a try on an endpoint and fails it.
        mutating func fail(
            _ failure: AttemptFailure = .connectFailed,
            isReused: Bool = false,
            isAnotherLeft: Bool = true
        ) -> RequestRetries.Action {
            _ = retries.attemptStarted(now: .at(now))
            return retries.attemptFailed(
                failure,
                isConnectionReused: isReused,
                isAnotherEndpointLeft: isAnotherLeft,
                budget: &budget,
                key: RetryKey(source: "web", service: name("api")),
                hint: &hint,
                now: .at(now),
                using: &rng
            )
        }
    }

    private func isRetry(_ action: RequestRetries.Action) -> Bool {
        if case .retry = action { true } else { false }
    }

    @Test func twoRetriesAndNoMore() {
        var bench = Bench()
        #expect(isRetry(bench.fail(.connectFailed)))
        #expect(isRetry(bench.fail(.status(503))))
        #expect(bench.fail(.refusedByPeer) == .giveUp(.attemptsUsed))
        #expect(bench.retries.attempts == 3)
        let trail = bench.retries.trail
        #expect(trail.count == 3)
        #expect((0..<3).map { trail[$0]?.flag } == [.connectFailed, nil, .overloaded])
        #expect((0..<3).map { trail[$0]?.response } == [ResponseClass.none, .serverError, ResponseClass.none])
    }

    @Test(arguments: [0, 1, 2, 3, 100])
    func theNumberOfRetriesIsThePolicys(count: Int) {
        var bench = Bench { $0.retry.countMax = count }
        var retries = 0
        while isRetry(bench.fail()) { retries += 1 }
        #expect(retries == min(2, count))
    }

    @Test func aWaitIsWithinItsBounds() {
        for seed in 0..<200 as Range<UInt64> {
            var bench = Bench()
            bench.rng = SplitMix64(seed: seed)
            for bound in [25, 75] {
                guard case .retry(let time) = bench.fail() else {
                    Issue.record("no retry")
                    return
                }
                #expect(time >= .at(bench.now) && time - .at(bench.now) < .milliseconds(bound))
            }
        }
    }

    @Test func afterResponseBytesNothingIsRetried() {
        var bench = Bench()
        bench.retries.responseStarted()
        #expect(bench.fail(.connectFailed) == .giveUp(.responseStarted))
    }

    @Test func aMethodThatIsNotIdempotentIsRetriedOnlyUnseen() {
        for failure: AttemptFailure in [
            .connectFailed, .refusedStream, .beyondGoAway, .refusedByPeer, .reset(reachedApplication: false),
            .timedOut(reachedApplication: false),
        ] {
            var bench = Bench(isIdempotent: false)
            #expect(isRetry(bench.fail(failure)), "\(failure)")
        }
        for failure: AttemptFailure in [
            .reset(reachedApplication: true), .timedOut(reachedApplication: true), .status(503),
        ] {
            var bench = Bench(isIdempotent: false)
            #expect(bench.fail(failure) == .giveUp(.notIdempotent), "\(failure)")
        }
    }

    @Test func anAnswerOfTheApplicationIsFinal() {
        for status in [200, 404, 429, 500, 501, 505] as [UInt16] {
            var bench = Bench()
            #expect(bench.fail(.status(status)) == .giveUp(.final))
        }
    }

    @Test func aBodyIsKeptUpTo64KiB() {
        var bench = Bench()
        #expect(bench.retries.bodyReceived(bytes: 65_535) == .keep)
        #expect(bench.retries.bodyReceived(bytes: 1) == .keep)
        #expect(isRetry(bench.fail()))
        #expect(bench.retries.bodyReceived(bytes: 0) == .keep)
        #expect(bench.retries.bodyReceived(bytes: 1) == .letGo)
        #expect(bench.retries.bodyReceived(bytes: 0) == .letGo, "what is gone does not come back")
        #expect(bench.fail() == .giveUp(.bodyGone))
    }

    @Test func aBodyIsLetGoWithTheFirstByteOfTheResponse() {
        var bench = Bench()
        bench.retries.responseStarted()
        #expect(bench.retries.bodyReceived(bytes: 1) == .letGo)
    }

    @Test func withoutAnotherEndpointThereIsNoRetry() {
        var bench = Bench()
        #expect(bench.fail(isAnotherLeft: false) == .giveUp(.noOtherEndpoint))
        #expect(bench.budget.granted == 0, "and the budget is not touched")
    }

    @Test func afterAnIdleConnectionsEndTheSameEndpointIsAskedAgain() {
        var bench = Bench()
        #expect(isRetry(bench.fail(.reset(reachedApplication: true), isReused: true, isAnotherLeft: false)))
        var timedOut = Bench()
        #expect(
            timedOut.fail(.timedOut(reachedApplication: true), isReused: true, isAnotherLeft: false)
                == .giveUp(.noOtherEndpoint)
        )
    }

    @Test func theDeadlineHoldsForTheRequestAsAWhole() {
        var bench = Bench {
            $0.timeout = .seconds(2)
            $0.tryTimeout = .milliseconds(1500)
        }
        #expect(bench.retries.attemptStarted(now: .at(.seconds(50))) == .at(.milliseconds(51_500)))
        #expect(bench.retries.attemptStarted(now: .at(.milliseconds(51_000))) == .at(.seconds(52)))
        var second = Bench { $0.timeout = .seconds(2) }
        second.now = .seconds(52)
        #expect(second.fail() == .giveUp(.deadline))
        #expect(second.budget.granted == 0)
    }

    @Test func withoutTimeoutsNothingIsCut() {
        var bench = Bench()
        #expect(bench.retries.deadline == nil)
        #expect(bench.retries.attemptStarted(now: .at(.seconds(50))) == nil)
        var single = Bench { $0.tryTimeout = .seconds(1) }
        #expect(single.retries.attemptStarted(now: .at(.seconds(50))) == .at(.seconds(51)))
    }

    @Test func theBudgetIsAskedLastAndObeyed() {
        var bench = Bench { $0.retry.floorPerSecond = 0 }
        #expect(bench.fail() == .giveUp(.budget))
        #expect(bench.budget.refused == 1)
    }
}

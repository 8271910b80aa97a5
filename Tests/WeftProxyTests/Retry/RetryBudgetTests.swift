import Testing
import WeftCore
import WeftProxy

@Suite struct RetryBudgetTests {
    private let key = RetryKey(source: "web.service", service: name("api"))

    @Test func fiveRequestsPayForOneRetry() {
        var window = RetryWindow()
        for _ in 0..<4 { window.countRequest(now: .at(.seconds(3))) }
        #expect(window.takeRetry(percent: 20, now: .at(.seconds(3))) == false)
        window.countRequest(now: .at(.seconds(3)))
        #expect(window.takeRetry(percent: 20, now: .at(.seconds(3))) == true)
        #expect(window.takeRetry(percent: 20, now: .at(.seconds(3))) == false)
    }

    @Test func requestsPayForTenSecondsAndNotLonger() {
        for (later, isPaid) in [(Duration.milliseconds(9999), true), (.seconds(10), false), (.seconds(1000), false)] {
            var window = RetryWindow()
            for _ in 0..<5 { window.countRequest(now: .at(.seconds(20))) }
            #expect(window.isEmpty(now: .at(.seconds(20) + later)) == !isPaid)
            #expect(window.takeRetry(percent: 20, now: .at(.seconds(20) + later)) == isPaid)
        }
    }

    @Test func aClockThatGoesBackChangesNothing() {
        var window = RetryWindow()
        for _ in 0..<5 { window.countRequest(now: .at(.seconds(20))) }
        #expect(window.takeRetry(percent: 20, now: .at(.seconds(3))) == true)
        #expect(window.takeRetry(percent: 20, now: .at(.seconds(20))) == false)
    }

    @Test("Whatever the load, retries never exceed a fifth of all requests so far", arguments: 0..<40 as Range<UInt64>)
    func ratioHoldsForAllTime(seed: UInt64) {
        var rng = SplitMix64(seed: seed)
        var window = RetryWindow()
        var now = Duration.zero
        var (requests, retries) = (0, 0)
        for _ in 0..<3000 {
            now += Bool.random(using: &rng) ? .zero : .milliseconds(Int.random(in: 0...4000, using: &rng))
            if Int.random(in: 0..<3, using: &rng) == 0 {
                if window.takeRetry(percent: 20, now: .at(now)) { retries += 1 }
            } else {
                window.countRequest(now: .at(now))
                requests += 1
            }
            #expect(5 * retries <= requests)
        }
    }

    /// Asks for `count` retries at once.
    private func take(_ count: Int, _ budgets: inout RetryBudgets, policy: RetryPolicy = .init(), now: Duration) -> Int
    {
        var hint = TableHint()
        return (0..<count).count { _ in budgets.takeRetry(key, hint: &hint, policy: policy, now: .at(now)) }
    }

    @Test func theFloorGivesAHundredInTenSeconds() {
        var budgets = RetryBudgets(floors: SharedBuckets(), secret: 1)
        #expect(take(50, &budgets, now: .seconds(100)) == 10)
        // A moment late: intervals are rounded up.
        #expect(take(50, &budgets, now: .milliseconds(101_001)) == 9)
        var granted = 19
        for hundredth in 1...900 { granted += take(20, &budgets, now: .milliseconds(101_001 + 10 * hundredth)) }
        #expect(granted == 100)
        #expect(budgets.granted == 100)
        #expect(budgets.refused == 2 * 50 + 900 * 20 - 100)
    }

    @Test func loopsShareTheFloorAndAddTheirRatios() {
        let floors = SharedBuckets()
        var loops = (0..<4).map { _ in RetryBudgets(floors: floors, secret: 1) }
        var hint = TableHint()
        for _ in 0..<50 { loops[0].countRequest(key, hint: &hint, now: .at(.seconds(5))) }
        #expect(take(100, &loops[0], now: .seconds(5)) == 20, "10 of the ratio, 10 of the floor")
        #expect(loops.indices.dropFirst().map { take(100, &loops[$0], now: .seconds(5)) } == [0, 0, 0])
    }

    @Test func numbersOfThePolicyCount() {
        var policy = RetryPolicy()
        (policy.budgetPercent, policy.floorPerSecond) = (0, 0)
        var budgets = RetryBudgets(floors: SharedBuckets(), secret: 1)
        var hint = TableHint()
        for _ in 0..<100 { budgets.countRequest(key, hint: &hint, now: .at(.zero)) }
        #expect(take(10, &budgets, policy: policy, now: .zero) == 0)
        policy.budgetPercent = 100
        #expect(take(200, &budgets, policy: policy, now: .zero) == 100)
        policy.floorPerSecond = 3
        #expect(take(200, &budgets, policy: policy, now: .zero) == 3)
    }

    @Test func pairsHaveBudgetsOfTheirOwnUntilThereIsNoPlace() {
        var budgets = RetryBudgets(floors: SharedBuckets(), secret: 1, pairsMax: 8)
        func granted(_ source: Int, at now: Duration) -> Int {
            let key = RetryKey(source: "\(source)", service: name("api"))
            var hint = TableHint()
            for _ in 0..<5 { budgets.countRequest(key, hint: &hint, now: .at(now)) }
            return (0..<20).count { _ in budgets.takeRetry(key, hint: &hint, policy: .init(), now: .at(now)) }
        }
        #expect((0..<8).map { granted($0, at: .seconds(1)) } == Array(repeating: 11, count: 8))
        #expect(granted(8, at: .seconds(1)) == 11, "the first to share the common budget")
        #expect(granted(9, at: .seconds(1)) == 1, "the common floor is used up")
        #expect(budgets.overflows > 0)
        // Ten seconds later the old pairs are as good as new and give way.
        #expect((100..<108).map { granted($0, at: .seconds(12)) } == Array(repeating: 11, count: 8))
    }
}

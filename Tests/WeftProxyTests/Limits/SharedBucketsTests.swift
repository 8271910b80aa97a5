import Testing
import WeftCore

@testable import WeftProxy

@Suite struct SharedBucketsTests {
    @Test func aBurstThenTheRate() {
        let bucket = SharedBucket()
        let rate = rate(10, burst: 3)
        let start = Duration.seconds(7)
        #expect((0..<3).map { _ in bucket.take(at: rate, now: .at(start)) } == [nil, nil, nil])
        #expect(bucket.take(at: rate, now: .at(start)) == .milliseconds(100))
        #expect(bucket.wait(at: rate, now: .at(start)) == .milliseconds(100))
        #expect(bucket.take(at: rate, now: .at(start + .nanoseconds(99_999_999))) == .nanoseconds(1))
        #expect(bucket.take(at: rate, now: .at(start + .milliseconds(100))) == nil)
        #expect(bucket.take(at: rate, now: .at(start + .milliseconds(100))) == .milliseconds(100))
        #expect(bucket.wait(at: rate, now: .at(start + .milliseconds(200))) == nil)
        #expect((0..<4).count { _ in bucket.take(at: rate, now: .at(start + .seconds(60))) == nil } == 3)
    }

    @Test("As a bucket that is filled continuously", arguments: 0..<30 as Range<UInt64>)
    func agreesWithAReference(seed: UInt64) {
        var rng = SplitMix64(seed: seed)
        let perSecond = [1, 10, 100, 1000].randomElement(using: &rng) ?? 1
        let burst = Int.random(in: 1...20, using: &rng)
        let rate = rate(perSecond, burst: burst)
        let bucket = SharedBucket()
        var now: UInt64 = 1_000_000_000
        // In tokens x nanoseconds for one token, so that the reference is exact.
        let full = UInt64(burst) * rate.interval
        var level = full
        for _ in 0..<5000 {
            let step = UInt64.random(in: 0...2 * rate.interval, using: &rng)
            now += step
            level = min(full, level + step)
            let isExpected = level >= rate.interval
            if isExpected { level -= rate.interval }
            #expect((bucket.take(at: rate, now: Instant(nanoseconds: now)) == nil) == isExpected)
        }
    }

    @Test func whoWaitsAsToldIsLetThrough() throws {
        let bucket = SharedBucket()
        var rng = SplitMix64(seed: 3)
        var now = Instant.at(.seconds(1))
        for _ in 0..<1000 {
            while bucket.take(at: rate(300, burst: 5), now: now) == nil {}
            let wait = try #require(bucket.take(at: rate(300, burst: 5), now: now))
            #expect(bucket.take(at: rate(300, burst: 5), now: now + (wait - .nanoseconds(1))) == .nanoseconds(1))
            now = now + wait
            #expect(bucket.take(at: rate(300, burst: 5), now: now) == nil)
            now = now + .microseconds(Int.random(in: 0...9000, using: &rng))
        }
    }

    @Test func manyLoopsGetTheBurstBetweenThem() async {
        let buckets = SharedBuckets()
        let rate = rate(1, burst: 2000)
        let now = Instant.at(.seconds(9))
        #expect(buckets.take(77, at: rate, now: now) == nil)
        let taken = await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask { (0..<1000).count { _ in buckets.take(77, at: rate, now: now) == nil } }
            }
            return await group.reduce(1, +)
        }
        #expect(taken == 2000)
    }

    @Test func bucketsInUseAreNeverTakenAway() {
        let buckets = SharedBuckets()
        var hash = KeyedHash(secret: 4)
        let victim = hash.value
        let rate = rate(1, burst: 2)
        let now = Instant.at(.seconds(9))
        #expect(buckets.take(victim, at: rate, now: now) == nil)
        #expect(buckets.take(victim, at: rate, now: now) == nil)
        for word in 0..<20_000 as Range<UInt64> {
            hash.mix(word)
            _ = buckets.take(hash.value, at: rate, now: now)
        }
        #expect(buckets.overflows > 0)
        #expect(buckets.take(victim, at: rate, now: now) == .seconds(1), "20,000 strangers free nobody of its past")
    }

    @Test func placesComeFreeWhenBucketsAreFull() {
        let buckets = SharedBuckets()
        var hash = KeyedHash(secret: 4)
        for second in 0..<50 {
            for word in 0..<200 as Range<UInt64> {
                hash.mix(word)
                #expect(buckets.take(hash.value, at: rate(1), now: .at(.seconds(2 + second))) == nil)
            }
        }
        #expect(buckets.overflows == 0, "200 a second of 10,000 callers, each in use for a second")
    }

    @Test func aFloodFromOneCallerLeavesTheServicesRateToOthers() {
        let rates = ServiceRates()
        var policy = ServicePolicy()
        policy.rate = rate(100, burst: 100)
        policy.callerRate = rate(10, burst: 10)
        let flood = CallerKey(identity("shop/sa/noisy"), secret: 1)
        let quiet = CallerKey(identity("shop/sa/quiet"), secret: 1)
        let now = Instant.at(.seconds(1))
        #expect((0..<1000).count { _ in rates.take(flood, policy: policy, now: now) == nil } == 10)
        #expect((0..<1000).count { _ in rates.take(quiet, policy: policy, now: now) == nil } == 10)
    }

    @Test func theServicesRateHoldsForAllTogetherAndCostsCallersNothing() {
        let rates = ServiceRates()
        var policy = ServicePolicy()
        policy.rate = rate(20, burst: 20)
        policy.callerRate = rate(15, burst: 15)
        let callers = (0..<4).map { CallerKey(.v4(0x0a00_0000 + $0), secret: 1) }
        let now = Instant.at(.seconds(1))
        let passed = callers.map { caller in
            (0..<15).count { _ in rates.take(caller, policy: policy, now: now) == nil }
        }
        #expect(passed == [15, 5, 0, 0])
        // A second later the service has 20 again, and the fourth caller its 15: it lost none to refusals.
        #expect((0..<50).count { _ in rates.take(callers[3], policy: policy, now: now + .seconds(1)) == nil } == 15)
    }

    @Test func anIPv6HostIsOneCaller() throws {
        let one = try #require(IPAddress("2001:db8:1:2::1"))
        let two = try #require(IPAddress("2001:db8:1:2:ffff::9"))
        let other = try #require(IPAddress("2001:db8:1:3::1"))
        #expect(CallerKey(one, secret: 5) == CallerKey(two, secret: 5))
        #expect(CallerKey(one, secret: 5) != CallerKey(other, secret: 5))
        #expect(CallerKey(one, secret: 5) != CallerKey(one, secret: 6))
        #expect(CallerKey(identity("a/sa/bc"), secret: 5) != CallerKey(identity("ab/sa/c"), secret: 5))
    }

    @Test func hashesSpread() {
        var sets = Array(repeating: 0, count: 128)
        var seen: Set<UInt64> = []
        for number in 0..<12_800 {
            var hash = KeyedHash(secret: 77)
            hash.mix("caller-\(number)")
            seen.insert(hash.value)
            sets[Int(hash.value >> 57)] += 1
        }
        #expect(seen.count == 12_800)
        // 100 in each is expected; five standard deviations are 50.
        #expect(sets.allSatisfy { (50...150).contains($0) })
    }
}

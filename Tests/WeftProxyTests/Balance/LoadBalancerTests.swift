import Testing
import WeftCore

@testable import WeftProxy

/// A balancer of numbered endpoints, with a clock and a seed.
struct BalancerRig {
    var balancer: LoadBalancer<Int>
    var now = Instant.at(.seconds(100))
    var random: SplitMix64

    init(_ endpoints: [BalancedEndpoint<Int>], seed: UInt64 = 1, _ settings: BalanceSettings = BalanceSettings()) {
        balancer = LoadBalancer(settings)
        random = SplitMix64(seed: seed)
        balancer.update(endpoints, at: now)
    }

    init(_ count: Int, seed: UInt64 = 1) { self.init((0..<count).map { Self.endpoint($0) }, seed: seed) }

    static func endpoint(
        _ number: Int,
        weight: Int = 100,
        _ distance: EndpointDistance = .unknown,
        _ word: GossipWord = .healthy
    ) -> BalancedEndpoint<Int> {
        BalancedEndpoint(
            number,
            hash: UInt64(number),
            weight: EndpointWeight(weight),
            distance: distance,
            word: word
        )
    }

    mutating func pick(_ affinity: AffinityKey? = nil, isRetryable: Bool = true) -> LoadBalancer<Int>.Choice? {
        balancer.pick(affinity: affinity, isRetryable: isRetryable, at: now, using: &random)
    }

    /// One request after the other; gives who got it.
    @discardableResult
    mutating func ask(
        taking latency: Duration = .milliseconds(1),
        _ affinity: AffinityKey? = nil,
        says verdict: (Int) -> RequestVerdict = { _ in .success }
    ) -> Int? {
        guard let choice = pick(affinity), var ticket = balancer.started(choice, at: now) else { return nil }
        now = now + latency
        balancer.answered(&ticket, verdict(choice.endpoint), at: now, using: &random)
        balancer.ended(&ticket, verdict(choice.endpoint), at: now, using: &random)
        return choice.endpoint
    }

    /// Who got how many of so many requests.
    mutating func shares(
        of count: Int,
        says verdict: (Int) -> RequestVerdict = { _ in .success }
    ) -> [Int: Int] {
        var shares: [Int: Int] = [:]
        for _ in 0..<count { if let endpoint = ask(says: verdict) { shares[endpoint, default: 0] += 1 } }
        return shares
    }

    /// Many at the same time, of which those at `endpoint` fail: one after the other would not go there again.
    mutating func breaking(_ endpoint: Int, with count: Int = 60) {
        let choices = (0..<count).compactMap { _ in pick() }
        var tickets: [LoadBalancer<Int>.Ticket] = []
        for choice in choices { if let ticket = balancer.started(choice, at: now) { tickets.append(ticket) } }
        for var ticket in tickets {
            let verdict = ticket.endpoint == endpoint ? RequestVerdict.failure() : .success
            balancer.answered(&ticket, verdict, at: now, using: &random)
            balancer.ended(&ticket, verdict, at: now, using: &random)
        }
    }

    var ejected: Set<Int> { Set(balancer.summary(at: now).filter { $0.ejectedLoops > 0 }.map(\.endpoint)) }
}

@Suite struct LoadBalancerTests {
    private let failing: (Int) -> RequestVerdict = { $0 == 0 ? .failure() : .success }

    @Test func nobodyIsChosenWhereNobodyIs() {
        var rig = BalancerRig(0)
        #expect(rig.pick() == nil)
    }

    @Test func everybodyIsTriedFirst() {
        var rig = BalancerRig(8)
        #expect(Set(rig.shares(of: 60).keys) == Set(0..<8))
    }

    @Test func whoFailsIsLeftAloneAndProbedWithOneRequest() {
        var rig = BalancerRig(4)
        rig.breaking(0)
        #expect(rig.ejected == [0])
        #expect(rig.shares(of: 100, says: failing)[0] == nil)
        rig.now = rig.now + .seconds(1)
        // Its time is up: the next request is the probe, and until that has ended there is no other.
        guard let probe = rig.pick(), var ticket = rig.balancer.started(probe, at: rig.now) else {
            Issue.record("nobody is chosen")
            return
        }
        #expect(probe.endpoint == 0 && probe.isProbe)
        for _ in 0..<20 { #expect(rig.pick()?.endpoint != 0) }
        rig.balancer.answered(&ticket, .success, at: rig.now, using: &rig.random)
        rig.balancer.ended(&ticket, .success, at: rig.now, using: &rig.random)
        #expect(rig.ejected.isEmpty)
        rig.now = rig.now + .seconds(20)
        #expect(rig.shares(of: 400)[0, default: 0] > 40)
    }

    @Test func aFailedProbeDoublesTheTime() {
        var rig = BalancerRig(4)
        rig.breaking(0)
        rig.now = rig.now + .seconds(1)
        #expect(rig.ask(says: failing) == 0)
        rig.now = rig.now + .milliseconds(1400)
        #expect(rig.pick()?.isProbe == false)
        rig.now = rig.now + .milliseconds(600)
        #expect(rig.pick()?.isProbe == true)
    }

    @Test func neverMoreThanHalfAreEjected() {
        for count in 1...9 {
            var rig = BalancerRig(count, seed: UInt64(count))
            _ = rig.shares(of: 500, says: { _ in .failure() })
            #expect(rig.ejected.count == count / 2)
            #expect(rig.pick() != nil)
        }
    }

    @Test func withFewerThanHalfWellHealthIsIgnored() {
        var rig = BalancerRig(4)
        rig.balancer.update(
            (0..<4).map { BalancerRig.endpoint($0, .unknown, $0 < 3 ? .unhealthy : .healthy) },
            at: rig.now
        )
        #expect(rig.balancer.isPanicking && Set(rig.shares(of: 200).keys) == [0, 1, 2, 3])
        rig.balancer.update(
            (0..<4).map { BalancerRig.endpoint($0, .unknown, $0 < 2 ? .unhealthy : .healthy) },
            at: rig.now
        )
        #expect(!rig.balancer.isPanicking && Set(rig.shares(of: 200).keys) == [2, 3])
    }

    @Test func sharesFollowWeightsAndNothingGoesToWhoDrains() {
        var rig = BalancerRig([
            BalancerRig.endpoint(0, weight: 300), BalancerRig.endpoint(1), BalancerRig.endpoint(2, weight: 0),
            BalancerRig.endpoint(3, .unknown, .draining),
        ])
        let shares = rig.shares(of: 4000)
        #expect(Set(shares.keys) == [0, 1] && (2800...3200).contains(shares[0, default: 0]), "\(shares)")
    }

    @Test func whoJoinsStartsSlowly() {
        var rig = BalancerRig(3)
        _ = rig.shares(of: 300)
        rig.balancer.update((0..<4).map { BalancerRig.endpoint($0) }, at: rig.now)
        let early = rig.shares(of: 400)[3, default: 0]
        rig.now = rig.now + .seconds(20)
        let late = rig.shares(of: 4000)[3, default: 0]
        #expect(early < 60 && late > 600, "\(early), \(late)")
    }

    @Test func whatIsKnownOfThoseWhoStayIsKept() {
        var rig = BalancerRig(3)
        rig.breaking(0)
        #expect(rig.ejected == [0])
        guard let leaving = rig.pick(), var ticket = rig.balancer.started(leaving, at: rig.now) else {
            Issue.record("nobody is chosen")
            return
        }
        rig.balancer.update([0, 4, 5].map { BalancerRig.endpoint($0) }, at: rig.now)
        #expect(rig.ejected == [0] && rig.balancer.count == 3 && rig.balancer.pendingTotal == 0)
        // Its endpoint is gone: it ends without a trace.
        rig.balancer.ended(&ticket, .failure(), at: rig.now, using: &rig.random)
        #expect(rig.balancer.pendingTotal == 0)
        #expect(Set(rig.shares(of: 200).keys).isDisjoint(with: [1, 2]))
    }

    @Test func atMostAsManyAsAllowedAreUsed() {
        var settings = BalanceSettings()
        settings.endpointsMax = 3
        var rig = BalancerRig([], settings)
        #expect(rig.balancer.update((0..<5).map { BalancerRig.endpoint($0) }, at: rig.now) == 2)
        #expect(rig.balancer.count == 3)
    }

    @Test func nearOnesAreTakenUnlessTheyCostFarMore() {
        var settings = BalanceSettings()
        settings.prefersNear = true
        let endpoints = [
            BalancerRig.endpoint(0, .here), BalancerRig.endpoint(1, .here),
            BalancerRig.endpoint(2, .roundTrip(.milliseconds(20))),
        ]
        var rig = BalancerRig(endpoints, settings)
        #expect(rig.shares(of: 1000)[2, default: 0] < 50)
        // Both near ones hang: each has far more pending than the far one costs.
        var held: [LoadBalancer<Int>.Ticket] = []
        for _ in 0..<400 {
            if let choice = rig.pick(), let ticket = rig.balancer.started(choice, at: rig.now) { held.append(ticket) }
        }
        #expect(held.contains { $0.endpoint == 2 })
    }

    @Test func aKeyStaysWithItsEndpointAndMovesOnlyWhenItIsGone() {
        var rig = BalancerRig(5)
        let keys = (0..<1000).map { AffinityKey("user-\($0)".utf8) }
        let before = keys.map { rig.ask($0) }
        #expect(keys.map { rig.ask($0) } == before)
        for number in 0..<5 { #expect((120...280).contains(before.count { $0 == number })) }
        rig.balancer.update((1..<5).map { BalancerRig.endpoint($0) }, at: rig.now)
        let after = keys.map { rig.ask($0) }
        for (old, new) in zip(before, after) where old != 0 { #expect(old == new) }
        #expect(!after.contains(0))
    }

    @Test func aKeyLeavesAnEndpointThatHasFarMoreThanItsPart() {
        var rig = BalancerRig(4)
        let key = AffinityKey("one".utf8)
        var counts: [Int: Int] = [:]
        for _ in 0..<100 {
            guard let choice = rig.pick(key), rig.balancer.started(choice, at: rig.now) != nil else { continue }
            counts[choice.endpoint, default: 0] += 1
        }
        // One and a half times a fourth, and a little more while there are few.
        #expect(counts.values.max() ?? 0 <= 39 && counts.count >= 3, "\(counts)")
    }
}

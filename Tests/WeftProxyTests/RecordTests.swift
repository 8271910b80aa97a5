import Testing
import WeftCore
import WeftProxy

@Suite struct RecordTests {
    private func decision(_ number: UInt64) -> Decision {
        let address = NetworkAddress(.loopbackV4, port: 80)
        return Decision(
            id: ConnectionID(number: number),
            started: WallTime(millisecondsSince1970: Int64(number)),
            source: Source(workload: .host, owner: nil, address: ClientAddress(address)),
            destination: OriginalDestination(address),
            service: nil,
            path: .outside,
            security: .plaintext,
            identity: IdentityPair(),
            bytesOut: number,
            bytesIn: 0,
            duration: .zero,
            outcome: Outcome(.completed, side: .client)
        )
    }

    @Test(arguments: [0, 1, 3, 4, 5, 9, 12])
    func ringKeepsTheNewest(count: UInt64) {
        var ring = DecisionRing(capacity: 4)
        for number in 0..<count { ring.append(decision(number)) }
        let expected = (0..<count).reversed().prefix(4).map { $0 }
        #expect(ring.last(100).map(\.id.number) == expected)
        #expect(ring.last(2).map(\.id.number) == Array(expected.prefix(2)))
        #expect(ring.last(-1).isEmpty)
    }

    @Test func countersBoundTheirPairs() {
        var counters = TrafficCounters()
        let outcome = Outcome(.reset, side: .client)
        for index in 0..<(TrafficCounters.pairsMax + 50) {
            let pair = TrafficPair(source: "unit-\(index)", tenant: "system", destination: "outside", path: .outside)
            counters.opened(pair)
            counters.closed(pair, bytesOut: 1, bytesIn: 2, outcome: outcome)
        }
        #expect(counters.pairs.count == TrafficCounters.pairsMax + 1)
        #expect(counters.pairs[.other]?.total == 50)
        #expect(counters.pairs[.other]?.open == 0)
        #expect(counters.failed == UInt64(TrafficCounters.pairsMax + 50))
        #expect(counters.endings[outcome] == counters.failed)
    }

    @Test func whatWasCarriedByRequestIsKnownApart() {
        let pair = TrafficPair(source: "web.service", tenant: "system", destination: "api", path: .local)
        let outcome = Outcome(.completed, side: .client)
        var loop = TrafficCounters()
        for _ in 0..<4 { loop.opened(pair) }
        for _ in 0..<2 { loop.requestsBegan(pair) }
        loop.closed(pair, bytesOut: 1, bytesIn: 2, outcome: outcome)
        loop.closed(pair, bytesOut: 10, bytesIn: 20, outcome: outcome, hadRequests: true)
        var sum = TrafficCounters()
        sum.merge(loop)
        sum.merge(loop)
        let share = sum.pairs[pair]?.withRequests
        #expect(share?.began == 4 && share?.ended == 2)
        #expect(share?.bytesOut == 20 && share?.bytesIn == 40)
        #expect(sum.pairs[pair]?.bytesOut == 22 && sum.pairs[pair]?.open == 4)
    }

    @Test func mergingAddsLoopsUp() {
        let pair = TrafficPair(source: "web.service", tenant: "system", destination: "api", path: .local)
        var one = TrafficCounters()
        one.opened(pair)
        var two = TrafficCounters()
        two.opened(pair)
        two.closed(pair, bytesOut: 5, bytesIn: 7, outcome: Outcome(.completed, side: .client))
        one.merge(two)
        #expect(one.pairs[pair]?.open == 1)
        #expect(one.pairs[pair]?.total == 1)
        #expect(one.bytesIn == 7)
        #expect(one.failed == 0)
    }
}

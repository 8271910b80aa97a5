import Testing
import WeftCore
import WeftProxy

@Suite struct SharedCountsTests {
    @Test func aServiceHasOneCountOnAllLoops() {
        let counts = SharedCounts(secret: 3)
        let (one, same, other) = (
            counts.counter(of: name("a")), counts.counter(of: name("a")), counts.counter(of: name("b"))
        )
        #expect([one.take(below: 2), same.take(below: 2), one.take(below: 2)] == [true, true, false])
        #expect([one.value, same.value, other.value] == [2, 2, 0])
        same.release()
        #expect([one.take(below: 2), other.take(below: 1), other.take(below: 0)] == [true, true, false])
    }

    @Test func servicesAreKeptApartUntilThePlacesAreTaken() {
        let counts = SharedCounts(secret: 3)
        let counters = (0..<1023).map { counts.counter(of: name("s\($0)")) }
        for counter in counters { #expect(counter.take(below: 1)) }
        #expect(counts.counter(of: name("s1022")).value == 1)
        let (late, later) = (counts.counter(of: name("late")), counts.counter(of: name("later")))
        #expect(late.value == 0)
        #expect(late.take(below: 5))
        #expect(later.value == 1, "they share the last place")
        #expect(counters.allSatisfy { $0.value == 1 })
    }

    @Test func manyLoopsKeepToTheBoundTogether() async {
        let counts = SharedCounts(secret: 3)
        // Every loop meets 50 services for the first time at the same moment.
        let taken = await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<50).map { service in
                        let counter = counts.counter(of: name("s\(service)"))
                        return (0..<40).count { _ in counter.take(below: 100) }
                    }
                }
            }
            return await group.reduce(into: Array(repeating: 0, count: 50)) { sums, part in
                for service in sums.indices { sums[service] += part[service] }
            }
        }
        #expect(taken == Array(repeating: 100, count: 50))
        #expect((0..<50).allSatisfy { counts.counter(of: name("s\($0)")).value == 100 })
    }
}

import Testing
import WeftCore

@testable import WeftProxy

@Suite struct FairAdmissionTests {
    /// An admission with a record of what it did.
    struct Bench {
        var admission: FairAdmission
        var actions: [FairAdmission.Action] = []
        var places: [UInt64: TenantPlace] = [:]
        private var next: UInt64 = 0

        init(requests: Int, pending: Int = 100, weights: [TenantName: Int] = [:]) {
            var policy = ServicePolicy()
            policy.requestsMax = requests
            policy.pendingMax = pending
            policy.tenantWeights = weights
            admission = FairAdmission(policy: policy, loops: 1)
        }

        @discardableResult
        mutating func arrive(_ name: String, at now: Duration = .zero) -> FairAdmission.Arrival {
            next += 1
            var hint = TableHint()
            let (arrival, place) = admission.arrived(
                RequestToken(next),
                tenant: tenant(name),
                hint: &hint,
                now: .at(now),
                into: &actions
            )
            places[next] = place
            return arrival
        }

        /// Ends a request and gives what followed.
        mutating func finish(_ number: UInt64) -> [FairAdmission.Action] {
            actions = []
            if let place = places[number] { admission.finished(place, into: &actions) }
            return actions
        }
    }

    private func started(_ number: UInt64) -> FairAdmission.Action { .start(RequestToken(number)) }

    @Test func aFreePlaceGoesToTheFirst() {
        var bench = Bench(requests: 2)
        #expect([bench.arrive("a"), bench.arrive("a"), bench.arrive("b")] == [.started, .started, .waiting])
        #expect(bench.finish(1) == [started(3)])
        #expect(bench.finish(2) == [])
        #expect(bench.admission.inFlight == 1)
    }

    @Test func aFreedPlaceGoesToWhoHoldsFewest() {
        var bench = Bench(requests: 3)
        for _ in 0..<10 { bench.arrive("a") }
        bench.arrive("b")
        bench.arrive("c")
        #expect(bench.finish(1) == [started(11)], "b holds none and came before c")
        #expect(bench.finish(2) == [started(12)])
        #expect(bench.finish(3) == [started(4)])
        #expect(bench.finish(11) == [started(5)], "nobody else waits: the flood may have all")
    }

    @Test func weightsDivideThePlaces() {
        var bench = Bench(requests: 9, pending: 1000, weights: [tenant("gold"): 2])
        for _ in 0..<9 { bench.arrive("other") }
        for _ in 0..<300 {
            bench.arrive("gold")
            bench.arrive("plain")
        }
        var inside = Array(1...9 as ClosedRange<UInt64>)
        for _ in 0..<100 {
            guard case .start(let token)? = bench.finish(inside.removeFirst()).first else {
                Issue.record("a place stayed empty")
                return
            }
            inside.append(token.number)
        }
        // Numbers from 10 on alternate: even ones are gold.
        #expect(inside.count { $0 % 2 == 0 } == 6)
    }

    @Test func theLongestQueueLosesItsNewest() {
        var bench = Bench(requests: 1, pending: 4)
        bench.arrive("a")
        for _ in 0..<4 { #expect(bench.arrive("a") == .waiting) }
        #expect(bench.arrive("a") == .refused(.pendingOverflow))
        #expect(bench.arrive("b") == .waiting)
        #expect(bench.actions == [.refuse(RequestToken(5), .pendingOverflow)])
        bench.actions = []
        #expect(bench.arrive("b") == .waiting)
        #expect(bench.actions == [.refuse(RequestToken(4), .pendingOverflow)])
        #expect(bench.arrive("b") == .refused(.pendingOverflow), "both have two; the newcomer has to go")
        #expect(bench.finish(1) == [started(2)], "neither holds a place, and a's has waited longer")
        #expect(bench.finish(2) == [started(3)])
    }

    @Test func nobodyWaitsWhereNoneMay() {
        var bench = Bench(requests: 1, pending: 0)
        #expect([bench.arrive("a"), bench.arrive("b")] == [.started, .refused(.pendingOverflow)])
    }

    @Test func waitingHasAnEnd() {
        var bench = Bench(requests: 1)
        bench.arrive("a")
        bench.arrive("a", at: .seconds(1))
        bench.arrive("b", at: .seconds(2))
        bench.admission.expire(now: .at(.nanoseconds(10_999_999_999)), into: &bench.actions)
        #expect(bench.actions == [])
        bench.admission.expire(now: .at(.seconds(11)), into: &bench.actions)
        #expect(bench.actions == [.refuse(RequestToken(2), .pendingTimeout)])
        #expect(bench.finish(1) == [started(3)])
        bench.actions = []
        bench.admission.expire(now: .at(.seconds(1000)), into: &bench.actions)
        #expect(bench.actions == [], "who is in does not wait")
    }

    @Test func whoLeavesTheQueueIsForgotten() throws {
        var bench = Bench(requests: 1)
        for _ in 0..<5 { bench.arrive("a") }
        let place = try #require(bench.places[3])
        bench.admission.cancelled(RequestToken(3), place)
        bench.admission.cancelled(RequestToken(3), place)
        #expect(bench.admission.waiting == 3)
        #expect([bench.finish(1), bench.finish(2), bench.finish(4)] == [[started(2)], [started(4)], [started(5)]])
    }

    @Test func sheddingCountsFromWhatWasIn() {
        var bench = Bench(requests: 1000)
        for _ in 0..<10 { bench.arrive("a") }
        bench.admission.pressureChanged(.shedding(percent: 80), into: &bench.actions)
        #expect(bench.admission.capacity == 8)
        #expect((0..<8).allSatisfy { _ in bench.arrive("a") == .waiting })
        #expect(bench.arrive("a") == .refused(.overloaded), "no more wait than there are places")
        #expect(bench.arrive("b") == .waiting)
        #expect(bench.actions == [.refuse(RequestToken(18), .overloaded)])
        #expect([bench.finish(1), bench.finish(2)] == [[], []], "ten were in, eight may be")
        #expect(bench.finish(3) == [started(20)], "b holds none")
        bench.actions = []
        bench.admission.pressureChanged(.none, into: &bench.actions)
        #expect(bench.actions == (11...17).map(started))
    }

    @Test func aNewPolicyHoldsAtOnce() {
        var bench = Bench(requests: 1)
        for _ in 0..<6 { bench.arrive("a") }
        bench.arrive("b")
        var policy = ServicePolicy()
        policy.requestsMax = 2
        policy.pendingMax = 3
        bench.admission.policyChanged(policy, loops: 1, into: &bench.actions)
        #expect(
            bench.actions == [
                .refuse(RequestToken(6), .pendingOverflow), .refuse(RequestToken(5), .pendingOverflow),
                .refuse(RequestToken(4), .pendingOverflow), started(7),
            ]
        )
    }

    @Test func aHintOfAnotherServiceCountsForNobodyElse() {
        var (one, other) = (Bench(requests: 10), Bench(requests: 10))
        var hint = TableHint()
        func place(_ name: String, _ bench: inout Bench) -> TenantPlace {
            bench.admission.arrived(
                RequestToken(0),
                tenant: tenant(name),
                hint: &hint,
                now: .at(.zero),
                into: &bench.actions
            )
            .place
        }
        let (a, b) = (place("a", &one), place("b", &one))
        #expect(place("b", &other) != place("a", &other))
        #expect([place("a", &one), place("b", &one), place("b", &one)] == [a, b, b])
        #expect(place("z", &other) != place("b", &other))
    }

    @Test func tenantsBeyondTheBoundShareAPlace() {
        var bench = Bench(requests: 65, pending: 100)
        for number in 0..<64 { bench.arrive("t\(number)") }
        bench.arrive("x")
        bench.arrive("y")
        bench.arrive("t0")
        #expect(bench.places[65] == bench.places[66])
        #expect(bench.finish(1) == [started(67)], "t0 holds none, x and y together one")
        // All of t1's are over: its place is as good as new, and found once the search has come round to it.
        _ = bench.finish(2)
        for number in 0..<4 { bench.arrive("z\(number)") }
        #expect((68...71).count { bench.places[$0] == bench.places[2] } == 1)
    }
}

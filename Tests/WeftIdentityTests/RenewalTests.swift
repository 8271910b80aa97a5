import Testing
import WeftCore
import WeftIdentity

/// When certificates begin, end and are renewed.
@Suite struct RenewalTests {
    @Test(arguments: [(1, 0), (10, 1), (600, 60), (86_400, 3600), (30 * 86_400, 3600)])
    func backdatingIsAnHourOrATenth(_ life: Int, _ back: Int) {
        let period = ValidityPeriod(madeAt: TestMesh.start, lifetime: .seconds(life))
        #expect(period.notAfter == TestMesh.start + .seconds(life))
        let slack = life < 10 ? 1 : back
        #expect(period.notBefore == TestMesh.start + .seconds(-slack))
        #expect(period.contains(TestMesh.start))
    }

    @Test(arguments: [2, 10, 60, 86_400, 30 * 86_400])
    func renewalFallsWithinTheMiddleTenth(_ life: Int) {
        let period = ValidityPeriod(madeAt: TestMesh.start, lifetime: .seconds(life))
        let whole = period.notAfter.millisecondsSince1970 - period.notBefore.millisecondsSince1970
        for step in 0...20 {
            let renewal = period.renewal(jitter: Double(step) / 20)
            let share = Double(renewal.millisecondsSince1970 - period.notBefore.millisecondsSince1970) / Double(whole)
            #expect((0.449...0.551).contains(share))
            #expect(renewal > TestMesh.start || life < 10)
        }
    }

    @Test func aScheduleSaysWhatIsDueAndWhenToLook() throws {
        var rng = SeededGenerator(7)
        var schedule = RenewalSchedule()
        #expect(schedule.wake == nil)
        let start = TestMesh.start
        let api = RenewalSchedule.Subject.leaf(try workload("api"))
        schedule.hold(api, ValidityPeriod(madeAt: start, lifetime: .seconds(100)), using: &rng)
        schedule.hold(.intermediate, ValidityPeriod(madeAt: start, lifetime: .days(30)), using: &rng)
        let wake = try #require(schedule.wake)
        #expect(schedule.due(at: start) == [])
        #expect(schedule.due(at: wake + .milliseconds(-1)) == [])
        #expect(schedule.due(at: wake) == [api])
        #expect(schedule.due(at: start + .days(20)) == [.intermediate, api])

        schedule.hold(api, ValidityPeriod(madeAt: wake, lifetime: .seconds(100)), using: &rng)
        #expect(schedule.due(at: wake) == [])
        schedule.drop(api)
        #expect(schedule.entries.count == 1)
    }

    @Test func failuresWaitLongerEachTime() throws {
        var rng = SeededGenerator(7)
        var schedule = RenewalSchedule()
        schedule.hold(.intermediate, ValidityPeriod(madeAt: TestMesh.start, lifetime: .seconds(100)), using: &rng)
        var now = try #require(schedule.wake)
        for count in 1...12 {
            #expect(schedule.due(at: now) == [.intermediate])
            schedule.failed(.intermediate, now: now, using: &rng)
            #expect(schedule.entries[.intermediate]?.failures == count)
            let next = try #require(schedule.wake)
            let wait = Double(next.millisecondsSince1970 - now.millisecondsSince1970) / 1000
            let expected = min(150, 0.5 * Double(1 << (count - 1)))
            #expect((expected * 0.79...expected * 1.21).contains(wait))
            #expect(schedule.due(at: now) == [])
            now = next
        }
    }

    /// Ten rotations of a leaf that lives for seconds: there is always one that holds.
    @Test func shortLivesFollowWithoutAGap() throws {
        var prod = try TestMesh()
        let host = try prod.join("web-1")
        var schedule = RenewalSchedule()
        let subject = RenewalSchedule.Subject.leaf(try workload("api"))
        var leaf = try prod.mint("api", on: host, lifetime: .seconds(4))
        schedule.hold(subject, leaf.validity, using: &prod.rng)
        for _ in 0..<10 {
            let next = try #require(schedule.wake)
            #expect(next > prod.now)
            while prod.now < next {
                _ = try prod.verifier.verify(leaf.presented, as: .client, now: prod.now)
                prod.advance(.milliseconds(100))
            }
            let old = leaf
            leaf = try prod.mint("api", on: host, lifetime: .seconds(4))
            schedule.hold(subject, leaf.validity, using: &prod.rng)
            _ = try prod.verifier.verify(old.presented, as: .client, now: prod.now)
            _ = try prod.verifier.verify(leaf.presented, as: .client, now: prod.now)
        }
    }
}

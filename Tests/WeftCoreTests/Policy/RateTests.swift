import Testing
import WeftCore

@Suite struct RateTests {
    @Test(arguments: [
        ("500/s", "500/s", RateScope.service), ("500/s per caller", "500/s", .caller), ("1/h", "1/h", .service),
        ("100/m burst 20 per caller", "100/m burst 20", .caller), ("120/m", "120/m", .service),
        ("120/m burst 2", "120/m", .service), ("1000000/s", "1000000/s", .service),
    ])
    func reads(_ text: String, _ shown: String, _ scope: RateScope) throws {
        let setting = try RateSetting.read(text)
        #expect(setting.rate.description == shown)
        #expect(setting.scope == scope)
    }

    @Test(arguments: [
        "", "500", "500/", "/s", "500/d", "+5/s", "-5/s", "5 /s", " 5/s", "5/s ", "5/s  per caller", "5/s per",
        "5/s per service", "5/s burst", "5/s burst x", "5/s burst -1", "5/s per caller burst 3", "5/s/s", "1e3/s",
        "٣/s", "99999999999999999999/s", "5/S",
    ])
    func refusesOtherShapes(_ text: String) {
        let problem = #expect(throws: PolicyProblem.self) { try RateSetting.read(text) }
        #expect(problem?.reason.hasSuffix("is not a rate") == true)
    }

    @Test(arguments: ["0/s", "1000001/s", "5/s burst 0", "5/s burst 10000001"])
    func refusesOtherNumbers(_ text: String) {
        let problem = #expect(throws: PolicyProblem.self) { try RateSetting.read(text) }
        #expect(problem?.reason.hasSuffix("is out of range") == true)
    }

    @Test func aBurstIsOneSecondsWorthByItself() {
        #expect(Rate(500, per: .seconds(1))?.burst == 500)
        #expect(Rate(600, per: .seconds(60))?.burst == 10)
        #expect(Rate(1, per: .seconds(3600))?.burst == 1)
        #expect(Rate(1, per: .milliseconds(999)) == nil)
        #expect(Rate(1, per: .seconds(3601)) == nil)
    }

    @Test("A rate is never exceeded and at most a thousandth too low", arguments: [1, 3, 7, 999, 300_000, 999_999])
    func intervals(perSecond: Int) throws {
        let interval = Double(try #require(Rate(perSecond, per: .seconds(1))).interval)
        let exact = 1e9 / Double(perSecond)
        #expect(interval >= exact && interval <= exact * 1.001)
    }
}

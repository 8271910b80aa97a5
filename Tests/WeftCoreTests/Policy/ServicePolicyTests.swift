import Testing
import WeftCore

@Suite struct ServicePolicyTests {
    @Test func theDefaultsAreGood() {
        let policy = ServicePolicy()
        #expect(policy.problems == [])
        #expect([policy.timeout, policy.tryTimeout] == [nil, nil])
        #expect([policy.rate, policy.callerRate] == [nil, nil])
        #expect(policy.retry.countMax == 2)
        #expect(policy.retry.budgetPercent == 20)
        #expect(policy.retry.floorPerSecond == 10)
        #expect(policy.retry.bodyBytesMax == 64 * 1024)
    }

    @Test func everyBoundIsInclusive() throws {
        for setting in PolicySetting.allCases {
            guard let numbers = setting.numbers else { continue }
            for (number, isGood) in [
                (numbers.lowerBound, true), (numbers.upperBound, true), (numbers.lowerBound - 1, false),
                (numbers.upperBound + 1, false),
            ] {
                var policy = ServicePolicy()
                set(setting, to: number, of: &policy)
                #expect(policy.problems.map(\.setting) == (isGood ? [] : [setting]), "\(setting) \(number)")
            }
        }
    }

    private func set(_ setting: PolicySetting, to number: Int, of policy: inout ServicePolicy) {
        switch setting {
        case .retries: policy.retry.countMax = number
        case .retryBudget: policy.retry.budgetPercent = number
        case .retryFloor: policy.retry.floorPerSecond = number
        case .retryBody: policy.retry.bodyBytesMax = number
        case .connections: policy.connectionsMax = number
        case .requests: policy.requestsMax = number
        case .pending: policy.pendingMax = number
        case .weights: policy.tenantWeights = [.system: number]
        case .timeout, .tryTimeout, .pendingTimeout, .rate, .hash, .near: break
        }
    }

    @Test func messagesSayWhatToWrite() {
        var policy = ServicePolicy()
        policy.timeout = .milliseconds(9)
        policy.retry.countMax = 3
        #expect(
            policy.problems == [
                PolicyProblem(.timeout, reason: "9ms is too short", remedy: "write a duration from 10ms to 86400s"),
                PolicyProblem(.retries, reason: "3 is too large", remedy: "write a whole number from 0 to 2"),
            ]
        )
    }

    @Test func numbersHaveToMakeSenseTogether() {
        var policy = ServicePolicy()
        policy.timeout = .seconds(1)
        policy.tryTimeout = .seconds(1)
        policy.rate = Rate(100, per: .seconds(1))
        policy.callerRate = policy.rate
        #expect(policy.problems == [])
        policy.tryTimeout = .milliseconds(1001)
        policy.callerRate = Rate(101, per: .seconds(1))
        #expect(policy.problems.map(\.setting) == [.tryTimeout, .rate])
        #expect(policy.problems.last?.reason == "101/s for each caller is more than 100/s for all of them")
    }

    @Test func tooManyWeightsAreTold() throws {
        var policy = ServicePolicy()
        for number in 0..<64 { policy.tenantWeights[try #require(TenantName("t\(number)"))] = 1 }
        #expect(policy.problems == [])
        policy.tenantWeights[.system] = 1
        #expect(policy.problems.map(\.setting) == [.weights])
    }

    @Test(arguments: [(10, 1, 10), (10, 4, 3), (1, 64, 1), (0, 4, 1), (10, 0, 10)])
    func sharesAreRoundedUp(bound: Int, loops: Int, share: Int) {
        #expect(ServicePolicy.share(of: bound, loops: loops) == share)
    }
}

/// What is wrong with one number of a policy, and what to write instead.
package struct PolicyProblem: Error, Hashable, Sendable {
    package let setting: PolicySetting
    package let reason: String
    package let remedy: String

    package init(_ setting: PolicySetting, reason: String, remedy: String) {
        self.setting = setting
        self.reason = reason
        self.remedy = remedy
    }
}

/// The settings of `[service.NAME]` that a policy is made of; the raw values are the keys.
package enum PolicySetting: String, Hashable, Sendable, CaseIterable {
    case timeout
    case tryTimeout = "try-timeout"
    case retries
    case retryBudget = "retry-budget"
    case retryFloor = "retry-floor"
    case retryBody = "retry-body"
    case connections
    case requests
    case pending
    case pendingTimeout = "pending-timeout"
    case rate
    case weights
    case hash
    case near

    /// What a whole number may be; nil for settings of another kind.
    package var numbers: ClosedRange<Int>? {
        switch self {
        case .retries: 0...2
        case .retryBudget: 0...100
        case .retryFloor: 0...1000
        case .retryBody: 0...1_048_576
        case .connections, .requests: 1...1_000_000
        case .pending: 0...1_000_000
        case .weights: 1...1000
        case .timeout, .tryTimeout, .pendingTimeout, .rate, .hash, .near: nil
        }
    }

    /// What a duration may be; nil for settings of another kind. Below the lower bound a timeout would hit requests that
    /// did nothing but cross the network.
    package var durations: ClosedRange<Duration>? {
        switch self {
        case .timeout: .milliseconds(10)...Duration.seconds(86_400)
        case .tryTimeout: .milliseconds(5)...Duration.seconds(86_400)
        case .pendingTimeout: .milliseconds(10)...Duration.seconds(600)
        default: nil
        }
    }
}

extension ServicePolicy {
    /// Tenants that may be given a weight, for each service.
    package static let weightsMax = 64

    /// Everything that is wrong with these numbers, in the order of the settings; empty when they can be used.
    package var problems: [PolicyProblem] {
        durationProblems + numberProblems + relationProblems
    }

    private var durationProblems: [PolicyProblem] {
        let durations: [(PolicySetting, Duration?)] = [
            (.timeout, timeout), (.tryTimeout, tryTimeout), (.pendingTimeout, pendingTimeout),
        ]
        return durations.compactMap { setting, duration in
            guard let duration, let range = setting.durations, !range.contains(duration) else { return nil }
            return PolicyProblem(
                setting,
                reason: "\(text(duration)) is too \(duration < range.lowerBound ? "short" : "long")",
                remedy: "write a duration from \(text(range.lowerBound)) to \(text(range.upperBound))"
            )
        }
    }

    private var numberProblems: [PolicyProblem] {
        let weights = tenantWeights.sorted { $0.key < $1.key }.map { (PolicySetting.weights, $0.value) }
        let numbers: [(PolicySetting, Int)] = [
            (.retries, retry.countMax), (.retryBudget, retry.budgetPercent), (.retryFloor, retry.floorPerSecond),
            (.retryBody, retry.bodyBytesMax), (.connections, connectionsMax), (.requests, requestsMax),
            (.pending, pendingMax),
        ]
        return (numbers + weights).compactMap { setting, number in
            guard let range = setting.numbers, !range.contains(number) else { return nil }
            return PolicyProblem(
                setting,
                reason: "\(number) is too \(number < range.lowerBound ? "small" : "large")",
                remedy: "write a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
    }

    /// Numbers that are good by themselves and make no sense together.
    private var relationProblems: [PolicyProblem] {
        var problems: [PolicyProblem] = []
        if let timeout, let tryTimeout, tryTimeout > timeout {
            problems.append(
                PolicyProblem(
                    .tryTimeout,
                    reason: "\(text(tryTimeout)) for one try is longer than timeout, \(text(timeout)) for all of them",
                    remedy: "write a shorter try-timeout, or leave it out"
                )
            )
        }
        if let rate, let callerRate, callerRate.interval < rate.interval {
            problems.append(
                PolicyProblem(
                    .rate,
                    reason: "\(callerRate) for each caller is more than \(rate) for all of them",
                    remedy: "raise the rate of the service, or lower that of a caller"
                )
            )
        }
        if tenantWeights.count > Self.weightsMax {
            problems.append(
                PolicyProblem(
                    .weights,
                    reason: "there are weights for \(tenantWeights.count) tenants",
                    remedy: "keep \(Self.weightsMax) or fewer; a tenant without one has 1"
                )
            )
        }
        return problems
    }

    /// `250ms`, `90s`: whole milliseconds, as people write them.
    private func text(_ duration: Duration) -> String {
        let milliseconds = duration.wholeNanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}

internal import WeftCore

/// The settings of `[service.NAME]` that govern its requests.
extension ConfigurationReader {
    /// What is wrong is reported, and the standard number stands in for it.
    mutating func readPolicy(_ section: Section, at node: SettingNode) -> ServicePolicy {
        let before = diagnostics.count
        var policy = ServicePolicy()
        policy.timeout = readDuration(.timeout, section)
        policy.tryTimeout = readDuration(.tryTimeout, section)
        if let timeout = readDuration(.pendingTimeout, section) { policy.pendingTimeout = timeout }
        readNumber(.retries, section, into: &policy.retry.countMax)
        readNumber(.retryBudget, section, into: &policy.retry.budgetPercent)
        readNumber(.retryFloor, section, into: &policy.retry.floorPerSecond)
        readNumber(.retryBody, section, into: &policy.retry.bodyBytesMax)
        readNumber(.connections, section, into: &policy.connectionsMax)
        readNumber(.requests, section, into: &policy.requestsMax)
        readNumber(.pending, section, into: &policy.pendingMax)
        readRates(section, into: &policy)
        readWeights(section, into: &policy)
        if let node = section[PolicySetting.hash.rawValue] { policy.affinity = read(node, as: .affinity) }
        if let node = section[PolicySetting.near.rawValue], let isNear = read(node, as: .boolean) {
            policy.prefersNear = isNear
        }
        // Numbers that are good by themselves may make no sense together.
        guard diagnostics.count == before else { return policy }
        for problem in policy.problems {
            let place = section[problem.setting.rawValue] ?? node
            report(Mistake(reason: problem.reason, remedy: problem.remedy), at: place)
        }
        return policy
    }

    private mutating func readDuration(_ setting: PolicySetting, _ section: Section) -> Duration? {
        guard let node = section[setting.rawValue], let range = setting.durations else { return nil }
        return read(node, as: .duration(range))
    }

    private mutating func readNumber(_ setting: PolicySetting, _ section: Section, into value: inout Int) {
        guard let node = section[setting.rawValue], let range = setting.numbers else { return }
        if let number = read(node, as: .integer(range)) { value = number }
    }

    /// One rate, or a list of one for all callers and one for each.
    private mutating func readRates(_ section: Section, into policy: inout ServicePolicy) {
        guard let node = section[PolicySetting.rate.rawValue] else { return }
        let entries = if case .list(let entries) = node.content { entries } else { [node] }
        for entry in entries {
            guard let setting = read(entry, as: .rate) else { continue }
            let isTaken = setting.scope == .service ? policy.rate != nil : policy.callerRate != nil
            guard !isTaken else {
                let reason = "there is a second rate for \(setting.scope == .service ? "all callers" : "each caller")"
                report(Mistake(reason: reason, remedy: "keep one of them"), at: entry)
                continue
            }
            switch setting.scope {
            case .service: policy.rate = setting.rate
            case .caller: policy.callerRate = setting.rate
            }
        }
    }

    private mutating func readWeights(_ section: Section, into policy: inout ServicePolicy) {
        guard let node = section[PolicySetting.weights.rawValue] else { return }
        guard case .table(let entries) = node.content else {
            report(.kind(of: node, needed: "a table", remedy: "write weights = { shop = 3 }"), at: node)
            return
        }
        for (text, entry) in entries {
            guard let tenant = TenantName(text) else {
                let remedy = "write the name of a tenant, such as \"shop\" or \"user-1000\""
                report(Mistake(reason: "\(quoted(text)) cannot be a tenant's name", remedy: remedy), at: entry)
                continue
            }
            guard let range = PolicySetting.weights.numbers, let weight = read(entry, as: .integer(range)) else {
                continue
            }
            policy.tenantWeights[tenant] = weight
        }
    }
}

extension Setting where Value == RequestAffinity {
    fileprivate static var affinity: Setting {
        let text = Setting<String>.text("write \"source\" or \"header x-user\", in quotes")
        return Setting { node throws(Mistake) in
            let value = try text.parse(node)
            do throws(PolicyProblem) {
                return try RequestAffinity.read(value)
            } catch {
                throw Mistake(reason: error.reason, remedy: error.remedy)
            }
        }
    }
}

extension Setting where Value == RateSetting {
    fileprivate static var rate: Setting {
        let text = Setting<String>.text("write a text in quotes, such as \"500/s\"")
        return Setting { node throws(Mistake) in
            let value = try text.parse(node)
            do throws(PolicyProblem) {
                return try RateSetting.read(value)
            } catch {
                throw Mistake(reason: error.reason, remedy: error.remedy)
            }
        }
    }
}

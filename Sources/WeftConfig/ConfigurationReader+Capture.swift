internal import WeftCore

extension ConfigurationReader {
    mutating func readCapture(_ node: SettingNode) -> Configuration.Capture {
        var capture = Configuration.Capture()
        guard let section = open(node, as: .capture) else { return capture }
        read("enabled", of: section, as: .boolean, into: &capture.enabled)
        read("scope", of: section, as: .choice, into: &capture.scope)
        let failureIsRead = read("fail", of: section, as: .choice, into: &capture.failure)
        readList("fail-users", of: section, as: .user, into: &capture.failClosedUsers)
        read("inbound", of: section, as: .boolean, into: &capture.inbound)
        read("local", of: section, as: .boolean, into: &capture.local)
        read("preserve-client-address", of: section, as: .boolean, into: &capture.preserveClientAddress)
        if let exclude = section["exclude"] {
            capture.exclude = readExclusions(exclude, failClosedUsers: capture.failClosedUsers)
        }
        if failureIsRead { checkFailure(capture.failure, section) }
        return capture
    }

    private mutating func readExclusions(
        _ node: SettingNode,
        failClosedUsers: [UserReference]
    ) -> Configuration.Exclusions {
        var exclude = Configuration.Exclusions()
        guard let section = open(node, as: .exclude) else { return exclude }
        readList("ports", of: section, as: .ports, into: &exclude.ports)
        readList("addresses", of: section, as: .prefix, into: &exclude.addresses)
        readList("units", of: section, as: .unit, into: &exclude.units)
        readList("users", of: section, as: .user(except: failClosedUsers), into: &exclude.users)
        return exclude
    }

    /// `fail = "closed"` and `fail-users` say something only together. Judged by what the file says and not by what
    /// could be read of it, so that one wrong entry does not count as an empty list.
    private mutating func checkFailure(_ failure: FailurePolicy, _ section: Section) {
        let users = section["fail-users"]
        let hasUsers =
            switch users?.content {
            case nil: false
            case .list(let entries): !entries.isEmpty
            default: true
            }
        switch failure {
        case .closed where !hasUsers:
            guard let node = section["fail"] else { return }
            let reason = "\"closed\" refuses the traffic of the users in fail-users, and there are none"
            report(Mistake(reason: reason, remedy: "add fail-users = [\"NAME\"], or write \"open\""), at: node)
        case .open where hasUsers:
            guard let node = users else { return }
            let reason = "fail-users has a meaning only with fail = \"closed\", and fail is \"open\""
            report(Mistake(reason: reason, remedy: "add fail = \"closed\", or remove fail-users"), at: node)
        default:
            break
        }
    }
}

extension Setting where Value == UserReference {
    /// A user whose traffic is not refused while weft is away: direct and refused contradict each other.
    fileprivate static func user(except failClosedUsers: [UserReference]) -> Setting {
        let user = Setting.user
        return Setting { node throws(Mistake) in
            let value = try user.parse(node)
            guard !failClosedUsers.contains(value) else {
                throw Mistake(
                    reason: "\(node.shown) is in fail-users as well, and what goes direct cannot be refused",
                    remedy: "keep it in one of the two lists"
                )
            }
            return value
        }
    }
}

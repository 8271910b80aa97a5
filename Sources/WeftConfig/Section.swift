internal import WeftCore

/// A table that the configuration knows, with the settings that it may hold.
enum SectionKind: CaseIterable {
    /// The top of the file.
    case file
    case node
    case capture
    case exclude
    case gossip
    case security
    case identity
    case proxy
    case log
    case metrics
    case tracing
    /// `[tenant.NAME]`
    case tenant
    /// `[service.NAME]`
    case service

    /// The header that people write.
    var title: String {
        switch self {
        case .file: "the top of the file"
        case .node: "[node]"
        case .capture: "[capture]"
        case .exclude: "[capture.exclude]"
        case .gossip: "[gossip]"
        case .security: "[security]"
        case .identity: "[identity]"
        case .proxy: "[proxy]"
        case .log: "[log]"
        case .metrics: "[metrics]"
        case .tracing: "[tracing]"
        case .tenant: "[tenant.NAME]"
        case .service: "[service.NAME]"
        }
    }

    /// The settings and tables in it, in the order of config/weft.toml.
    var keys: [String] {
        switch self {
        case .file:
            [
                "node", "capture", "gossip", "security", "identity", "proxy", "log", "metrics", "tracing", "tenant",
                "service",
            ]
        case .node: ["name"]
        case .capture:
            ["enabled", "scope", "fail", "fail-users", "inbound", "local", "preserve-client-address", "exclude"]
        case .exclude: ["ports", "addresses", "units", "users"]
        case .gossip: ["enabled", "port", "advertise", "join", "key-file"]
        case .proxy:
            [
                "loops", "connect-timeout", "half-close-timeout", "keepalive-idle", "user-timeout", "drain-timeout",
                "connections-max", "decisions-max",
            ]
        case .security: ["strict", "port"]
        case .identity: ["leaf-lifetime", "intermediate-lifetime"]
        case .log: ["level", "requests"]
        case .metrics: ["istio"]
        case .tracing: ["otlp", "sample"]
        case .tenant: ["isolate"]
        case .service:
            ["name", "labels", "protocol", "expose", "allow"] + PolicySetting.allCases.map(\.rawValue)
        }
    }

    /// The section that `key` opens when it stands in this one.
    func subsection(_ key: String) -> SectionKind? {
        switch (self, key) {
        case (.file, "node"): .node
        case (.file, "capture"): .capture
        case (.file, "gossip"): .gossip
        case (.file, "security"): .security
        case (.file, "identity"): .identity
        case (.file, "proxy"): .proxy
        case (.file, "log"): .log
        case (.file, "metrics"): .metrics
        case (.file, "tracing"): .tracing
        case (.file, "tenant"): .tenant
        case (.file, "service"): .service
        case (.capture, "exclude"): .exclude
        default: nil
        }
    }
}

/// A section as the file has it.
struct Section {
    let kind: SectionKind
    let entries: [String: SettingNode]

    subscript(key: String) -> SettingNode? { entries[key] }
}

extension SectionKind {
    /// What to say about a key that this section does not know.
    func mistake(unknown name: String, isTable: Bool) -> Mistake {
        let reason =
            switch (self, isTable) {
            case (.file, true): "there is no table [\(keyText(name))]"
            case (.file, false): "the setting \(quoted(name)) stands in no table"
            default: "\(title) has no setting \(quoted(name))"
            }
        return Mistake(reason: reason, remedy: remedy(unknown: name, isTable: isTable))
    }

    private func remedy(unknown name: String, isTable: Bool) -> String {
        for other in SectionKind.allCases where other != self && other.keys.contains(name) {
            if let wanted = other.subsection(name) { return "write \(wanted.title)" }
            if !isTable { return "move it to \(other.title)" }
        }
        if let nearest = nearestWord(to: name, among: keys) {
            return "write \(subsection(nearest)?.title ?? "\"\(nearest)\"")"
        }
        let known = keys.map { subsection($0)?.title ?? $0 }
        return "use what \(title) knows: \(known.joined(separator: ", "))"
    }
}

internal import WeftCore

/// Turns a parsed file into a `Configuration` and collects every mistake on the way: one that it meets costs the value
/// concerned, which keeps its default, and reading goes on.
///
/// One function for each section, in the files `ConfigurationReader+SECTION.swift`; this file has what they share.
struct ConfigurationReader {
    /// In the order of finding.
    private(set) var diagnostics: [Diagnostic] = []

    /// More entries would make each start and reload of the ruleset slow, and no host needs them.
    static let listEntriesMax = 1000

    /// Reads a whole file. What it returns may be used only when `diagnostics` is empty.
    mutating func read(_ file: SettingNode) -> Configuration {
        var configuration = Configuration()
        guard let section = open(file, as: .file) else { return configuration }
        if let node = section["node"] { configuration.node = readNode(node) }
        if let node = section["capture"] { configuration.capture = readCapture(node) }
        if let node = section["gossip"] { configuration.gossip = readGossip(node) }
        if let node = section["security"] { configuration.security = readSecurity(node) }
        if let node = section["identity"] { configuration.identity = readIdentity(node) }
        if let node = section["proxy"] { configuration.proxy = readProxy(node) }
        if let node = section["log"] { configuration.log = readLog(node) }
        if let node = section["metrics"] { configuration.metrics = readMetrics(node) }
        if let node = section["tracing"] { configuration.tracing = readTracing(node) }
        if let node = section["tenant"] { configuration.tenants = readTenants(node) }
        if let node = section["service"] { configuration.services = readServices(node) }
        checkPorts(configuration, section)
        return configuration
    }

    mutating func report(_ mistake: Mistake, at node: SettingNode) {
        diagnostics.append(
            Diagnostic(line: node.line, key: node.key, reason: mistake.reason, remedy: mistake.remedy)
        )
    }

    /// Takes a value as a section and reports the keys that do not belong there. Nil when the value is no table.
    mutating func open(_ node: SettingNode, as kind: SectionKind) -> Section? {
        guard let entries = entries(of: node, title: kind.title) else { return nil }
        for (name, entry) in entries where !kind.keys.contains(name) {
            let isTable = if case .table = entry.content { true } else { false }
            report(kind.mistake(unknown: name, isTable: isTable), at: entry)
        }
        return Section(kind: kind, entries: entries)
    }

    /// The entries of a table. Reports a value that is none.
    mutating func entries(of node: SettingNode, title: String) -> [String: SettingNode]? {
        switch node.content {
        case .table(let entries):
            return entries
        case .list(let entries) where !entries.isEmpty:
            let reason = "\(title) exists once and is no list"
            report(Mistake(reason: reason, remedy: "write \(title) with single brackets"), at: node)
        default:
            report(
                .kind(of: node, needed: "a table", remedy: "write \(title) on a line and its settings below it"),
                at: node
            )
        }
        return nil
    }

    /// Reads a setting into `value`, which stays as it is when the setting is absent or wrong. False only when wrong.
    @discardableResult
    mutating func read<Value>(
        _ key: String,
        of section: Section,
        as setting: Setting<Value>,
        into value: inout Value
    ) -> Bool {
        guard let node = section[key] else { return true }
        guard let read = read(node, as: setting) else { return false }
        value = read
        return true
    }

    /// The value of a node, or nil and a diagnostic.
    mutating func read<Value>(_ node: SettingNode, as setting: Setting<Value>) -> Value? {
        do throws(Mistake) {
            return try setting.parse(node)
        } catch {
            report(error, at: node)
            return nil
        }
    }

    /// Reads a list of different values. Wrong and repeated entries are reported and left out.
    mutating func readList<Value: Hashable>(
        _ key: String,
        of section: Section,
        as setting: Setting<Value>,
        into values: inout [Value]
    ) {
        guard let node = section[key] else { return }
        guard case .list(let entries) = node.content else {
            let remedy = "write [\(node.shown)], with brackets, even for a single entry"
            return report(.kind(of: node, needed: "a list", remedy: remedy), at: node)
        }
        guard entries.count <= Self.listEntriesMax else {
            let reason = "the list has \(entries.count) entries, and each of them is work at every change"
            let remedy = "write \(Self.listEntriesMax) or fewer; ranges and blocks hold many at once"
            return report(Mistake(reason: reason, remedy: remedy), at: node)
        }
        var firstLines: [Value: Int] = [:]
        for entry in entries {
            guard let value = read(entry, as: setting) else { continue }
            if let line = firstLines[value] {
                let reason = "\(entry.shown) is in the list already, on line \(line)"
                report(Mistake(reason: reason, remedy: "remove one of the two"), at: entry)
            } else {
                firstLines[value] = entry.line
                values.append(value)
            }
        }
    }
}

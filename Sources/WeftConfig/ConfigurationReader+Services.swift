internal import WeftCore

extension ConfigurationReader {
    /// Labels of one service; they travel to every host of the mesh.
    private static let labelsMax = 32

    /// Reads all tables `[service.NAME]`.
    mutating func readServices(_ node: SettingNode) -> [ServiceName: Configuration.ServiceOverride] {
        guard let entries = entries(of: node, title: SectionKind.service.title) else { return [:] }
        guard entries.count <= Self.listEntriesMax else {
            let reason = "there are \(entries.count) services, and a host offers \(Self.listEntriesMax) at most"
            report(Mistake(reason: reason, remedy: "keep those that run on this host"), at: node)
            return [:]
        }
        var services: [ServiceName: Configuration.ServiceOverride] = [:]
        for (text, entry) in entries {
            let service = readService(entry)
            do throws(Mistake) {
                services[try readServiceName(text)] = service
            } catch {
                report(error, at: entry)
            }
        }
        checkNames(services, entries)
        return services
    }

    private mutating func readService(_ node: SettingNode) -> Configuration.ServiceOverride {
        var service = Configuration.ServiceOverride()
        guard let section = open(node, as: .service) else { return service }
        if let name = section["name"] { service.rename = read(name, as: .serviceName) }
        if let labels = section["labels"] { service.labels = readLabels(labels) }
        if let hint = section["protocol"] { service.protocol = read(hint, as: .choice) }
        if let expose = section["expose"] { service.expose = read(expose, as: .boolean) }
        if section["allow"] != nil {
            var allow: [AllowedCaller] = []
            readList("allow", of: section, as: .allowedCaller, into: &allow)
            service.allow = allow
        }
        service.policy = readPolicy(section, at: node)
        return service
    }

    private mutating func readLabels(_ node: SettingNode) -> [String: String] {
        guard case .table(let entries) = node.content else {
            report(.kind(of: node, needed: "a table", remedy: "write labels = { version = \"2\" }"), at: node)
            return [:]
        }
        guard entries.count <= Self.labelsMax else {
            let reason = "there are \(entries.count) labels, and each travels to every host"
            report(Mistake(reason: reason, remedy: "keep \(Self.labelsMax) or fewer"), at: node)
            return [:]
        }
        var labels: [String: String] = [:]
        for (name, entry) in entries {
            labels[name] = read(entry, as: .label(named: name))
        }
        return labels
    }

    /// Two services of the file must not end up with one name.
    private mutating func checkNames(
        _ services: [ServiceName: Configuration.ServiceOverride],
        _ entries: [String: SettingNode]
    ) {
        /// A service that will carry a name, and where the file says so.
        struct Claim {
            let service: ServiceName
            let isRename: Bool
            let node: SettingNode
        }
        let claims = services.compactMap { service, override -> (name: ServiceName, claim: Claim)? in
            guard let table = entries[service.text] else { return nil }
            guard let rename = override.rename, case .table(let settings) = table.content, let node = settings["name"]
            else { return (service, Claim(service: service, isRename: false, node: table)) }
            return (rename, Claim(service: service, isRename: true, node: node))
        }
        for (name, rivals) in Dictionary(grouping: claims, by: \.name) where rivals.count > 1 {
            // The one that has the name by itself keeps it, else the first to ask for it.
            let ordered = rivals.map(\.claim).sorted {
                ($0.isRename ? 1 : 0, $0.node.line, $0.service) < ($1.isRename ? 1 : 0, $1.node.line, $1.service)
            }
            for claim in ordered.dropFirst() {
                let reason =
                    "\"\(name)\" is also the name of [service.\(ordered[0].service)], on line \(ordered[0].node.line)"
                report(Mistake(reason: reason, remedy: "choose another name for one of them"), at: claim.node)
            }
        }
    }
}

extension Setting where Value == String {
    /// A label's value; `name` is its key.
    fileprivate static func label(named name: String) -> Setting {
        let weights = 0...1000
        let remedy =
            name == "weight"
            ? "write a whole number from \(weights.lowerBound) to \(weights.upperBound) in quotes, such as \"10\""
            : "write a text in quotes, such as \"2\""
        return .text(remedy) { value throws(Mistake) in
            let isKey =
                (1...63).contains(name.utf8.count)
                && name.utf8.allSatisfy { isAlphanumeric($0) || Array("-_./".utf8).contains($0) }
            guard isKey else {
                throw Mistake(
                    reason: "\(quoted(name)) cannot be a label's name",
                    remedy: "write 1 to 63 letters, digits, hyphens, underscores, dots and slashes"
                )
            }
            guard (1...255).contains(value.utf8.count), value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw Mistake(
                    reason: "\(quoted(value)) cannot be a label's value",
                    remedy: "write 1 to 255 bytes without control characters"
                )
            }
            guard name != "weight" || Int(value).map(weights.contains) == true else {
                throw Mistake(reason: "\(quoted(value)) is no weight", remedy: remedy)
            }
        }
    }
}

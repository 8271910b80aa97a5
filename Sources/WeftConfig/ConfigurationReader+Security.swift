internal import WeftCore

extension ConfigurationReader {
    mutating func readSecurity(_ node: SettingNode) -> Configuration.Security {
        var security = Configuration.Security()
        guard let section = open(node, as: .security) else { return security }
        read("strict", of: section, as: .boolean, into: &security.strict)
        read("port", of: section, as: .tunnelPort, into: &security.port)
        return security
    }

    /// Both are TCP, on all of this host's addresses.
    mutating func checkPorts(_ configuration: Configuration, _ file: Section) {
        guard configuration.security.port == configuration.gossip.port,
            case .table(let settings)? = file["security"]?.content,
            // Their defaults differ, and each refuses the other's: both are in the file.
            let node = settings["port"]
        else { return }
        let reason = "port \(configuration.security.port) is that of gossip as well"
        report(Mistake(reason: reason, remedy: "write another here or in [gossip]"), at: node)
    }

    mutating func readIdentity(_ node: SettingNode) -> Configuration.Identity {
        var identity = Configuration.Identity()
        guard let section = open(node, as: .identity) else { return identity }
        read(
            "leaf-lifetime",
            of: section,
            as: .duration(.seconds(10) ... .seconds(90 * 86_400)),
            into: &identity.leafLifetime
        )
        read(
            "intermediate-lifetime",
            of: section,
            as: .duration(.seconds(20) ... .seconds(365 * 86_400)),
            into: &identity.intermediateLifetime
        )
        if identity.intermediateLifetime <= identity.leafLifetime {
            // One of them is in the file, as the defaults are not so.
            let place = section["intermediate-lifetime"] ?? section["leaf-lifetime"] ?? node
            report(
                Mistake(
                    reason: "a host's certificate would end before those that hang on it",
                    remedy: "write an intermediate-lifetime that is longer than leaf-lifetime, twice as long or more"
                ),
                at: place
            )
        }
        return identity
    }

    /// Reads all tables `[tenant.NAME]`.
    mutating func readTenants(_ node: SettingNode) -> [TenantName: Configuration.Tenant] {
        guard let entries = entries(of: node, title: SectionKind.tenant.title) else { return [:] }
        guard entries.count <= Self.listEntriesMax else {
            let reason = "there are \(entries.count) tenants, and a host has \(Self.listEntriesMax) at most"
            report(Mistake(reason: reason, remedy: "keep those that run on this host"), at: node)
            return [:]
        }
        var tenants: [TenantName: Configuration.Tenant] = [:]
        for (text, entry) in entries {
            var tenant = Configuration.Tenant()
            if let section = open(entry, as: .tenant) {
                read("isolate", of: section, as: .boolean, into: &tenant.isolate)
            }
            guard let name = TenantName(text), !text.hasSuffix(".slice") else {
                report(.tenant(text), at: entry)
                continue
            }
            tenants[name] = tenant
        }
        return tenants
    }
}

extension Mistake {
    fileprivate static func tenant(_ text: String) -> Mistake {
        let remedy = "write a slice's name without .slice, such as [tenant.shop], or system or user-1000"
        let plain = text.lowercased().split(separator: ".").first.map(String.init) ?? ""
        if plain != text, TenantName(plain) != nil {
            return Mistake(reason: "\(quoted(text)) cannot be a tenant's name", remedy: "write \"\(plain)\"")
        }
        return Mistake(reason: "\(quoted(text)) cannot be a tenant's name", remedy: remedy)
    }
}

extension Setting where Value == AllowedCaller {
    /// `web`, `shop/web` or `weft/db-1`.
    static var allowedCaller: Setting {
        Setting { node throws(Mistake) in
            let remedy =
                "write a service, such as \"web\", one of a tenant, such as \"shop/web\", or a host, \"weft/db-1\""
            guard case .text(let text) = node.content else { throw .kind(of: node, needed: "a caller", remedy: remedy) }
            guard let caller = AllowedCaller(text) else {
                let plain = text.lowercased().replacing(".service", with: "")
                throw Mistake(
                    reason: "\(quoted(text)) names no caller",
                    remedy: AllowedCaller(plain) == nil ? remedy : "write \"\(plain)\""
                )
            }
            return caller
        }
    }
}

extension AllowedCaller {
    /// Nil for what no service, tenant or host could be called.
    fileprivate init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1 where ServiceName(parts[0]) != nil && !parts[0].hasSuffix(".service"):
            self.init(namespace: nil, name: parts[0])
        case 2 where parts[0] == SpiffeID.nodeNamespace && NodeName(parts[1]) != nil:
            self.init(namespace: parts[0], name: parts[1])
        case 2 where TenantName(parts[0]) != nil && ServiceName(parts[1]) != nil && !parts[1].hasSuffix(".service"):
            self.init(namespace: parts[0], name: parts[1])
        default: return nil
        }
    }
}

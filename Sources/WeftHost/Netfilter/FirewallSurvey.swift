internal import CNetfilter
internal import CWeftLinux
internal import Glibc
internal import WeftCapture

/// Looks at what else is in this host's netfilter and names what concerns capture. Changes nothing.
package enum FirewallSurvey {
    /// Reads everybody else's tables, the bridges and their settings, in the calling thread's network namespace. Takes
    /// milliseconds; about 0.1 s for 20 000 rules.
    package static func run() throws(NetfilterError) -> [FirewallFinding] {
        let chains = try NetfilterSession().foreignChains()
        return ForeignFirewall(chains: chains).findings + (try bridgeFindings()) + legacyFindings()
    }

    private static func bridgeFindings() throws(NetfilterError) -> [FirewallFinding] {
        try BridgeSurvey.bridgesUnderNetfilter().map { bridge in
            FirewallFinding(
                code: "bridge-netfilter",
                severity: .warning,
                text: "bridge \(bridge) passes its traffic through iptables (net.bridge.bridge-nf-call-iptables = 1), "
                    + "which loses what is captured inbound: its plaintext goes to the services directly",
                remedy: "set net.bridge.bridge-nf-call-iptables = 0 and bridge-nf-call-ip6tables = 0, "
                    + "unless containers on \(bridge) need it"
            )
        }
    }

    /// Rules of the old iptables are not in nf_tables. The file is empty, or missing, where there are none.
    private static func legacyFindings() -> [FirewallFinding] {
        let files = ["/proc/thread-self/net/ip_tables_names", "/proc/thread-self/net/ip6_tables_names"]
        let tables = Set(files.flatMap(lines(of:))).sorted()
        guard !tables.isEmpty else { return [] }
        return [
            FirewallFinding(
                code: "firewall-legacy",
                severity: .note,
                text:
                    "rules of iptables-legacy are in use and were not examined (tables "
                    + "\(tables.joined(separator: ", ")))",
                remedy: nil
            )
        ]
    }

    private static func lines(of path: String) -> [String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 1024)
        let length = max(0, read(descriptor, &buffer, buffer.count))
        return String(decoding: buffer[..<length], as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

extension NetfilterSession {
    /// All chains but weft's, with their rules, of the families that captured connections pass.
    func foreignChains() throws(NetfilterError) -> [ForeignChain] {
        let operation = "reading the firewall"
        var chains = try dump(NFT_MSG_GETCHAIN, family: Int(NFPROTO_UNSPEC), operation) { header in
            Self.chain(header)
        }
        let rules = try dump(NFT_MSG_GETRULE, family: Int(NFPROTO_UNSPEC), operation) { header in
            Self.rule(header)
        }
        var places: [String: Int] = [:]
        for (index, chain) in chains.enumerated() { places[chain.title] = index }
        for (title, rule) in rules {
            if let index = places[title] { chains[index].rules.append(rule) }
        }
        return chains
    }

    private static func chain(_ header: UnsafePointer<nlmsghdr>) -> ForeignChain? {
        guard let object = nftnl_chain_alloc() else { return nil }
        defer { nftnl_chain_free(object) }
        guard nftnl_chain_nlmsg_parse(header, object) >= 0,
            let family = familyName(nftnl_chain_get_u32(object, UInt16(NFTNL_CHAIN_FAMILY.rawValue))),
            let table = nftnl_chain_get_str(object, UInt16(NFTNL_CHAIN_TABLE.rawValue)).map({ String(cString: $0) }),
            let name = nftnl_chain_get_str(object, UInt16(NFTNL_CHAIN_NAME.rawValue)).map({ String(cString: $0) }),
            !(family == "inet" && Table.Name.all.contains(table))
        else { return nil }
        var base: ForeignChain.Base?
        if nftnl_chain_is_set(object, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue)),
            let hook = ForeignChain.Hook(
                rawValue: nftnl_chain_get_u32(object, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue))
            )
        {
            let kind = nftnl_chain_get_str(object, UInt16(NFTNL_CHAIN_TYPE.rawValue)).map { String(cString: $0) }
            let policy = nftnl_chain_get_u32(object, UInt16(NFTNL_CHAIN_POLICY.rawValue))
            base = ForeignChain.Base(
                kind: kind ?? "filter",
                hook: hook,
                priority: nftnl_chain_get_s32(object, UInt16(NFTNL_CHAIN_PRIO.rawValue)),
                dropsByPolicy: nftnl_chain_is_set(object, UInt16(NFTNL_CHAIN_POLICY.rawValue))
                    && policy == UInt32(NF_DROP)
            )
        }
        return ForeignChain(family: family, table: table, name: name, base: base)
    }

    /// The title of the rule's chain, and the rule.
    private static func rule(_ header: UnsafePointer<nlmsghdr>) -> (String, ForeignRule)? {
        guard let object = nftnl_rule_alloc() else { return nil }
        defer { nftnl_rule_free(object) }
        guard nftnl_rule_nlmsg_parse(header, object) >= 0,
            let family = familyName(nftnl_rule_get_u32(object, UInt16(NFTNL_RULE_FAMILY.rawValue))),
            let table = nftnl_rule_get_str(object, UInt16(NFTNL_RULE_TABLE.rawValue)).map({ String(cString: $0) }),
            let chain = nftnl_rule_get_str(object, UInt16(NFTNL_RULE_CHAIN.rawValue)).map({ String(cString: $0) })
        else { return nil }
        return ("\(family) \(table) \(chain)", ForeignRuleDecoder(object).rule)
    }

    private static func familyName(_ number: UInt32) -> String? {
        switch Int(number) {
        case Int(NFPROTO_IPV4): "ip"
        case Int(NFPROTO_IPV6): "ip6"
        case Int(NFPROTO_INET): "inet"
        default: nil
        }
    }
}

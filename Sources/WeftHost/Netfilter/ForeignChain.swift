/// A chain of somebody else's, as far as capture is concerned with it.
struct ForeignChain: Equatable {
    /// NF_INET_* hooks of families ip, ip6 and inet.
    enum Hook: UInt32 {
        case prerouting, input, forward, output, postrouting
    }

    struct Base: Equatable {
        let kind: String
        let hook: Hook
        let priority: Int32
        let dropsByPolicy: Bool
    }

    /// `ip`, `ip6` or `inet`.
    let family: String
    let table: String
    let name: String
    /// Nil for a chain that is only jumped to.
    let base: Base?
    var rules: [ForeignRule] = []

    var title: String { "\(family) \(table) \(name)" }
}

/// A rule of somebody else's, reduced to what capture asks about it.
struct ForeignRule: Equatable {
    enum Ending: Equatable {
        case accept, drop
        case jump(String)
        /// Returns, counts, marks, or does something that is not understood.
        case other
    }

    var ending = Ending.other
    var disablesTracking = false
    /// Whether the rule looks at anything at all before it acts.
    var isConditional = false
    /// Whether it is about packets that come in, or go out, by `lo`.
    var isInputLoopback = false
    var isOutputLoopback = false
    /// Whether it is about connections whose destination was translated (`ct status dnat`).
    var isTranslated = false
    /// Whether it is about what goes to weft's outbound listener: its port, or 127.0.0.0/8.
    var isListener = false
    /// Whether it is about what comes from that listener.
    var isListenerAnswer = false
}

/// Everybody else's chains, and what they mean for captured connections. Best effort: jumps are followed, but the
/// conditions on the way are not weighed, and matches of iptables are not looked into.
struct ForeignFirewall {
    let chains: [ForeignChain]

    var findings: [FirewallFinding] {
        chains.flatMap { chain in
            guard let base = chain.base else { return [FirewallFinding]() }
            return [
                untracked(chain, base), earlierNAT(chain, base), closedOutput(chain, base), closedInput(chain, base),
            ]
            .compactMap { $0 }
        } + managers
    }

    private func untracked(_ chain: ForeignChain, _ base: ForeignChain.Base) -> FirewallFinding? {
        let rules = reachable(from: chain)
        guard base.hook == .output,
            rules.contains(where: { $0.disablesTracking && ($0.isOutputLoopback || !$0.isConditional) }),
            !rules.contains(where: { $0.ending == .accept && $0.isListenerAnswer })
        else { return nil }
        return FirewallFinding(
            code: "firewall-notrack",
            severity: .warning,
            text: "chain \(chain.title) switches connection tracking off for what leaves by `lo`: "
                + "the answers to captured connections are not translated back, and the connections hang",
            remedy: "exempt captured connections: `nft insert rule \(chain.title) tcp sport 15001 accept`"
        )
    }

    private func earlierNAT(_ chain: ForeignChain, _ base: ForeignChain.Base) -> FirewallFinding? {
        guard base.hook == .output, base.kind == "nat", base.priority <= -101, !reachable(from: chain).isEmpty else {
            return nil
        }
        return FirewallFinding(
            code: "firewall-nat-first",
            severity: .warning,
            text: "nat chain \(chain.title) has priority \(base.priority) and so may redirect connections before weft: "
                + "what it maps is not captured",
            remedy: "give it a priority above -101, such as -100, if weft should see those connections"
        )
    }

    private func closedOutput(_ chain: ForeignChain, _ base: ForeignChain.Base) -> FirewallFinding? {
        let opens: (ForeignRule) -> Bool = { $0.isTranslated || $0.isListener || !$0.isConditional }
        guard base.hook == .output, isClosed(chain, base, unless: opens) else { return nil }
        return FirewallFinding(
            code: "firewall-output-closed",
            severity: .warning,
            text: "chain \(chain.title) drops what it does not list, and sees captured connections on their way to "
                + "127.0.0.1:15001 (an `oif lo` rule does not match them): they are dropped",
            remedy: "accept them there: `nft insert rule \(chain.title) ct status dnat accept`"
        )
    }

    private func closedInput(_ chain: ForeignChain, _ base: ForeignChain.Base) -> FirewallFinding? {
        let opens: (ForeignRule) -> Bool = {
            $0.isInputLoopback || $0.isTranslated || $0.isListener || !$0.isConditional
        }
        guard base.hook == .input, isClosed(chain, base, unless: opens) else { return nil }
        return FirewallFinding(
            code: "firewall-input-closed",
            severity: .warning,
            text: "chain \(chain.title) drops what it does not list and has no rule for `lo`: captured connections are "
                + "dropped on their way to weft",
            remedy: "accept loopback traffic there: `nft insert rule \(chain.title) iif lo accept`"
        )
    }

    /// Firewall managers that weft is known to live with, by the tables and chains they make.
    private var managers: [FirewallFinding] {
        var names: [String] = []
        if chains.contains(where: { $0.table == "firewalld" }) { names.append("firewalld") }
        if chains.contains(where: { $0.name.hasPrefix("ufw-") || $0.name.hasPrefix("ufw6-") }) { names.append("ufw") }
        if chains.contains(where: { $0.name == "DOCKER" }) { names.append("Docker") }
        return names.map {
            FirewallFinding(
                code: "firewall-manager",
                severity: .note,
                text: "\($0) manages rules on this host: it leaves weft's alone, and weft opens nothing that it closes",
                remedy: nil
            )
        }
    }

    /// Whether a filter chain drops by default, and no accepting rule satisfies `opens`.
    private func isClosed(
        _ chain: ForeignChain,
        _ base: ForeignChain.Base,
        unless opens: (ForeignRule) -> Bool
    ) -> Bool {
        guard base.kind == "filter" else { return false }
        let rules = reachable(from: chain)
        let dropsAtEnd = chain.rules.last.map { $0.ending == .drop && !$0.isConditional } ?? false
        guard base.dropsByPolicy || dropsAtEnd else { return false }
        return !rules.contains { $0.ending == .accept && opens($0) }
    }

    /// The rules of a chain and of all that it may jump to.
    private func reachable(from start: ForeignChain) -> [ForeignRule] {
        var seen: Set<String> = [start.name]
        var waiting = [start]
        var rules: [ForeignRule] = []
        while let chain = waiting.popLast() {
            rules += chain.rules
            for rule in chain.rules {
                guard case .jump(let target) = rule.ending, seen.insert(target).inserted else { continue }
                waiting += chains.filter { $0.name == target && $0.table == start.table && $0.family == start.family }
            }
        }
        return rules
    }
}

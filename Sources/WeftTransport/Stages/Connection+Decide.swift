internal import WeftCore
internal import WeftIdentity
internal import WeftProxy

/// Why a connection is not carried.
struct Refusal: Error {
    let outcome: Outcome
    /// The rule that says so, if it is one.
    var rule: String?
    /// What went wrong, in words.
    var detail: String?
    /// What an HTTP client is told, where the outcome does not say it all.
    var flag: ResponseFlag?
}

/// A way through a tunnel.
struct TunnelRoute {
    var key: TunnelKey
    let node: NodeName
    let authority: TunnelAuthority
    /// What to do when the node cannot be reached by a tunnel: nil carries as dialled, which is for nodes that no tunnel
    /// has reached so far.
    let refusal: ((TunnelFailure) -> Refusal)?
}

/// The fourth room: may it, and by which way.
extension Connection {
    enum Way {
        case dial
        case tunnel(TunnelRoute)
        case refuse(Refusal)
    }

    /// Also fills in what is known of both ends' identities and of the security of the way.
    func decide(_ route: Route, for source: Source) -> Way {
        identity.destination = loop.tunnels.identity(of: route.service, route.tenant)
        switch route.path {
        case .outside:
            identity.source = source.workload.flatMap(loop.tunnels.identity(of:))
            return .dial
        case .local:
            security = .local
            identity.source = source.workload.flatMap(loop.tunnels.identity(of:))
            return judge(route) ?? .dial
        case .inbound:
            if case .tunnel(let request, _) = origin {
                security = .mtls
                identity.source = request.peer.identity
            }
            return judge(route) ?? .dial
        case .peer:
            identity.source = source.workload.flatMap(loop.tunnels.identity(of:))
            return wayToPeer(along: route)
        }
    }

    // MARK: To this host's services

    /// Who asks, as the rules see it.
    private var asker: AccessRules.Caller {
        if let source = identity.source { return .identity(source) }
        return isOutbound ? .unnamed : .anonymous
    }

    private func judge(_ route: Route) -> Way? {
        guard case .denied(let rule) = verdict(along: route) else { return nil }
        return .refuse(Refusal(outcome: Outcome(.denied, side: .weft), rule: rule))
    }

    private func verdict(along route: Route) -> AccessRules.Verdict {
        loop.tunnels.rules.verdict(on: asker, calling: route.service, of: route.tenant)
    }

    /// Judges a live connection to one of this host's services once more, and ends it when the rules say no by now.
    func judgeAgain() {
        guard let route, route.path == .local || route.path == .inbound, carrier.phase != .finished,
            case .denied(let rule) = verdict(along: route)
        else { return }
        self.rule = rule
        cancel(.denied)
    }

    // MARK: To another host's

    /// By tunnel where that can be; as it was dialled to hosts that no tunnel has ever reached.
    private func wayToPeer(along route: Route) -> Way {
        let tunnels = loop.tunnels
        guard let name = route.node, let node = tunnels.nodes.nodes[name], let mesh = tunnels.identity?.mesh,
            node.mesh == mesh, let source = identity.source, let destination = identity.destination
        else { return asDialled(route, because: "the host shows no identity of this mesh") }
        let reach = tunnels.reach(of: name)
        guard reach != .closed || tunnels.rules.isStrict else { return .dial }
        let key = TunnelKey(
            source: source,
            destination: destination,
            node: NetworkAddress(route.target.ip, port: node.port)
        )
        let mustTunnel = reach == .reached || tunnels.rules.isStrict
        return .tunnel(
            TunnelRoute(
                key: key,
                node: name,
                authority: .address(route.target),
                refusal: mustTunnel ? { Refusal($0, on: name) } : nil
            )
        )
    }

    /// To a host without a tunnel. One that was reached before is not sent to in clear whatever it says now.
    private func asDialled(_ route: Route, because reason: String) -> Way {
        guard let name = route.node else { return .dial }
        let isGuarded = loop.tunnels.reach(of: name) == .reached || loop.tunnels.nodes.guarded[route.target] != nil
        guard isGuarded || loop.tunnels.rules.isStrict else { return .dial }
        let rule = isGuarded ? nil : "strict"
        return .refuse(
            Refusal(
                outcome: Outcome(isGuarded ? .tunnelFailed : .denied, side: .weft),
                rule: rule,
                detail: "\(name) is not sent to in clear: \(reason)"
            )
        )
    }
}

extension Refusal {
    /// What a tunnel's failure means to the client.
    init(_ failure: TunnelFailure, on node: NodeName) {
        switch failure {
        case .denied(let rule, let denier):
            self.init(
                outcome: Outcome(.denied, side: .destination),
                rule: "\(rule ?? "a rule") on \(denier ?? node.text)"
            )
        case .refused(_, let because):
            // The other host's word for how its own dial ended.
            let ending = because.flatMap(Ending.init(rawValue:)) ?? .tunnelFailed
            self.init(outcome: Outcome(ending, side: .destination), detail: "\(node): \(failure)")
        case .overLimit, .noCertificate:
            self.init(outcome: Outcome(.tunnelFailed, side: .weft), detail: "\(node): \(failure)")
        default:
            self.init(outcome: Outcome(.tunnelFailed, side: .destination), detail: "\(node): \(failure)")
        }
    }
}

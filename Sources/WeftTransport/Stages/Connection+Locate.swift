internal import WeftCatalog
package import WeftCore
package import WeftProxy

/// Where a connection goes from here.
package struct Route: Sendable, Equatable {
    package let path: Path
    /// The service that the destination belongs to, if the mesh knows one.
    package let service: ServiceName?
    /// Whose the service is.
    package let tenant: TenantName?
    /// The other host that the service is on; nil for this one and for what the mesh does not know.
    package let node: NodeName?
    /// What weft dials.
    package let target: NetworkAddress
    /// Whose address the dial comes from.
    package let sourceAddress: SourceAddress
    /// What the service speaks, if its owner says so.
    package let declared: DeclaredProtocol?

    /// Whether the application is on this host, and this daemon stands right before it.
    var isToThisHost: Bool { path == .local || path == .inbound }

    /// The local address of weft's own dial.
    package enum SourceAddress: Sendable, Equatable {
        /// As the kernel chooses.
        case any
        /// This host's address that the client's socket has, so that policy routing and remote logs see what they would
        /// see without weft.
        case own(IPAddress)
        /// The address of a client on another host, bound transparently.
        case foreign(IPAddress)
    }
}

/// The third room: what the original destination is in this loop's snapshot.
extension Connection {
    /// Nil for a virtual address that no service of the mesh stands behind: nothing answers there.
    func locate(_ flow: Flow) -> Route? {
        let dialled = flow.destination.address
        let client = flow.client.address.ip
        return isOutbound ? outboundRoute(to: dialled, from: client) : inboundRoute(to: dialled, from: client)
    }

    private func outboundRoute(to dialled: NetworkAddress, from client: IPAddress) -> Route? {
        switch loop.snapshot.locate(dialled) {
        case .virtual(let group):
            self.group = group
            choice = loop.requests.pick(from: group, for: self, now: now)
            ticket = choice.flatMap { loop.requests.balancers.started($0, now: now) }
            return choice.map { Route($0.endpoint.endpoint, for: dialled) }
        case .local(let service):
            return Route(
                path: .local,
                service: service.name,
                tenant: service.tenant,
                node: nil,
                target: dialled,
                sourceAddress: .any,
                declared: service.declared
            )
        case .endpoint(let endpoint):
            return Route(endpoint, target: dialled, from: .own(client))
        case .outside:
            guard !loop.snapshot.isVirtual(dialled.ip) else { return nil }
            // What gossip has lost is still the service of a host that is not sent to in clear.
            let guarded = loop.tunnels.nodes.guarded[dialled]
            return Route(
                path: guarded == nil ? .outside : .peer,
                service: guarded?.service,
                tenant: guarded?.tenant,
                node: guarded?.node,
                target: dialled,
                sourceAddress: .own(client),
                declared: nil
            )
        }
    }

    private func inboundRoute(to dialled: NetworkAddress, from client: IPAddress) -> Route {
        let snapshot = loop.snapshot
        let service = snapshot.service(exposedAt: dialled)
        // A service that listens on loopback only and is exposed by the configuration: a foreign address cannot be used
        // on the way there.
        let hidden = snapshot.service(listeningOn: dialled) == nil
        let loopback = hidden ? service?.localEndpoint(preferring: dialled.ip.family) : nil
        return Route(
            path: .inbound,
            service: service?.name,
            tenant: service?.tenant,
            node: nil,
            target: loopback ?? dialled,
            sourceAddress: loopback == nil && settings.preserveClientAddress ? .foreign(client) : .any,
            declared: service?.declared
        )
    }
}

extension Route {
    /// To one of the endpoints behind a virtual address.
    init(_ endpoint: Endpoint, for dialled: NetworkAddress) {
        self.init(endpoint, target: endpoint.target(preferring: dialled.ip.family), from: .any)
    }

    fileprivate init(_ endpoint: Endpoint, target: NetworkAddress, from sourceAddress: SourceAddress) {
        self.init(
            path: endpoint.isLocal ? .local : .peer,
            service: endpoint.service,
            tenant: endpoint.tenant,
            node: endpoint.node,
            target: target,
            sourceAddress: sourceAddress,
            declared: endpoint.protocolHint.flatMap { DeclaredProtocol(hint: $0) }
        )
    }
}

extension LocalService {
    fileprivate var declared: DeclaredProtocol? { protocolHint.flatMap { DeclaredProtocol(hint: $0) } }
}

internal import WeftCatalog
package import WeftCore

/// Where a connection goes from here.
package struct Route: Sendable, Equatable {
    package let path: Path
    /// The service that the destination belongs to, if the mesh knows one.
    package let service: ServiceName?
    /// What weft dials.
    package let target: NetworkAddress
    /// Whose address the dial comes from.
    package let sourceAddress: SourceAddress

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
        switch kind {
        case .inbound:
            return inboundRoute(to: dialled, from: flow.client.address.ip)
        case .outbound:
            switch loop.snapshot.locate(dialled) {
            case .virtual(let group):
                let endpoint = group.next(&loop.turns)
                return Route(
                    path: endpoint.isLocal ? .local : .peer,
                    service: group.service,
                    target: endpoint.target(preferring: dialled.ip.family),
                    sourceAddress: .any
                )
            case .local(let service):
                return Route(path: .local, service: service.name, target: dialled, sourceAddress: .any)
            case .endpoint(let endpoint):
                return Route(
                    path: .peer,
                    service: endpoint.service,
                    target: dialled,
                    sourceAddress: .own(flow.client.address.ip)
                )
            case .outside:
                guard !loop.snapshot.isVirtual(dialled.ip) else { return nil }
                return Route(
                    path: .outside,
                    service: nil,
                    target: dialled,
                    sourceAddress: .own(flow.client.address.ip)
                )
            }
        }
    }

    private func inboundRoute(to dialled: NetworkAddress, from client: IPAddress) -> Route {
        let snapshot = loop.snapshot
        let service = snapshot.service(exposedAt: dialled)
        // A service that listens on loopback only and is exposed by the configuration: a foreign address cannot be used
        // on the way there.
        if let service, snapshot.service(listeningOn: dialled) == nil,
            let target = service.localEndpoint(preferring: dialled.ip.family)
        {
            return Route(path: .inbound, service: service.name, target: target, sourceAddress: .any)
        }
        return Route(
            path: .inbound,
            service: service?.name,
            target: dialled,
            sourceAddress: settings.preserveClientAddress ? .foreign(client) : .any
        )
    }
}

package import WeftCore

/// This host's own part of a snapshot: which of its services answers at which of its addresses.
///
/// Small, built whole when the host's services or addresses change, and shared by all snapshots until then.
final class LocalTables: Sendable {
    /// Sorted by name, port and unit.
    let services: [LocalService]
    /// The addresses of this host's interfaces, loopback included.
    let ownAddresses: Set<IPAddress>

    /// Indices into `services`, by the exact address listened on.
    private let byAddress: [NetworkAddress: Int]
    /// The same for listeners on all addresses of a family.
    private let byWildcard: [Wildcard: Int]
    /// Exposed services by port.
    private let byExposedPort: [UInt16: Int]

    /// Where two units listen on the same address and port (SO_REUSEPORT), the first in order stands for both.
    init(services: [LocalService], ownAddresses: Set<IPAddress>) {
        let services = services.sorted { ($0.name, $0.port, $0.unit) < ($1.name, $1.port, $1.unit) }
        var byAddress: [NetworkAddress: Int] = [:]
        var byWildcard: [Wildcard: Int] = [:]
        var byExposedPort: [UInt16: Int] = [:]
        for (index, service) in services.enumerated() {
            if service.isExposed { byExposedPort.keepFirst(index, at: service.port) }
            for address in service.addresses {
                if address.isUnspecified {
                    byWildcard.keepFirst(index, at: Wildcard(family: address.family, port: service.port))
                } else {
                    byAddress.keepFirst(index, at: NetworkAddress(address, port: service.port))
                }
            }
        }
        self.services = services
        self.ownAddresses = ownAddresses
        self.byAddress = byAddress
        self.byWildcard = byWildcard
        self.byExposedPort = byExposedPort
    }

    /// Whether an address is this host's own.
    func isOwn(_ address: IPAddress) -> Bool { address.isLoopback || ownAddresses.contains(address) }

    /// See `MeshSnapshot.service(listeningOn:)`.
    func service(listeningOn address: NetworkAddress) -> LocalService? {
        let index = byAddress[address] ?? byWildcard[Wildcard(family: address.ip.family, port: address.port)]
        return index.map { services[$0] }
    }

    /// See `MeshSnapshot.service(exposedAt:)`.
    func service(exposedAt address: NetworkAddress) -> LocalService? {
        service(listeningOn: address) ?? byExposedPort[address.port].map { services[$0] }
    }

    /// One endpoint for each name and port; none for services that cannot be dialled.
    var endpoints: [Endpoint] {
        var found: [Endpoint] = []
        for service in services {
            if let last = found.last, last.service == service.name, last.port == service.port { continue }
            if let endpoint = service.endpoint { found.append(endpoint) }
        }
        return found
    }
}

private struct Wildcard: Hashable {
    let family: IPFamily
    let port: UInt16
}

extension Dictionary {
    fileprivate mutating func keepFirst(_ value: Value, at key: Key) {
        if self[key] == nil { self[key] = value }
    }
}

extension LocalService {
    /// Where this host reaches the service: over loopback when it listens there, else at its own address; in the
    /// client's family where that is possible. Nil when it listens on IPv6 link-local addresses only, which cannot be
    /// dialled without naming a link.
    package func localEndpoint(preferring family: IPFamily) -> NetworkAddress? {
        let other: IPFamily = family == .v4 ? .v6 : .v4
        let ip = endpointAddress(family) ?? endpointAddress(other)
        return ip.map { NetworkAddress($0, port: port) }
    }

    private func endpointAddress(_ family: IPFamily) -> IPAddress? {
        let candidates = addresses.filter { $0.family == family }
        if candidates.contains(where: \.isUnspecified) { return family == .v4 ? .loopbackV4 : .loopbackV6 }
        return candidates.first(where: \.isLoopback)
            ?? candidates.first { !$0.isLinkLocal }
            ?? (family == .v4 ? candidates.first : nil)
    }

    /// The service as an endpoint of this host: one address of each family.
    fileprivate var endpoint: Endpoint? {
        Endpoint(
            service: name,
            node: nil,
            port: port,
            addresses: [endpointAddress(.v4), endpointAddress(.v6)].compactMap { $0 },
            tenant: tenant,
            labels: labels,
            protocolHint: protocolHint
        )
    }
}

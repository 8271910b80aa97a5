package import WeftCore

/// What the mesh looks like, at one moment: read by the data path with no lock, replaced whole, never changed.
///
/// The tables are built once, off the event loops, so that each lookup is one or two hash lookups without allocation.
package final class MeshSnapshot: Sendable {
    /// Sorted by name, port and unit.
    package let localServices: [LocalService]
    package let virtualAddresses: VirtualAddresses
    /// The addresses of this host's interfaces, loopback included.
    package let ownAddresses: Set<IPAddress>

    /// Indices into `localServices`, by the exact address listened on.
    private let byAddress: [NetworkAddress: Int]
    /// The same for listeners on all addresses of a family.
    private let byWildcard: [Wildcard: Int]
    /// Exposed services by port.
    private let byExposedPort: [UInt16: Int]
    /// By virtual address and port.
    private let byVirtualAddress: [NetworkAddress: VirtualTarget]

    /// Without arguments: a host without services, as it is before the first refresh.
    ///
    /// Where two units listen on the same address and port (SO_REUSEPORT), the first in order stands for both.
    package init(
        localServices: [LocalService] = [],
        virtualAddresses: VirtualAddresses = VirtualAddresses(),
        ownAddresses: Set<IPAddress> = [.loopbackV4, .loopbackV6]
    ) {
        let services = localServices.sorted { ($0.name, $0.port, $0.unit) < ($1.name, $1.port, $1.unit) }
        var byAddress: [NetworkAddress: Int] = [:]
        var byWildcard: [Wildcard: Int] = [:]
        var byExposedPort: [UInt16: Int] = [:]
        var byVirtualAddress: [NetworkAddress: VirtualTarget] = [:]
        for (index, service) in services.enumerated() {
            if service.isExposed { byExposedPort.keepFirst(index, at: service.port) }
            for address in service.addresses {
                if address.isUnspecified {
                    byWildcard.keepFirst(index, at: Wildcard(family: address.family, port: service.port))
                } else {
                    byAddress.keepFirst(index, at: NetworkAddress(address, port: service.port))
                }
            }
            guard let virtual = virtualAddresses[service.name] else { continue }
            for address in [virtual.v4, virtual.v6] {
                guard let endpoint = service.localEndpoint(preferring: address.family) else { continue }
                byVirtualAddress.keepFirst(
                    VirtualTarget(service: index, endpoint: endpoint),
                    at: NetworkAddress(address, port: service.port)
                )
            }
        }
        self.localServices = services
        self.virtualAddresses = virtualAddresses
        self.ownAddresses = ownAddresses
        self.byAddress = byAddress
        self.byWildcard = byWildcard
        self.byExposedPort = byExposedPort
        self.byVirtualAddress = byVirtualAddress
    }

    /// What a destination is, for a process of this host.
    package func locate(_ destination: NetworkAddress) -> Located {
        if let target = byVirtualAddress[destination] {
            return .virtual(localServices[target.service], endpoint: target.endpoint)
        }
        guard destination.ip.isLoopback || ownAddresses.contains(destination.ip) else { return .outside }
        return service(listeningOn: destination).map(Located.local) ?? .outside
    }

    /// The service that answers at one of this host's addresses; the caller knows that the address is one.
    package func service(listeningOn address: NetworkAddress) -> LocalService? {
        let index = byAddress[address] ?? byWildcard[Wildcard(family: address.ip.family, port: address.port)]
        return index.map { localServices[$0] }
    }

    /// The service that other hosts reach at one of this host's addresses: the one that listens there, or one that the
    /// configuration exposes although it listens on loopback only.
    package func service(exposedAt address: NetworkAddress) -> LocalService? {
        service(listeningOn: address) ?? byExposedPort[address.port].map { localServices[$0] }
    }

    /// Whether an address belongs to the mesh's virtual ranges. One that `locate` calls outside has no service behind
    /// it at that port: nothing in the network answers there, and a dial would only time out.
    package func isVirtual(_ address: IPAddress) -> Bool { VirtualAddresses.contains(address) }
}

/// What a destination is in a `MeshSnapshot`.
package enum Located: Sendable, Equatable {
    /// A virtual address and port of a service of this host; `endpoint` is where to dial it.
    case virtual(LocalService, endpoint: NetworkAddress)
    /// A service of this host, dialled at the host's own address.
    case local(LocalService)
    /// Nothing that the mesh knows.
    case outside
}

private struct Wildcard: Hashable {
    let family: IPFamily
    let port: UInt16
}

private struct VirtualTarget {
    let service: Int
    let endpoint: NetworkAddress
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
}

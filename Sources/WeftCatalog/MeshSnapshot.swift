package import WeftCore

/// What the mesh looks like, at one moment: read by the data path with no lock, replaced whole, never changed.
///
/// The tables are built off the event loops, by `MeshBuilder`, so that each lookup is one or two hash lookups without
/// allocation. A snapshot shares with the one before it whatever did not change.
package final class MeshSnapshot: Sendable {
    private let local: LocalTables
    private let tables: MeshTables

    init(local: LocalTables, tables: MeshTables) {
        self.local = local
        self.tables = tables
    }

    /// A host by itself; without arguments one without services, as it is before the first refresh.
    package convenience init(
        localServices: [LocalService] = [],
        virtualAddresses: VirtualAddresses = VirtualAddresses(),
        ownAddresses: Set<IPAddress> = [.loopbackV4, .loopbackV6]
    ) {
        var builder = MeshBuilder(virtualAddresses: virtualAddresses)
        builder.setLocal(services: localServices, ownAddresses: ownAddresses)
        let snapshot = builder.build().snapshot
        self.init(local: snapshot.local, tables: snapshot.tables)
    }

    /// This host's services, sorted by name, port and unit.
    package var localServices: [LocalService] { local.services }

    /// The addresses of this host's interfaces, loopback included.
    package var ownAddresses: Set<IPAddress> { local.ownAddresses }

    // MARK: For the data path

    /// What a destination is, for a process of this host.
    package func locate(_ destination: NetworkAddress) -> Located {
        if isVirtual(destination.ip) {
            return tables.byVirtualAddress[destination].map(Located.virtual) ?? .outside
        }
        if local.isOwn(destination.ip) { return service(listeningOn: destination).map(Located.local) ?? .outside }
        return tables.byAddress[destination].map { .endpoint($0.first) } ?? .outside
    }

    /// The service that answers at one of this host's addresses; the caller knows that the address is one.
    package func service(listeningOn address: NetworkAddress) -> LocalService? { local.service(listeningOn: address) }

    /// The service that other hosts reach at one of this host's addresses: the one that listens there, or one that the
    /// configuration exposes although it listens on loopback only.
    package func service(exposedAt address: NetworkAddress) -> LocalService? { local.service(exposedAt: address) }

    /// Whether an address belongs to the mesh's virtual ranges. One that `locate` calls outside has no service behind
    /// it at that port: nothing in the network answers there, and a dial would only time out.
    package func isVirtual(_ address: IPAddress) -> Bool { VirtualAddresses.contains(address) }

    // MARK: For people and for capture

    /// Services of this host and of all others, sorted by name.
    package var services: [MeshService] { tables.byName.values.sorted { $0.name < $1.name } }

    /// A service of the mesh; nil when nothing offers it.
    package func service(named name: ServiceName) -> MeshService? { tables.byName[name] }

    /// How many names `services` has.
    package var serviceCount: Int { tables.byName.count }

    /// Every real address and port at which another host offers a service, in no order: what `scope = "mesh"` captures.
    /// `MeshUpdate` has the difference to the snapshot before.
    package var destinations: Set<NetworkAddress> { Set(tables.byAddress.keys) }
}

/// What a destination is in a `MeshSnapshot`.
package enum Located: Sendable, Equatable {
    /// The virtual address and port of a service, which any of the group's endpoints serves.
    case virtual(EndpointGroup)
    /// A service of this host, dialled at the host's own address.
    case local(LocalService)
    /// A service of another host, dialled at that host's address.
    case endpoint(Endpoint)
    /// Nothing that the mesh knows.
    case outside
}

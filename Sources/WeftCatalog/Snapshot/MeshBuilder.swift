package import WeftCore

/// Makes snapshots: takes what changes on this host and in the catalogue, and rebuilds only what that touches.
///
/// Changes are collected and cost little; `build` makes the groups of the services that they name anew, copies the
/// shards that hold them, and shares the rest with the snapshot before. Owned by the control side.
package struct MeshBuilder: Sendable {
    /// The addresses of all names so far; to be saved when `MeshUpdate.addressesChanged` says so.
    package private(set) var virtualAddresses: VirtualAddresses

    private var local = LocalTables(services: [], ownAddresses: [.loopbackV4, .loopbackV6])
    private var tables = MeshTables()
    /// The members of every group, in the order that the group has.
    private var members: [ServiceName: [UInt16: [Endpoint]]] = [:]
    private var dirty: [ServiceName: Set<UInt16>] = [:]
    private var added: Set<NetworkAddress> = []
    private var removed: Set<NetworkAddress> = []
    /// Since the last snapshot.
    private var hasAllocated = false

    package init(virtualAddresses: VirtualAddresses = VirtualAddresses()) {
        self.virtualAddresses = virtualAddresses
    }

    // MARK: What changes

    /// Replaces this host's own services and addresses.
    package mutating func setLocal(services: [LocalService], ownAddresses: Set<IPAddress>) {
        let before = local.endpoints
        local = LocalTables(services: services, ownAddresses: ownAddresses)
        let after = local.endpoints
        // A host's own services have the first claim to virtual addresses should they ever run short.
        allocate(after.map(\.service))
        for endpoint in Self.difference(before, after) { leaveGroup(endpoint) }
        for endpoint in Self.difference(after, before) { joinGroup(endpoint) }
    }

    /// Follows a change of the catalogue.
    package mutating func apply(_ change: CatalogueChange) {
        for endpoint in change.removed {
            leaveGroup(endpoint)
            for ip in endpoint.addresses { withdraw(endpoint, at: NetworkAddress(ip, port: endpoint.port)) }
        }
        for endpoint in change.added {
            joinGroup(endpoint)
            for ip in endpoint.addresses { claim(endpoint, at: NetworkAddress(ip, port: endpoint.port)) }
        }
    }

    /// Those of `these` that `others` does not have; both are sorted by service and port, which no two share.
    private static func difference(_ these: [Endpoint], _ others: [Endpoint]) -> [Endpoint] {
        let known = Dictionary(
            others.map { (ServiceRecord.Key(service: $0.service, port: $0.port), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        return these.filter { known[ServiceRecord.Key(service: $0.service, port: $0.port)] != $0 }
    }

    // MARK: Snapshots

    /// The snapshot of now, and what is different from the one before.
    package mutating func build() -> MeshUpdate {
        let names = dirty.keys.sorted()
        allocate(names.filter { members[$0] != nil })
        for name in names { clearVirtual(name, ports: dirty[name] ?? []) }
        for name in names { rebuild(name, ports: dirty[name] ?? []) }
        let touched =
            tables.byAddress.touched.count + tables.byVirtualAddress.touched.count + tables.byName.touched.count
        let update = MeshUpdate(
            snapshot: MeshSnapshot(local: local, tables: tables),
            addedDestinations: added,
            removedDestinations: removed,
            addressesChanged: hasAllocated,
            rebuiltShards: touched
        )
        tables.byAddress.startCounting()
        tables.byVirtualAddress.startCounting()
        tables.byName.startCounting()
        (dirty, added, removed, hasAllocated) = ([:], [], [], false)
        return update
    }

    private mutating func allocate(_ names: [ServiceName]) {
        let missing = names.filter { virtualAddresses[$0] == nil }
        guard !missing.isEmpty else { return }
        let used = members
        virtualAddresses.allocate(missing) { used[$0] != nil }
        hasAllocated = true
    }

    /// Takes away what stood at the virtual addresses that a service had. For all services before any is rebuilt, as
    /// another one may have been given such an address meanwhile.
    private mutating func clearVirtual(_ name: ServiceName, ports: Set<UInt16>) {
        guard let old = tables.byName[name]?.virtualAddress else { return }
        for port in ports where members[name]?[port] == nil || virtualAddresses[name] != old {
            for address in [old.v4, old.v6] { tables.byVirtualAddress[NetworkAddress(address, port: port)] = nil }
        }
    }

    private mutating func rebuild(_ name: ServiceName, ports: Set<UInt16>) {
        let virtual = virtualAddresses[name]
        var groups = tables.byName[name]?.groups ?? []
        for port in ports.sorted() {
            let group = members[name]?[port].map { EndpointGroup(service: name, port: port, endpoints: $0) }
            groups.removeAll { $0.port == port }
            guard let group else { continue }
            groups.insert(group, at: groups.firstIndex { $0.port > port } ?? groups.endIndex)
            for address in [virtual?.v4, virtual?.v6].compactMap({ $0 }) {
                tables.byVirtualAddress[NetworkAddress(address, port: port)] = group
            }
        }
        tables.byName[name] =
            groups.isEmpty ? nil : MeshService(name: name, virtualAddress: virtual, groups: groups)
    }

    // MARK: Groups

    private mutating func joinGroup(_ endpoint: Endpoint) {
        let index = place(of: endpoint)
        members[endpoint.service, default: [:]][endpoint.port, default: []].insert(endpoint, at: index)
        dirty[endpoint.service, default: []].insert(endpoint.port)
    }

    private mutating func leaveGroup(_ endpoint: Endpoint) {
        let index = place(of: endpoint)
        guard let group = members[endpoint.service]?[endpoint.port], index < group.count,
            group[index].node == endpoint.node
        else { return }
        dirty[endpoint.service, default: []].insert(endpoint.port)
        if group.count > 1 {
            members[endpoint.service]?[endpoint.port]?.remove(at: index)
        } else {
            members[endpoint.service]?[endpoint.port] = nil
            if members[endpoint.service]?.isEmpty == true { members[endpoint.service] = nil }
        }
    }

    /// Where the endpoint stands in its group, or would: one a node, this host first.
    private func place(of endpoint: Endpoint) -> Int {
        guard let group = members[endpoint.service]?[endpoint.port], let node = endpoint.node else { return 0 }
        var range = 0..<group.count
        while !range.isEmpty {
            let middle = (range.lowerBound + range.upperBound) / 2
            if group[middle].node.map({ $0 < node }) ?? true {
                range = (middle + 1)..<range.upperBound
            } else {
                range = range.lowerBound..<middle
            }
        }
        return range.lowerBound
    }

    // MARK: Real addresses

    private mutating func claim(_ endpoint: Endpoint, at address: NetworkAddress) {
        guard tables.byAddress[address] == nil else {
            tables.byAddress[address]?.add(endpoint)
            return
        }
        tables.byAddress[address] = MeshTables.Claims(endpoint)
        if removed.remove(address) == nil { added.insert(address) }
    }

    private mutating func withdraw(_ endpoint: Endpoint, at address: NetworkAddress) {
        guard tables.byAddress[address]?.remove(endpoint) == false else { return }
        tables.byAddress[address] = nil
        if added.remove(address) == nil { removed.insert(address) }
    }
}

/// A new snapshot and its difference to the one before.
package struct MeshUpdate: Sendable {
    package let snapshot: MeshSnapshot
    /// Of `MeshSnapshot.destinations`.
    package let addedDestinations: Set<NetworkAddress>
    package let removedDestinations: Set<NetworkAddress>
    /// Whether `MeshBuilder.virtualAddresses` has to be saved.
    package let addressesChanged: Bool
    /// Shards of all tables that were copied for it.
    package let rebuiltShards: Int
}

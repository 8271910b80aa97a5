internal import WeftAPI
internal import WeftCatalog
internal import WeftCore
internal import WeftProxy
internal import WeftTransport

extension ServiceRow {
    /// The services of the mesh: a row for each port that this host offers, then one for each that only others do.
    /// `isShown` is asked with a service of this host, or with nil for those of others only.
    static func rows(
        of snapshot: MeshSnapshot,
        node: String,
        address: IPAddress?,
        speakers: [NetworkAddress: String] = [:],
        isShown: (LocalService?) -> Bool
    ) -> [ServiceRow] {
        let local = snapshot.localServices.filter(isShown).map { service in
            let known = snapshot.service(named: service.name)
            let group = known?.groups.first { $0.port == service.port }
            let endpoints = group?.endpointRows(node: node, address: address, speakers) ?? []
            // What this host keeps to itself is no endpoint for others.
            return ServiceRow(service, known, service.isExposed ? endpoints : endpoints.filter { $0.node != node })
        }
        guard isShown(nil) else { return local }
        let remote = snapshot.services.flatMap { service in
            service.groups.filter { group in !group.endpoints.contains(where: \.isLocal) }.map { group in
                ServiceRow(service, group, group.endpointRows(node: node, address: address, speakers))
            }
        }
        return (local + remote).sorted { ($0.name, $0.port, $0.unit ?? "") < ($1.name, $1.port, $1.unit ?? "") }
    }

    private init(_ service: LocalService, _ known: MeshService?, _ endpoints: [EndpointRow]) {
        self.init(
            name: service.name.text,
            unit: service.unit,
            tenant: service.tenant.text,
            port: service.port,
            addresses: service.addresses.map(\.description),
            virtualAddresses: known?.virtualAddress?.texts ?? [],
            exposed: service.isExposed,
            endpoints: endpoints,
            labels: service.labels,
            protocol: service.protocolHint
        )
    }

    private init(_ service: MeshService, _ group: EndpointGroup, _ endpoints: [EndpointRow]) {
        let first = group.endpoints[0]
        self.init(
            name: service.name.text,
            unit: nil,
            tenant: first.tenant.text,
            port: group.port,
            addresses: [],
            virtualAddresses: service.virtualAddress?.texts ?? [],
            exposed: true,
            endpoints: endpoints,
            labels: first.labels,
            protocol: first.protocolHint
        )
    }
}

extension VirtualAddress {
    fileprivate var texts: [String] { [v4.description, v6.description] }
}

extension EndpointGroup {
    /// This host's own endpoint is shown at the address that the mesh knows.
    fileprivate func endpointRows(
        node: String,
        address: IPAddress?,
        _ speakers: [NetworkAddress: String]
    ) -> [EndpointRow] {
        endpoints.map { endpoint in
            let speaker = speakers[endpoint.address] ?? (endpoint.isHealthy ? nil : "gossip")
            return EndpointRow(
                node: endpoint.node?.text ?? node,
                address: (endpoint.isLocal ? address ?? endpoint.addresses[0] : endpoint.addresses[0]).description,
                port: endpoint.port,
                healthy: speaker == nil,
                labels: endpoint.labels,
                speaker: speaker
            )
        }
    }
}

extension WorkloadRow {
    init(_ unit: Workloads.Unit, processes: Int, services: [LocalService], counters: TrafficCounters) {
        var sum = PairCounters()
        for (pair, counted) in counters.pairs where pair.source == unit.name && pair.tenant == unit.workload.tenant.text
        {
            sum.merge(counted)
        }
        self.init(
            unit: unit.name,
            slice: unit.workload.slice,
            tenant: unit.workload.tenant.text,
            processes: processes,
            services: Set(
                services.filter { $0.unit == unit.name && $0.tenant == unit.workload.tenant }.map(\.name.text)
            ).sorted(),
            connectionsOpen: sum.open,
            connectionsTotal: sum.total + UInt64(max(0, sum.open)),
            bytesOut: sum.bytesOut,
            bytesIn: sum.bytesIn
        )
    }
}

extension SourceRow {
    init(_ source: Source, processID: Int32?) {
        self.init(
            unit: source.workload?.displayName,
            uid: source.owner?.uid.number,
            tenant: source.workload?.tenant.text,
            pid: processID,
            address: source.address.description
        )
    }
}

extension ConnectionSecurity {
    fileprivate init(_ security: Security) {
        switch security {
        case .mtls: self = .mtls
        case .plaintext: self = .plaintext
        case .local: self = .local
        }
    }
}

extension IdentityRow {
    fileprivate init(_ identity: IdentityPair) {
        self.init(source: identity.source?.description, destination: identity.destination?.description)
    }
}

extension ConnectionRow {
    init(_ connection: LiveConnection, processID: Int32?) {
        self.init(
            id: connection.id.description,
            source: SourceRow(connection.source, processID: processID),
            destination: connection.destination.description,
            service: connection.service?.text,
            path: connection.path.rawValue,
            security: ConnectionSecurity(connection.security),
            identity: IdentityRow(connection.identity),
            protocol: connection.wire?.name,
            state: connection.phase.rawValue,
            bytesOut: connection.bytesOut,
            bytesIn: connection.bytesIn,
            ageSeconds: connection.age.inSeconds
        )
    }
}

extension RequestRow {
    fileprivate init(_ facts: RequestFacts) {
        self.init(
            connection: facts.connection.description,
            line: facts.line,
            status: facts.status,
            flag: facts.flag,
            tries: facts.tries,
            endpoint: facts.target?.description
        )
    }
}

extension DecisionRow {
    init(_ decision: Decision) {
        self.init(
            id: decision.id.description,
            time: decision.started.rfc3339,
            source: SourceRow(decision.source, processID: nil),
            destination: decision.destination.description,
            service: decision.service?.text,
            path: decision.path.rawValue,
            security: ConnectionSecurity(decision.security),
            identity: IdentityRow(decision.identity),
            protocol: decision.wire,
            request: decision.request.map { RequestRow($0) },
            rule: decision.rule,
            detail: decision.detail,
            bytesOut: decision.bytesOut,
            bytesIn: decision.bytesIn,
            durationSeconds: decision.duration.inSeconds,
            ending: decision.outcome.ending.rawValue,
            side: decision.outcome.side.rawValue
        )
    }
}

internal import WeftAPI
internal import WeftCatalog
internal import WeftCore
internal import WeftProxy
internal import WeftTransport

extension ServiceRow {
    init(_ service: LocalService, virtual: VirtualAddress?) {
        self.init(
            name: service.name.text,
            unit: service.unit,
            tenant: service.tenant.text,
            port: service.port,
            addresses: service.addresses.map(\.description),
            virtualAddresses: virtual.map { [$0.v4.description, $0.v6.description] } ?? [],
            exposed: service.isExposed,
            labels: service.labels,
            protocol: service.protocolHint
        )
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

extension ConnectionRow {
    init(_ connection: LiveConnection, processID: Int32?) {
        self.init(
            id: connection.id.description,
            source: SourceRow(connection.source, processID: processID),
            destination: connection.destination.description,
            service: connection.service?.text,
            path: connection.path.rawValue,
            state: connection.phase.rawValue,
            bytesOut: connection.bytesOut,
            bytesIn: connection.bytesIn,
            ageSeconds: connection.age.inSeconds
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
            bytesOut: decision.bytesOut,
            bytesIn: decision.bytesIn,
            durationSeconds: decision.duration.inSeconds,
            ending: decision.outcome.ending.rawValue,
            side: decision.outcome.side.rawValue
        )
    }
}

internal import WeftAPI
internal import WeftCatalog
internal import WeftConfig
internal import WeftCore
internal import WeftHost
internal import WeftProxy
internal import WeftTransport

/// Answers the API from what the data plane and the control side know at that moment. Holds no state of its own.
struct Reports: Reporting {
    let node: String
    let started: ContinuousClock.Instant
    let plane: DataPlane
    let controller: HostController
    let mesh: MeshController
    let identity: IdentityController
    let reach: ReachBook
    let requests: RequestBook
    let spans: SpanExporter
    let join: JoinServer
    let mount: CgroupMount
    let directory: WorkloadDirectory

    func version() -> VersionResponse { VersionResponse(version: weftVersion) }

    func status() async throws -> StatusResponse {
        let counters = try await plane.counters()
        let usage = try ProcessStatistics.current()
        let peers = try await mesh.counts()
        return StatusResponse(
            version: weftVersion,
            node: node,
            uptimeSeconds: (ContinuousClock.now - started).inSeconds,
            capture: await controller.captureStatus,
            connections: ConnectionTotals(open: counters.open, total: counters.accepted, failed: counters.failed),
            memoryBytes: usage.residentBytes,
            cpuSeconds: usage.cpuTime.inSeconds,
            services: Set(await controller.snapshot.localServices.map(\.name)).count,
            workloads: Workloads(directory.workloads).units.count,
            peersAlive: peers.alive,
            peersFailed: peers.failed,
            problems: try await problems()
        )
    }

    /// Errors first.
    private func problems() async throws -> [Problem] {
        let isStrict = await controller.configuration.security.strict
        let all =
            await controller.problems + (try await mesh.problems()) + (await identity.problems())
            + (await reach.problems(isStrict: isStrict))
        return all.filter { $0.severity == .error } + all.filter { $0.severity == .warning }
    }

    func services(for viewer: Viewer) async throws -> [ServiceRow] {
        let snapshot = await controller.snapshot
        let speakers = try await plane.speakers()
        return ServiceRow.rows(of: snapshot, node: node, address: await mesh.address, speakers: speakers) { service in
            service.map { viewer.sees($0.uid) } ?? viewer.seesAll
        }
    }

    func workloads(for viewer: Viewer) async throws -> [WorkloadRow] {
        let counters = try await plane.counters()
        let services = await controller.snapshot.localServices
        return Workloads(directory.workloads).units.compactMap { unit in
            let processes = mount.processes(below: unit.workload.cgroupPath)
            guard viewer.seesAll || processes.contains(where: { viewer.sees(ProcessOwner.uid(of: $0)) }) else {
                return nil
            }
            return WorkloadRow(unit, processes: processes.count, services: services, counters: counters)
        }
    }

    func connections(for viewer: Viewer) async throws -> [ConnectionRow] {
        let owners = await serviceOwners()
        var processes = SoleProcesses(mount: mount)
        return try await plane.connections()
            .filter { viewer.sees($0.source.owner?.uid) || owns(viewer, $0.service, owners) }
            .map { ConnectionRow($0, processID: processes.id(of: $0.source)) }
    }

    func decisions(last count: Int, for viewer: Viewer) async throws -> [DecisionRow] {
        // A caller who sees everything needs only the last ones; for others the rows are picked first.
        let owners = await serviceOwners()
        return try await plane.decisions(last: viewer.seesAll ? count : .max)
            .filter { viewer.sees($0.source.owner?.uid) || owns(viewer, $0.service, owners) }
            .prefix(count)
            .map { DecisionRow($0) }
    }

    func decision(_ id: ConnectionID, for viewer: Viewer) async throws -> [DecisionRow] {
        let owners = await serviceOwners()
        return try await plane.decisions(last: .max)
            .filter { $0.id == id && (viewer.sees($0.source.owner?.uid) || owns(viewer, $0.service, owners)) }
            .map { DecisionRow($0) }
    }

    func stat() async throws -> [StatRow] {
        let (rows, window) = await requests.stat
        return rows.map { StatRow($0, window: window) }
    }

    func tap(_ filter: TapFilter, after sequence: UInt64?, wait: Duration) async throws -> TapResponse {
        let tap = try await requests.tap(filter, after: sequence, wait: wait)
        return TapResponse(requests: tap.decisions.map { DecisionRow($0) }, latest: tap.sequence, missed: tap.missed)
    }

    func check() async throws -> [CheckRow] {
        try await HostCheck(plane: plane, controller: controller).rows()
    }

    func setCapture(enabled: Bool) async throws -> CaptureStatus {
        await controller.setCapture(enabled: enabled)
    }

    func peers() async throws -> [PeerRow] { try await mesh.peers() }

    func join(_ request: JoinRequest) async throws -> JoinResponse { try await mesh.join(request) }

    func leave(_ request: LeaveRequest) async throws -> LeaveResponse { try await mesh.leave(request) }

    func events(after sequence: UInt64?, wait: Duration) async -> EventsResponse {
        await mesh.events(after: sequence, wait: wait)
    }

    func sendEvent(_ request: SendEventRequest) async throws -> DoneResponse { try await mesh.sendEvent(request) }

    func gossipKeys(_ change: GossipKeyChange) async throws -> KeysResponse { try await mesh.gossipKeys(change) }

    func metrics() async throws -> String {
        Metrics(
            counters: try await plane.counters(),
            requestTotals: try await requests.upToDate(),
            detections: try await plane.detections(),
            retries: try await plane.retryCounts(),
            capture: await controller.captureStatus,
            services: await controller.snapshot.localServices.count,
            usage: try ProcessStatistics.current(),
            conntrack: try Conntrack.usage(),
            gossip: try await mesh.gossipReport(),
            catalogue: await mesh.catalogueReport,
            tunnels: try await plane.tunnelReport(),
            join: join.counters,
            identity: await identity.report(),
            certificates: (try? await identity.certificates(ofMesh: false)) ?? [],
            uptime: ContinuousClock.now - started,
            istio: await controller.configuration.metrics.istio,
            spans: await spans.counts
        ).text
    }

    // MARK: Who owns what

    /// A service that several users offer together belongs to none of them alone.
    private func serviceOwners() async -> [ServiceName: Set<UserID>] {
        Dictionary(grouping: await controller.snapshot.localServices, by: \.name).mapValues { Set($0.map(\.uid)) }
    }

    private func owns(_ viewer: Viewer, _ service: ServiceName?, _ owners: [ServiceName: Set<UserID>]) -> Bool {
        service.flatMap { owners[$0] } == [viewer.uid]
    }
}

/// The process behind a connection, which is known when its unit has a single one. Each unit's control group is read
/// once for an answer, however many connections it has.
private struct SoleProcesses {
    let mount: CgroupMount
    private var known: [String: Int32?] = [:]

    init(mount: CgroupMount) { self.mount = mount }

    mutating func id(of source: Source) -> Int32? {
        guard let workload = source.workload, workload.unit != nil else { return nil }
        if let id = known[workload.cgroupPath] { return id }
        let processes = mount.processes(below: workload.cgroupPath)
        let id = processes.count == 1 ? processes.first : nil
        known[workload.cgroupPath] = .some(id)
        return id
    }
}

extension Workload {
    fileprivate var depth: (Int, String) { (cgroupPath.utf8.count, cgroupPath) }
}

/// The units among a table of control groups, each once, sorted by name.
struct Workloads {
    struct Unit {
        let name: String
        let workload: Workload
    }

    let units: [Unit]

    init(_ table: [CgroupID: Workload]) {
        var byName: [String: Workload] = [:]
        for workload in table.values {
            guard let unit = workload.unit else { continue }
            // Control groups below a unit's own belong to it too; the shortest path is the unit's. Of two that are equally
            // short it is always the same one, whatever the order of the table.
            let key = "\(unit) \(workload.tenant)"
            if let known = byName[key], known.depth <= workload.depth { continue }
            byName[key] = workload
        }
        units = byName.values.compactMap { workload in workload.unit.map { Unit(name: $0, workload: workload) } }
            .sorted { ($0.name, $0.workload.tenant) < ($1.name, $1.workload.tenant) }
    }
}

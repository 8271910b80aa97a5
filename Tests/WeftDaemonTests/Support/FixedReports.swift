import Synchronization
import WeftAPI
import WeftCore

@testable import WeftDaemon

/// Fixed answers in place of a running daemon's, and a record of what was asked.
final class FixedReports: Reporting {
    enum Call: Equatable {
        case version, status, check, metrics
        case services(Viewer)
        case workloads(Viewer)
        case connections(Viewer)
        case decisions(Int, Viewer)
        case decision(ConnectionID, Viewer)
        case stat
        case tap(TapFilter, UInt64?, Duration)
        case setCapture(Bool)
        case peers
        case join(JoinRequest)
        case leave(LeaveRequest)
        case events(UInt64?, Duration)
        case sendEvent(SendEventRequest)
        case gossipKeys(GossipKeyChange)
        case up(UpRequest)
        case tokenJoin(TokenJoinRequest)
        case tokens
        case makeToken(TokenRequest)
        case withdrawToken(TokenWithdrawRequest)
        case certificates(ofMesh: Bool)
        case authority
        case rotateAuthority(CARotateRequest)
        case grantAuthority(NodeRequestBody)
        case exportAuthority
        case importAuthority(CAKeyText)
        case revoke(NodeRequestBody)
        case ping(PingRequest)
    }

    private let record = Mutex<[Call]>([])
    /// Thrown by everything that can fail.
    let failure: (any Error)?
    let metricsText: String

    init(failure: (any Error)? = nil, metricsText: String = "# HELP up x\n# TYPE up gauge\nup 1\n") {
        self.failure = failure
        self.metricsText = metricsText
    }

    var calls: [Call] { record.withLock { $0 } }

    func answer<Value>(_ call: Call, _ value: Value) throws -> Value {
        record.withLock { $0.append(call) }
        if let failure { throw failure }
        return value
    }

    func version() -> VersionResponse {
        record.withLock { $0.append(.version) }
        return VersionResponse(version: "9.8.7")
    }

    func status() throws -> StatusResponse {
        try answer(
            .status,
            StatusResponse(
                version: "9.8.7",
                node: "web-1",
                uptimeSeconds: 1.5,
                capture: CaptureStatus(state: .failed, scope: "mesh", rules: 0, degraded: ["a/b"], error: "EPERM"),
                connections: ConnectionTotals(open: 1, total: 2, failed: 3),
                memoryBytes: 4,
                cpuSeconds: 0.25,
                services: 5,
                workloads: 6,
                peersAlive: 7,
                peersFailed: 8,
                problems: [Problem(code: "capture-failed", severity: .error, text: "t", next: "n")]
            )
        )
    }

    func services(for viewer: Viewer) throws -> [ServiceRow] {
        try answer(
            .services(viewer),
            [
                ServiceRow(
                    name: "web",
                    unit: "web.service",
                    tenant: "system",
                    port: 80,
                    addresses: ["0.0.0.0"],
                    virtualAddresses: ["240.0.0.1"],
                    exposed: true,
                    endpoints: [
                        EndpointRow(node: "db-1", address: "10.0.0.1", port: 80, healthy: true, labels: [:])
                    ],
                    labels: ["version": "2", "env": "prod"],
                    protocol: nil
                )
            ]
        )
    }

    func decision(_ id: ConnectionID, for viewer: Viewer) throws -> [DecisionRow] {
        try answer(.decision(id, viewer), [])
    }

    func tap(_ filter: TapFilter, after sequence: UInt64?, wait: Duration) throws -> TapResponse {
        try answer(.tap(filter, sequence, wait), TapResponse(requests: [], latest: 7, missed: 2))
    }

    func stat() throws -> [StatRow] {
        let numbers = StatNumbers(
            requests: 10,
            failures: 1,
            requestsPerSecond: 2.5,
            successRate: 0.9,
            p50Milliseconds: 1,
            p90Milliseconds: 2,
            p99Milliseconds: 3,
            p999Milliseconds: nil
        )
        return try answer(
            .stat,
            [
                StatRow(
                    source: "web",
                    sourceTenant: "system",
                    destination: "db-1",
                    service: "api",
                    protocol: "http/1.1",
                    perspective: "caller",
                    windowSeconds: 4,
                    effective: numbers,
                    actual: numbers
                )
            ]
        )
    }

    func workloads(for viewer: Viewer) throws -> [WorkloadRow] {
        try answer(
            .workloads(viewer),
            [
                WorkloadRow(
                    unit: "web.service",
                    slice: "system.slice",
                    tenant: "system",
                    processes: 1,
                    services: ["web"],
                    connectionsOpen: 2,
                    connectionsTotal: 3,
                    bytesOut: 4,
                    bytesIn: 5
                )
            ]
        )
    }

    private let source = SourceRow(unit: "web.service", uid: 33, tenant: "system", pid: 7, address: "10.0.0.5:4000")

    func connections(for viewer: Viewer) throws -> [ConnectionRow] {
        try answer(
            .connections(viewer),
            [
                ConnectionRow(
                    id: "1f",
                    source: source,
                    destination: "10.0.0.12:8080",
                    service: nil,
                    path: "outside",
                    security: .plaintext,
                    identity: IdentityRow(source: nil, destination: nil),
                    state: "open",
                    bytesOut: .max,
                    bytesIn: 0,
                    ageSeconds: 2
                )
            ]
        )
    }

    func decisions(last count: Int, for viewer: Viewer) throws -> [DecisionRow] {
        try answer(
            .decisions(count, viewer),
            [
                DecisionRow(
                    id: "2",
                    time: "2026-08-01T12:00:03.004Z",
                    source: source,
                    destination: "10.0.0.12:8080",
                    service: "api",
                    path: "local",
                    security: .local,
                    identity: IdentityRow(source: nil, destination: nil),
                    rule: nil,
                    detail: nil,
                    bytesOut: 1,
                    bytesIn: 2,
                    durationSeconds: 0.5,
                    ending: "completed",
                    side: "client"
                )
            ]
        )
    }

    func check() throws -> [CheckRow] {
        try answer(
            .check,
            [CheckRow(section: "kernel", code: "nat", verdict: .warning, text: "t", remedy: "r")]
        )
    }

    func setCapture(enabled: Bool) throws -> CaptureStatus {
        try answer(
            .setCapture(enabled),
            CaptureStatus(
                state: enabled ? .on : .off,
                scope: "all",
                rules: enabled ? 9 : 0,
                degraded: [],
                error: nil
            )
        )
    }

    func peers() throws -> [PeerRow] {
        try answer(
            .peers,
            [
                PeerRow(
                    name: "db-1",
                    address: "10.0.0.1:7946",
                    state: .alive,
                    rttMilliseconds: 0.5,
                    tags: ["a": "b"],
                    kind: .serf,
                    version: nil,
                    sinceSeconds: 3,
                    isSelf: false
                )
            ]
        )
    }

    func join(_ request: JoinRequest) throws -> JoinResponse {
        try answer(.join(request), JoinResponse(attempts: [.init(address: "a", error: "e")], peersAlive: 2))
    }

    func leave(_ request: LeaveRequest) throws -> LeaveResponse {
        try answer(.leave(request), LeaveResponse(node: request.node ?? "web-1"))
    }

    func events(after sequence: UInt64?, wait: Duration) -> EventsResponse {
        record.withLock { $0.append(.events(sequence, wait)) }
        return EventsResponse(events: [], latest: 9, missed: 1)
    }

    func sendEvent(_ request: SendEventRequest) throws -> DoneResponse {
        try answer(.sendEvent(request), DoneResponse())
    }

    func gossipKeys(_ change: GossipKeyChange) throws -> KeysResponse {
        try answer(.gossipKeys(change), KeysResponse(keys: [], failures: [], hostsAsked: 3, hostsAnswered: 2))
    }

    func metrics() throws -> String { try answer(.metrics, metricsText) }
}

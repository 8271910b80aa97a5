internal import WeftAPI

/// What the API can ask of the daemon. Implemented by `Reports`; tests put fixed answers here.
protocol Reporting: Sendable {
    func version() -> VersionResponse
    func status() async throws -> StatusResponse
    func services(for viewer: Viewer) async throws -> [ServiceRow]
    func workloads(for viewer: Viewer) async throws -> [WorkloadRow]
    func connections(for viewer: Viewer) async throws -> [ConnectionRow]
    func decisions(last count: Int, for viewer: Viewer) async throws -> [DecisionRow]
    func check() async throws -> [CheckRow]
    func setCapture(enabled: Bool) async throws -> CaptureStatus
    func peers() async throws -> [PeerRow]
    func join(_ request: JoinRequest) async throws -> JoinResponse
    func leave(_ request: LeaveRequest) async throws -> LeaveResponse
    func events(after sequence: UInt64?, wait: Duration) async -> EventsResponse
    func sendEvent(_ request: SendEventRequest) async throws -> DoneResponse
    func gossipKeys(_ change: GossipKeyChange) async throws -> KeysResponse
    func metrics() async throws -> String
}

/// What `weft gossip keys` can do.
enum GossipKeyChange: Sendable, Equatable {
    case list
    case install(KeyRequestBody)
    case use(KeyRequestBody)
    case remove(KeyRequestBody)
}

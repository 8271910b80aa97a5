internal import WeftAPI
internal import WeftCore

/// What the API can ask of the daemon. Implemented by `Reports`; tests put fixed answers here.
protocol Reporting: Sendable {
    func version() -> VersionResponse
    func status() async throws -> StatusResponse
    func services(for viewer: Viewer) async throws -> [ServiceRow]
    func workloads(for viewer: Viewer) async throws -> [WorkloadRow]
    func connections(for viewer: Viewer) async throws -> [ConnectionRow]
    func decisions(last count: Int, for viewer: Viewer) async throws -> [DecisionRow]
    /// One, or none.
    func decision(_ id: ConnectionID, for viewer: Viewer) async throws -> [DecisionRow]
    func stat() async throws -> [StatRow]
    func tap(_ filter: TapFilter, after sequence: UInt64?, wait: Duration) async throws -> TapResponse
    func check() async throws -> [CheckRow]
    func setCapture(enabled: Bool) async throws -> CaptureStatus
    func peers() async throws -> [PeerRow]
    func join(_ request: JoinRequest) async throws -> JoinResponse
    func leave(_ request: LeaveRequest) async throws -> LeaveResponse
    func events(after sequence: UInt64?, wait: Duration) async -> EventsResponse
    func sendEvent(_ request: SendEventRequest) async throws -> DoneResponse
    func gossipKeys(_ change: GossipKeyChange) async throws -> KeysResponse
    func metrics() async throws -> String

    // MARK: Identity

    func up(_ request: UpRequest) async throws -> UpResponse
    func join(_ request: TokenJoinRequest) async throws -> TokenJoinResponse
    func tokens() async throws -> [TokenRow]
    func makeToken(_ request: TokenRequest) async throws -> TokenResponse
    func withdrawToken(_ request: TokenWithdrawRequest) async throws -> DoneResponse
    func certificates(ofMesh: Bool) async throws -> [CertificateRow]
    func authority() async throws -> CAStatus
    func rotateAuthority(_ request: CARotateRequest) async throws -> CAStatus
    func grantAuthority(_ request: NodeRequestBody) async throws -> CAStatus
    func exportAuthority() async throws -> CAKeyText
    func importAuthority(_ text: CAKeyText) async throws -> CAStatus
    func revoke(_ request: NodeRequestBody) async throws -> CAStatus
    func ping(_ request: PingRequest) async throws -> PingResponse
}

/// What `weft gossip keys` can do.
enum GossipKeyChange: Sendable, Equatable {
    case list
    case install(KeyRequestBody)
    case use(KeyRequestBody)
    case remove(KeyRequestBody)
}

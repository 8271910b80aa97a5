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
    func metrics() async throws -> String
}

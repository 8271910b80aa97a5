/// Where daemon and CLI meet, and the shapes that every answer has.
///
/// HTTP/1.1 over a Unix socket; JSON, except `/metrics` (Prometheus text 0.0.4). Paths carry the version of the
/// representation: fields may be added under `/v1`, never renamed or removed.
package enum APIRoute: String, Sendable, CaseIterable {
    case version = "/v1/version"
    case status = "/v1/status"
    case services = "/v1/services"
    case workloads = "/v1/workloads"
    case connections = "/v1/connections"
    /// `?last=N`, 1 to 4096, default 20.
    case decisions = "/v1/decisions"
    case check = "/v1/check"
    /// POST; root only. Answers with `CaptureStatus`.
    case captureOn = "/v1/capture/on"
    /// POST; root only. Answers with `CaptureStatus`.
    case captureOff = "/v1/capture/off"
    case peers = "/v1/peers"
    /// POST a `JoinRequest`; root only.
    case join = "/v1/peers/join"
    /// POST a `LeaveRequest`; root only.
    case leave = "/v1/peers/leave"
    /// `?after=N&wait=SECONDS`
    case events = "/v1/events"
    /// POST a `SendEventRequest`; root only.
    case sendEvent = "/v1/events/send"
    /// Root only, as are the changes below: who knows the keys belongs to the mesh.
    case keys = "/v1/gossip/keys"
    /// POST a `KeyRequestBody`.
    case installKey = "/v1/gossip/keys/install"
    case useKey = "/v1/gossip/keys/use"
    case removeKey = "/v1/gossip/keys/remove"
    case metrics = "/metrics"

    /// Where weftd listens, unless `--socket` says otherwise.
    package static let defaultSocketPath = "/run/weft/weft.sock"

    /// Whether its requests carry JSON.
    package var expectsBody: Bool {
        switch self {
        case .join, .leave, .sendEvent, .installKey, .useKey, .removeKey: true
        default: false
        }
    }

    /// GET for reading, POST for changing.
    package var method: String {
        switch self {
        case .captureOn, .captureOff, .join, .leave, .sendEvent, .installKey, .useKey, .removeKey: "POST"
        default: "GET"
        }
    }
}

/// `GET /v1/version`
package struct VersionResponse: Codable, Sendable, Equatable {
    package var version: String

    package init(version: String) { self.version = version }
}

/// What every refused request is answered with, beside its HTTP status.
package struct ErrorResponse: Codable, Sendable, Equatable, Error {
    /// Stable, in kebab-case, such as `not-allowed`.
    package var code: String
    /// What was wrong, with its values.
    package var text: String
    /// The next command to type.
    package var next: String

    package init(code: String, text: String, next: String) {
        self.code = code
        self.text = text
        self.next = next
    }
}

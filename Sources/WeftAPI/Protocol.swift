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
    /// `?last=N`, 1 to 4096, default 20; or `?id=ID`.
    case decisions = "/v1/decisions"
    /// Answers with a list of `StatRow`.
    case stat = "/v1/stat"
    /// `?after=N&wait=SECONDS`, and what is wanted: `source`, `service`, `path` (how it begins), `status` (`503` or `5xx`),
    /// `slower` (milliseconds). Answers with a `TapResponse`.
    case tap = "/v1/tap"
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
    /// POST an `UpRequest`; root only, as is everything below but the three that only tell.
    case up = "/v1/mesh/up"
    /// POST a `TokenJoinRequest`.
    case tokenJoin = "/v1/mesh/join"
    /// Answers with a list of `TokenRow`.
    case tokens = "/v1/mesh/tokens"
    /// POST a `TokenRequest`.
    case newToken = "/v1/mesh/tokens/new"
    /// POST a `TokenWithdrawRequest`.
    case withdrawToken = "/v1/mesh/tokens/withdraw"
    /// `?mesh=1`; answers with a list of `CertificateRow`.
    case certificates = "/v1/certificates"
    /// Answers with `CAStatus`.
    case ca = "/v1/ca"
    /// POST a `CARotateRequest`.
    case rotateCA = "/v1/ca/rotate"
    /// POST a `NodeRequestBody`: gives the authority to another host.
    case grantCA = "/v1/ca/grant"
    /// POST; answers with `CAKeyText`.
    case exportCA = "/v1/ca/export"
    /// POST a `CAKeyText`; answers with `CAStatus`.
    case importCA = "/v1/ca/import"
    /// POST a `NodeRequestBody`.
    case revoke = "/v1/revoke"
    /// POST a `PingRequest`.
    case ping = "/v1/ping"
    case metrics = "/metrics"

    /// Where weftd listens, unless `--socket` says otherwise.
    package static let defaultSocketPath = "/run/weft/weft.sock"

    /// Whether its requests carry JSON.
    package var expectsBody: Bool {
        switch self {
        case .join, .leave, .sendEvent, .installKey, .useKey, .removeKey, .up, .tokenJoin, .newToken, .withdrawToken,
            .rotateCA, .grantCA, .importCA, .revoke, .ping:
            true
        default: false
        }
    }

    /// GET for reading, POST for changing.
    package var method: String {
        switch self {
        case .captureOn, .captureOff, .exportCA: "POST"
        default: expectsBody ? "POST" : "GET"
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

/// Why weft answered a request itself, or ended one that had begun: the one vocabulary of answers (`weft-flags`),
/// decisions, access log and metrics. The raw values are stable; README.md shows this table.
///
/// | flag | HTTP | gRPC | what happened |
/// |---|---|---|---|
/// | `no-endpoint` | 503 | 14 UNAVAILABLE | the service has no endpoint in the mesh |
/// | `connect-failed` | 503 | 14 UNAVAILABLE | no endpoint accepted a connection |
/// | `connect-timeout` | 504 | 14 UNAVAILABLE | no endpoint answered the dial in time |
/// | `tunnel-failed` | 503 | 14 UNAVAILABLE | the other host could not be reached by a tunnel |
/// | `timeout` | 504 | 4 DEADLINE_EXCEEDED | `timeout` of the service passed without a response |
/// | `try-timeout` | 504 | 4 DEADLINE_EXCEEDED | `try-timeout` passed, and there was no other try |
/// | `upstream-reset` | 502 | 14 UNAVAILABLE | the application's side broke off before or in its response |
/// | `upstream-protocol-error` | 502 | 13 INTERNAL | what the application sent is not HTTP |
/// | `denied` | 403 | 7 PERMISSION_DENIED | a rule does not allow it |
/// | `rate-limited` | 429 | 8 RESOURCE_EXHAUSTED | the rate of the service or of this caller is used up |
/// | `overloaded` | 503 | 14 UNAVAILABLE | the daemon is over its memory or CPU limit, and this tenant over its share |
/// | `pending-overflow` | 503 | 14 UNAVAILABLE | too many requests wait for the service |
/// | `pending-timeout` | 503 | 14 UNAVAILABLE | it waited for the service for too long |
/// | `connection-limit` | 503 | 14 UNAVAILABLE | too many connections to the service |
/// | `draining` | 503 | 14 UNAVAILABLE | weftd is stopping |
/// | `client-protocol-error` | 400 | 13 INTERNAL | what the client sent is not HTTP, or is ambiguous |
/// | `client-head-too-large` | 431 | 8 RESOURCE_EXHAUSTED | the head of the request is above 64 KiB |
/// | `client-timeout` | 408 | 1 CANCELLED | the client did not finish its request in time |
/// | `client-gone` | - | 1 CANCELLED | the client left before the response was complete |
/// | `unsupported` | 501 | 12 UNIMPLEMENTED | a transfer coding that weft does not know (RFC 9112, section 6.1) |
/// | `loop` | 508 | 13 INTERNAL | the request came back to the weft that sent it |
/// | `internal-error` | 500 | 13 INTERNAL | weft failed; the log has the cause |
///
/// `rate-limited` is RESOURCE_EXHAUSTED and not the UNAVAILABLE to which gRPC maps a bare 429 (grpc,
/// doc/http-grpc-status-mapping.md): clients retry UNAVAILABLE by habit, which is what a limit cannot use.
package enum ResponseFlag: String, Hashable, Sendable, CaseIterable {
    case noEndpoint = "no-endpoint"
    case connectFailed = "connect-failed"
    case connectTimeout = "connect-timeout"
    case tunnelFailed = "tunnel-failed"
    case timeout
    case tryTimeout = "try-timeout"
    case upstreamReset = "upstream-reset"
    case upstreamProtocolError = "upstream-protocol-error"
    case denied
    case rateLimited = "rate-limited"
    case overloaded
    case pendingOverflow = "pending-overflow"
    case pendingTimeout = "pending-timeout"
    case connectionLimit = "connection-limit"
    case draining
    case clientProtocolError = "client-protocol-error"
    case clientHeadTooLarge = "client-head-too-large"
    case clientTimeout = "client-timeout"
    case clientGone = "client-gone"
    case unsupported
    case loop
    case internalError = "internal-error"

    /// The place in a table of counters: 0 is for a response without a flag.
    var index: Int {
        switch self {
        case .noEndpoint: 1
        case .connectFailed: 2
        case .connectTimeout: 3
        case .tunnelFailed: 4
        case .timeout: 5
        case .tryTimeout: 6
        case .upstreamReset: 7
        case .upstreamProtocolError: 8
        case .denied: 9
        case .rateLimited: 10
        case .overloaded: 11
        case .pendingOverflow: 12
        case .pendingTimeout: 13
        case .connectionLimit: 14
        case .draining: 15
        case .clientProtocolError: 16
        case .clientHeadTooLarge: 17
        case .clientTimeout: 18
        case .clientGone: 19
        case .unsupported: 20
        case .loop: 21
        case .internalError: 22
        }
    }

    /// Places in such a table.
    static let indexCount = ResponseFlag.allCases.count + 1
}

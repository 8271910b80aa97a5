/// How one try of a request failed, before any byte of a response went to the client.
package enum AttemptFailure: Hashable, Sendable {
    /// The connection to the application never stood: refused, unreachable, timed out, or no tunnel to its host.
    case connectFailed
    /// RST_STREAM with REFUSED_STREAM: the peer did nothing with it (RFC 9113, section 8.7).
    case refusedStream
    /// The stream's number is above the last one in a GOAWAY: the same promise (RFC 9113, section 6.8).
    case beyondGoAway
    /// The daemon on the other host refused it before its application saw it, and said so outside of the payload.
    case refusedByPeer
    /// The connection or stream broke. `reachedApplication` once a byte of it may have been written to the application.
    case reset(reachedApplication: Bool)
    /// The limit for one try passed.
    case timedOut(reachedApplication: Bool)
    /// The head of a response with this status has come, and nothing of it was passed on.
    case status(UInt16)

    /// Which requests may be sent again after this.
    package var safety: RetrySafety {
        switch self {
        case .connectFailed, .refusedStream, .beyondGoAway, .refusedByPeer: .always
        case .reset(let reachedApplication), .timedOut(let reachedApplication):
            reachedApplication ? .ifIdempotent : .always
        case .status(502), .status(503), .status(504): .ifIdempotent
        case .status: .never
        }
    }

    /// Whether it tells something of the endpoint: what does not counts against no endpoint, and the same one may be asked
    /// again. A connection that had stood idle may be dead for reasons of its own, such as a keep-alive limit (RFC 9112,
    /// section 9.5), and a GOAWAY ends a connection only.
    package func isEndpointsFault(isConnectionReused: Bool) -> Bool {
        switch self {
        case .reset: !isConnectionReused
        case .beyondGoAway: false
        default: true
        }
    }

    /// As what an answer of weft's own would name it; nil where the application has answered and its answer goes on.
    package var flag: ResponseFlag? {
        switch self {
        case .connectFailed: .connectFailed
        case .refusedStream, .beyondGoAway, .reset: .upstreamReset
        case .refusedByPeer: .overloaded
        case .timedOut: .tryTimeout
        case .status: nil
        }
    }
}

/// Which requests may be sent again.
package enum RetrySafety: Hashable, Sendable {
    /// Any: the application saw nothing of it.
    case always
    /// Those that do the same whether they are done once or twice (RFC 9110, section 9.2.2).
    case ifIdempotent
    /// None: the failure is the application's answer.
    case never
}

/// Why a request was not tried again. The raw values are what decisions and metrics say.
package enum RetryRefusal: String, Hashable, Sendable, CaseIterable {
    /// Bytes of a response are with the client.
    case responseStarted = "response-started"
    /// The application answered, and the answer is no gateway's error.
    case final
    /// The application may have done it, and doing it twice may not be the same.
    case notIdempotent = "not-idempotent"
    /// Its body was too long to keep, or is still coming and was partly let go.
    case bodyGone = "body-gone"
    /// It was tried as often as is allowed.
    case attemptsUsed = "attempts-used"
    /// All endpoints that may be asked have been asked.
    case noOtherEndpoint = "no-other-endpoint"
    /// The next try would begin after the request's deadline.
    case deadline
    /// Too many requests of this source to this service are being retried.
    case budget
}

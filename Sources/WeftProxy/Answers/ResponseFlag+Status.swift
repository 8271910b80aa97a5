/// A status code of gRPC, as far as weft gives them (grpc, doc/statuscodes.md).
package enum GRPCStatus: UInt8, Hashable, Sendable, CaseIterable {
    case cancelled = 1
    case deadlineExceeded = 4
    case permissionDenied = 7
    case resourceExhausted = 8
    case unimplemented = 12
    case internalError = 13
    case unavailable = 14
}

extension ResponseFlag {
    /// The status of weft's own answer (RFC 9110, section 15); nil where nobody is left to be answered.
    package var httpStatus: UInt16? {
        switch self {
        case .noEndpoint, .connectFailed, .tunnelFailed: 503
        case .overloaded, .pendingOverflow, .pendingTimeout, .connectionLimit, .draining: 503
        case .connectTimeout, .timeout, .tryTimeout: 504
        case .upstreamReset, .upstreamProtocolError: 502
        case .denied: 403
        case .rateLimited: 429
        case .clientProtocolError: 400
        case .clientHeadTooLarge: 431
        case .clientTimeout: 408
        case .clientGone: nil
        case .unsupported: 501
        case .loop: 508
        case .internalError: 500
        }
    }

    package var grpcStatus: GRPCStatus {
        switch self {
        case .noEndpoint, .connectFailed, .connectTimeout, .tunnelFailed, .upstreamReset: .unavailable
        case .overloaded, .pendingOverflow, .pendingTimeout, .connectionLimit, .draining: .unavailable
        case .timeout, .tryTimeout: .deadlineExceeded
        case .denied: .permissionDenied
        case .rateLimited, .clientHeadTooLarge: .resourceExhausted
        case .clientTimeout, .clientGone: .cancelled
        case .unsupported: .unimplemented
        case .upstreamProtocolError, .clientProtocolError, .loop, .internalError: .internalError
        }
    }

    /// The reason in words, when there is nothing more exact to say.
    package var reason: String {
        switch self {
        case .noEndpoint: "the service has no endpoint"
        case .connectFailed: "no endpoint accepted a connection"
        case .connectTimeout: "no endpoint answered in time"
        case .tunnelFailed: "the other host could not be reached by a tunnel"
        case .timeout: "there was no response in time"
        case .tryTimeout: "there was no response to a try in time"
        case .upstreamReset: "the application broke off"
        case .upstreamProtocolError: "what the application sent is not HTTP"
        case .denied: "a rule does not allow it"
        case .rateLimited: "the rate is used up"
        case .overloaded: "this host is overloaded"
        case .pendingOverflow: "too many requests wait for the service"
        case .pendingTimeout: "it waited for the service for too long"
        case .connectionLimit: "too many connections to the service"
        case .draining: "weftd is stopping"
        case .clientProtocolError: "the request is not HTTP, or ambiguous"
        case .clientHeadTooLarge: "the head of the request is too large"
        case .clientTimeout: "the request was not complete in time"
        case .clientGone: "the client left"
        case .unsupported: "a transfer coding that is not known"
        case .loop: "the request came back to where it was sent"
        case .internalError: "weft failed"
        }
    }

    /// Whether an HTTP/1.1 connection cannot be used after the answer: the end of the request is not known, or no more of
    /// them are wanted.
    package var closesConnection: Bool {
        switch self {
        case .clientProtocolError, .clientHeadTooLarge, .clientTimeout, .clientGone: true
        case .unsupported, .draining, .internalError: true
        default: false
        }
    }

    /// Whether the fault is the client's own: such outcomes say nothing of the service's health.
    package var isClientFault: Bool {
        switch self {
        case .denied, .rateLimited, .clientProtocolError, .clientHeadTooLarge: true
        case .clientTimeout, .clientGone, .unsupported: true
        default: false
        }
    }
}

/// The reason phrase of a status that weft gives (RFC 9110, section 15; RFC 6585, sections 4 and 5; RFC 5842,
/// section 7.2).
func reasonPhrase(of status: UInt16) -> String {
    switch status {
    case 400: "Bad Request"
    case 403: "Forbidden"
    case 408: "Request Timeout"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 508: "Loop Detected"
    default: ""
    }
}

/// What a request says about the endpoint that it went to. Not what it says to the client: a 404 is a success here.
package enum RequestVerdict: Sendable, Hashable {
    /// The endpoint does its work.
    case success
    /// It does not: an answer of 5xx, the like in gRPC, a reset, a failed connect, a timeout of weft's.
    case failure(retryAfter: Duration? = nil)
    /// It works and wants less of it: 429, RESOURCE_EXHAUSTED. Costs like a failure and never ejects: an endpoint that
    /// defends itself is alive, and without it the others would reach their limits all the sooner.
    case limited(retryAfter: Duration? = nil)
    /// Nobody's fault, or the client's: it went away. Counts neither way.
    case abandoned

    /// By the status of an HTTP answer, 100 to 599.
    package init(httpStatus: Int, retryAfter: Duration? = nil) {
        switch httpStatus {
        case 429: self = .limited(retryAfter: retryAfter)
        case 500...: self = .failure(retryAfter: retryAfter)
        default: self = .success
        }
    }

    /// By the `grpc-status` of an answer. Failures are those that google.rpc.Code gives as 5xx in HTTP, but for
    /// UNIMPLEMENTED: clients ask healthy servers for what they lack, such as reflection.
    package init(grpcStatus: Int, retryAfter: Duration? = nil) {
        switch grpcStatus {
        // UNKNOWN is what an exception in the application becomes.
        case 2, 4, 13, 14, 15: self = .failure(retryAfter: retryAfter)
        case 8: self = .limited(retryAfter: retryAfter)
        default: self = .success
        }
    }

    /// What it counts for instead of its latency; nil when the latency counts.
    func sample(_ settings: BalanceSettings) -> Duration? {
        switch self {
        case .success, .abandoned: return nil
        case .failure(let retryAfter), .limited(let retryAfter):
            // "At once" from an endpoint that just failed is no hint, and taken as one would draw requests to it.
            guard let retryAfter, retryAfter > .zero else { return settings.failureSample }
            return min(retryAfter, settings.retryAfterMax)
        }
    }
}

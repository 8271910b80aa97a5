/// One row of `GET /v1/stat`: the requests of one source to one service over the last seconds, as one daemon saw them.
package struct StatRow: Codable, Sendable, Equatable {
    /// Who asked: a service of the mesh, a unit, or `remote` for a client without an identity.
    package var source: String
    package var sourceTenant: String
    /// The host that the requests went to.
    package var destination: String
    package var service: String
    /// `http/1.1`, `http/2` or `grpc`.
    package var `protocol`: String
    /// `caller` or `callee`: on whose host this was counted.
    package var perspective: String
    /// The time that the numbers cover; at most 10 s.
    package var windowSeconds: Double
    /// As the clients saw it.
    package var effective: StatNumbers
    /// As each try went: worse than effective when retries hide something.
    package var actual: StatNumbers

    package init(
        source: String,
        sourceTenant: String,
        destination: String,
        service: String,
        protocol: String,
        perspective: String,
        windowSeconds: Double,
        effective: StatNumbers,
        actual: StatNumbers
    ) {
        self.source = source
        self.sourceTenant = sourceTenant
        self.destination = destination
        self.service = service
        self.protocol = `protocol`
        self.perspective = perspective
        self.windowSeconds = windowSeconds
        self.effective = effective
        self.actual = actual
    }
}

/// Rates and quantiles of requests. Latency is the time to the head of the response.
package struct StatNumbers: Codable, Sendable, Equatable {
    package var requests: UInt64
    package var failures: UInt64
    package var requestsPerSecond: Double
    /// 0...1; nil without requests, as are the quantiles.
    package var successRate: Double?
    package var p50Milliseconds: Double?
    package var p90Milliseconds: Double?
    package var p99Milliseconds: Double?
    package var p999Milliseconds: Double?

    package init(
        requests: UInt64,
        failures: UInt64,
        requestsPerSecond: Double,
        successRate: Double?,
        p50Milliseconds: Double?,
        p90Milliseconds: Double?,
        p99Milliseconds: Double?,
        p999Milliseconds: Double?
    ) {
        self.requests = requests
        self.failures = failures
        self.requestsPerSecond = requestsPerSecond
        self.successRate = successRate
        self.p50Milliseconds = p50Milliseconds
        self.p90Milliseconds = p90Milliseconds
        self.p99Milliseconds = p99Milliseconds
        self.p999Milliseconds = p999Milliseconds
    }
}

/// `GET /v1/tap`: the requests behind number `after` that are wanted, oldest first. With none, waits up to `wait` seconds
/// (0 to 30) for the first. `after` absent: from now on.
package struct TapResponse: Codable, Sendable, Equatable {
    package var requests: [DecisionRow]
    /// What to give as `after` next.
    package var latest: UInt64
    /// Requests that came too fast to be looked at, since somebody taps.
    package var missed: UInt64

    package init(requests: [DecisionRow], latest: UInt64, missed: UInt64) {
        self.requests = requests
        self.latest = latest
        self.missed = missed
    }
}

/// What a decision about a request tells beyond the connection: `DecisionRow.request`.
package struct RequestRow: Codable, Sendable, Equatable {
    /// The id of the connection that it came on.
    package var connection: String
    /// Method and path, such as `GET /orders`; empty for what was no request.
    package var line: String
    /// Of the response that the client got; nil when it got none.
    package var status: UInt16?
    /// Why weft answered itself, or the response broke off: see the table of response flags in README.md.
    package var flag: String?
    /// How often it was sent to an endpoint.
    package var tries: Int
    /// The endpoint of the last try.
    package var endpoint: String?

    package init(connection: String, line: String, status: UInt16?, flag: String?, tries: Int, endpoint: String?) {
        self.connection = connection
        self.line = line
        self.status = status
        self.flag = flag
        self.tries = tries
        self.endpoint = endpoint
    }
}

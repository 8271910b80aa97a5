package import WeftAPI

/// One question to weftd.
package struct DaemonRequest: Sendable, Equatable {
    package let route: APIRoute
    /// What follows the `?`, without it; nil for none. Made by weft itself of names and digits, so it needs no escaping.
    package let query: String?
    /// JSON that goes with a POST; nil for none.
    package let body: [UInt8]?
    /// The most that the whole exchange may take, where that is not the transport's own limit: for a question that weftd
    /// takes its time for on purpose.
    package let timeout: Duration?

    package init(_ route: APIRoute, query: String? = nil, body: [UInt8]? = nil, timeout: Duration? = nil) {
        self.route = route
        self.query = query
        self.body = body
        self.timeout = timeout
    }

    /// The request target: path and query.
    package var target: String { query.map { "\(route.rawValue)?\($0)" } ?? route.rawValue }
}

/// What weftd said: an HTTP status and a whole body.
package struct DaemonAnswer: Sendable, Equatable {
    package let status: Int
    package let body: [UInt8]

    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// The way to weftd. `UnixSocketTransport` is the real one; tests have canned answers.
package protocol DaemonTransport: Sendable {
    /// Asks weftd at the socket and waits for the whole answer, whatever its status; bounded in time and size.
    func exchange(_ request: DaemonRequest, at socket: SocketPath) async throws(DaemonError) -> DaemonAnswer
}

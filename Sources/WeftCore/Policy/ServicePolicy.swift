/// Every number that governs the requests to one service, in one place: from `[service.NAME]` of the host configuration
/// now, from the mesh document later.
///
/// The defaults are generous: what worked before weft works with it, so nothing is cut short and nobody is limited unless
/// somebody asked for it. The bounds on connections and waiting requests are there to keep the host alive, not to shape
/// traffic.
///
/// Who applies what: timeouts, retries and the choice of endpoints the caller's host, the rest the callee's, before its
/// application.
package struct ServicePolicy: Hashable, Sendable {
    /// From the request's head to the head of its response, retries and waiting included. A response that has begun is
    /// never cut, so streams of hours need no exception. Nil is no limit.
    package var timeout: Duration?
    /// The same for a single try; what runs into it is retried if that is safe. Nil is no limit of its own.
    package var tryTimeout: Duration?
    package var retry = RetryPolicy()

    /// What keeps requests together at one endpoint; nil where each goes to the better one of two.
    package var affinity: RequestAffinity?
    /// Whether endpoints on the caller's host, else the nearest ones, are preferred as long as they bear it.
    package var prefersNear = false

    /// Connections from weft to the application, on this host.
    package var connectionsMax = 8192
    /// Requests that the application works on at the same time. A request leaves the count when it becomes a stream
    /// (upgrade, or gRPC streaming): connections bound those.
    package var requestsMax = 4096
    /// Requests that wait for a place among `requestsMax`. Beyond it the tenant with the most waiting loses its newest.
    package var pendingMax = 4096
    /// How long a request waits for a place before it is refused. Clients rarely wait longer than 10 s, and work for a
    /// client that has gone is lost.
    package var pendingTimeout = Duration.seconds(10)

    /// What all callers together may ask, on this host; nil is no limit.
    package var rate: Rate?
    /// What each caller may ask, on this host; nil is no limit.
    package var callerRate: Rate?
    /// Parts of the places that a tenant gets when they are scarce; 1 for a tenant that is not named.
    package var tenantWeights: [TenantName: Int] = [:]

    package init() {}

    /// One event loop's part of a bound, rounded up, so that every loop can work: of requests that are let in and of those
    /// that wait, as these have queues, which belong to loops. So the bound is kept to within one for each loop, and a loop
    /// does not use what another leaves.
    /// Connections and rates are counted exactly, for all loops together.
    package static func share(of bound: Int, loops: Int) -> Int { max(1, (bound + max(1, loops) - 1) / max(1, loops)) }
}

/// `service.NAME.hash`: which requests to a service belong together. They go to the same endpoint from every host, as long
/// as it is well and not overloaded, and of all endpoints few requests move when one comes or goes.
package enum RequestAffinity: Hashable, Sendable {
    /// Those of one unit of one host, connections that are carried as bytes too.
    case source
    /// Those with the same value of a field, whose name is in lower case. Requests without it belong to none.
    case field(String)

    /// Names longer than this are none that anybody uses.
    private static let nameMax = 64

    /// Reads `source` or `header NAME`; case does not matter in names (RFC 9110, section 5.1).
    package static func read(_ text: String) throws(PolicyProblem) -> RequestAffinity {
        if text == "source" { return .source }
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, words[0] == "header" else {
            throw PolicyProblem(
                .hash,
                reason: "\"\(text.prefix(80))\" does not say what to hash",
                remedy: "write \"source\", or \"header \" and a name, such as \"header x-user\""
            )
        }
        guard (1...nameMax).contains(words[1].utf8.count), words[1].utf8.allSatisfy(isTokenCharacter) else {
            throw PolicyProblem(
                .hash,
                reason: "\"\(words[1].prefix(80))\" cannot be the name of a header",
                remedy: "write 1 to \(nameMax) letters, digits and hyphens, such as \"header x-user\""
            )
        }
        return .field(words[1].lowercased())
    }

    /// RFC 9110, section 5.6.2.
    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

/// When and how often requests to a service are tried again.
package struct RetryPolicy: Hashable, Sendable {
    /// Retries of one request, 0...2. A third would rarely find an endpoint that two missed.
    package var countMax = 2
    /// Retries in 10 s for each 100 requests in these 10 s, 0...100. 20 is enough to hide one dead endpoint of five, and
    /// bounds what a storm can add.
    package var budgetPercent = 20
    /// Retries per second that need no requests to justify them, 0...1000, so that a service with a request now and then
    /// gets its retries too.
    package var floorPerSecond = 10
    /// Bytes of a request's body that are kept for a retry, 0...1 MiB. Each request in flight may hold as many.
    package var bodyBytesMax = 65_536

    package init() {}
}

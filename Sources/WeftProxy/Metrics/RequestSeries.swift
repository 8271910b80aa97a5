package import WeftCore

/// What a request is counted under: who asked whom, coarse enough to count. Names, never addresses.
package struct RequestSeries: Hashable, Sendable {
    /// From which daemon's side it was seen: both count, each what it saw.
    package enum Perspective: String, Hashable, Sendable, CaseIterable {
        case caller
        case callee
    }

    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case http1 = "http/1.1"
        case http2 = "http/2"
        case grpc
        /// Of series that are counted together.
        case other
    }

    /// The unit, `host`, or the identity's name.
    package let source: String
    package let sourceTenant: String
    /// The host that the request went to.
    package let destination: String
    package let service: String
    package let kind: Kind
    package let perspective: Perspective
    /// Who certificates, or the kernel, say that the two are.
    package let identity: IdentityPair
    /// How the bytes went; nil when no endpoint was reached.
    package let security: Security?

    package init(
        source: String,
        sourceTenant: String,
        destination: String,
        service: String,
        kind: Kind,
        perspective: Perspective,
        identity: IdentityPair = IdentityPair(),
        security: Security? = nil
    ) {
        self.source = source
        self.sourceTenant = sourceTenant
        self.destination = destination
        self.service = service
        self.kind = kind
        self.perspective = perspective
        self.identity = identity
        self.security = security
    }

    /// The series by names alone, as weft's own metrics and tables have it.
    package var named: RequestSeries {
        RequestSeries(
            source: source,
            sourceTenant: sourceTenant,
            destination: destination,
            service: service,
            kind: kind,
            perspective: perspective
        )
    }

    /// Where series beyond the limit are counted together: one for each side, as the two count the same requests.
    package static func other(_ perspective: Perspective) -> RequestSeries {
        RequestSeries(
            source: "other",
            sourceTenant: "other",
            destination: "other",
            service: "other",
            kind: .other,
            perspective: perspective
        )
    }
}

extension RequestSeries: Comparable {
    /// For people and for output that is the same each time.
    package static func < (left: RequestSeries, right: RequestSeries) -> Bool {
        if left.sortKey != right.sortKey { return left.sortKey < right.sortKey }
        if left.kind != right.kind { return left.kind.rawValue < right.kind.rawValue }
        if left.perspective != right.perspective { return left.perspective.rawValue < right.perspective.rawValue }
        return left.wayKey.lexicographicallyPrecedes(right.wayKey)
    }

    private var wayKey: [String] {
        [identity.source?.description ?? "", identity.destination?.description ?? "", security?.rawValue ?? ""]
    }

    private var sortKey: (String, String, String, String) { (service, source, sourceTenant, destination) }
}

/// Everything that is counted of one request when it is over. Made from its `Decision` by the record stage.
package struct RequestRecord: Sendable {
    /// What the client got.
    package var response: ResponseClass
    /// Set when weft answered itself, or the response broke off.
    package var flag: ResponseFlag?
    /// From the request's head to the head of the response that the client got, or to the end when there was none. What
    /// a body or a stream takes is up to its size, and to both ends.
    package var latency: Duration
    /// Of the response that the client got, and gRPC's own where it has one.
    package var status: UInt16?
    package var grpcStatus: UInt32?
    /// Bytes of bodies.
    package var bytesOut: UInt64 = 0
    package var bytesIn: UInt64 = 0
    /// The tries that failed.
    package var trail = AttemptTrail()
    /// How long the last try took when its response is the one that the client got; nil when that came of no try: the last
    /// one failed, or none was made.
    package var lastAttempt: Duration?

    package init(response: ResponseClass, flag: ResponseFlag? = nil, latency: Duration, lastAttempt: Duration?) {
        self.response = response
        self.flag = flag
        self.latency = latency
        self.lastAttempt = lastAttempt
    }
}

internal import NIOCore
internal import WeftCore
internal import WeftProxy

/// A request on its way: what its record, its retries and its answer need. A value that lives with the request.
struct HTTPRequest {
    let id: ConnectionID
    let started: Instant
    let startedWall: WallTime
    let kind: RequestSeries.Kind
    let method: RequestMethod
    let persists: Bool
    /// Method and target as they came; empty when there was no request line.
    let line: ByteBuffer
    var retries: RequestRetries
    /// What is sent again with a retry.
    var kept: [ByteBuffer] = []
    var keeps: Bool

    /// What keeps it together with others.
    var affinity: AffinityKey?
    /// The endpoint that this try goes to.
    var route: Route?
    /// Set when it is reported as spans.
    var trace: TraceFacts?
    /// How the bytes go there; nil before it is reached.
    var security: Security?
    var choice: LoopBalancers.Choice?
    var ticket: LoopBalancers.Ticket?
    var tried = LoopBalancers.Tried()
    var attemptBegan: Instant
    var isReused = false
    /// It waits for an endpoint to be reached.
    var isDialling = false
    /// The last try has failed, and is among those of `retries.trail`.
    var hasFailed = false
    /// Whether the door of a service of this host is behind it, or how it stands there.
    var standing = Standing.outside
    /// When it makes sense to ask again.
    var retryAfter: Duration?
    /// When the first byte of the response came.
    var firstByte: Instant?
    /// Of the final response that the client gets.
    var status: UInt16?
    /// The same for gRPC, where the status of HTTP says little.
    var grpcStatus: UInt32?
    var latency: Duration?
    /// Set when weft answers itself, or when the response broke off.
    var flag: ResponseFlag?
    var reason: String?
    var rule: String?
    var bytesOut: UInt64 = 0
    var bytesIn: UInt64 = 0

    enum Standing {
        case outside
        case waiting(TenantPlace)
        case inside(TenantPlace)
    }

    var token: RequestToken { RequestToken(id.number) }

    /// `head` is nil for what is no request.
    init(_ id: ConnectionID, _ head: RequestHead?, line: ByteBuffer, policy: ServicePolicy, now: Instant) {
        self.id = id
        self.started = now
        self.startedWall = .now()
        self.kind = .http1
        self.method = head?.method ?? .other
        self.persists = head?.persists ?? false
        self.line = line
        self.retries = RequestRetries(policy: policy, isIdempotent: method.isIdempotent, now: now)
        self.keeps = method.isIdempotent
        self.attemptBegan = now
    }

    /// Of HTTP/2, where a request of any method may turn out not to have been looked at.
    init(_ id: ConnectionID, _ head: HTTP2Head, policy: ServicePolicy, now: Instant) {
        self.id = id
        self.started = now
        self.startedWall = .now()
        self.kind = head.kind
        self.method = head.method
        self.persists = true
        self.line = head.line
        self.retries = RequestRetries(policy: policy, isIdempotent: method.isIdempotent, now: now)
        self.keeps = true
        self.attemptBegan = now
    }

    /// A piece of the body goes out.
    mutating func sent(_ bytes: ByteBuffer) {
        bytesOut += UInt64(bytes.readableBytes)
        guard keeps else { return }
        switch retries.bodyReceived(bytes: bytes.readableBytes) {
        case .keep: keep(bytes)
        case .letGo: letGo()
        }
    }

    /// Small pieces are copied together: each would keep alive the whole buffer that it came in.
    private mutating func keep(_ bytes: ByteBuffer) {
        if let last = kept.last, last.readableBytes + bytes.readableBytes < 4096 {
            kept[kept.count - 1].writeImmutableBuffer(bytes)
        } else {
            kept.append(bytes)
        }
    }

    /// Nothing is sent again.
    mutating func letGo() {
        keeps = false
        kept = []
    }

    /// A try begins; gives its limit.
    mutating func begin(now: Instant) -> Instant? {
        attemptBegan = now
        firstByte = nil
        (isReused, hasFailed) = (false, false)
        return retries.attemptStarted(now: now)
    }

    /// The final response's head goes to the client.
    mutating func answered(_ status: UInt16, now: Instant) {
        self.status = status
        latency = now - started
        retries.responseStarted()
        letGo()
    }

    /// A gRPC response of 200 without a status is a broken one.
    private var responseClass: ResponseClass {
        guard let status else { return .none }
        guard kind == .grpc, status == 200 || grpcStatus != nil else { return ResponseClass(status: status) }
        return ResponseClass(grpcStatus: grpcStatus ?? 2)
    }

    /// What is counted of it.
    func record(now: Instant) -> RequestRecord {
        var record = RequestRecord(
            response: responseClass,
            flag: flag,
            latency: latency ?? now - started,
            lastAttempt: hasFailed ? nil : firstByte.map { $0 - attemptBegan }
        )
        (record.bytesOut, record.bytesIn, record.trail) = (bytesOut, bytesIn, retries.trail)
        record.status = status
        record.grpcStatus = grpcStatus
        return record
    }
}

/// An endpoint's end of a client's session.
final class Upstream {
    let leg: any RelayLeg
    let route: Route
    let security: Security
    /// Whether it has served a request.
    var isUsed = false

    init(_ leg: any RelayLeg, at route: Route, security: Security) {
        self.leg = leg
        self.route = route
        self.security = security
    }
}

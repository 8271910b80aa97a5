internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import WeftCore
internal import WeftProxy

/// Carries a connection that speaks HTTP/2 stream by stream: each request goes to an endpoint of its own choice.
///
/// ```
///                    ┌─ exchange ─┐    ┌─ side ─ leg ─► endpoint
/// client ◄─ leg ─ side─ exchange ─┼────┤
///                    └─ exchange ─┘    └─ side ─ leg ─► endpoint
/// ```
///
/// Upstream connections belong to this client and are kept while it is there, as with HTTP/1. What the legs of one turn
/// of the event loop bring is written as one piece to each leg at the end of it (`settle`): nothing is flushed, ended or
/// closed in the middle of a frame. Everything runs on the connection's loop.
///
/// Extensions: `+Upstreams` (endpoints), `+Ends` (farewells and failures).
final class HTTP2Session: RequestCarrier {
    /// Nil when the session is over, which breaks the cycle between the two.
    private(set) var connection: Connection?
    let loop: DataLoop
    private let clientLeg: any RelayLeg
    private(set) lazy var client = HTTP2Side(
        .server,
        over: clientLeg,
        eventLoop: loop.eventLoop,
        owner: self,
        floods: loop.settings.http2Floods
    )
    var endpoints: [NetworkAddress: HTTP2Endpoint] = [:]
    /// Whose retries are counted together.
    private let retryKey: RetryKey
    private var retryHint = TableHint()

    private var touched: [HTTP2Side] = []
    private var unsettled: [HTTP2Exchange] = []
    /// Sides from which nothing comes any more.
    var endedSides: [(side: HTTP2Side, cause: HTTP2Side.Cause)] = []
    /// Some upstream takes no more streams.
    var hasRetired = false
    private var isScheduled = false
    private var isSettling = false
    /// The client has been told to go elsewhere.
    var isDraining = false

    init(for connection: Connection, calling service: ServiceName) {
        self.connection = connection
        self.loop = connection.loop
        self.clientLeg = connection.client
        self.retryKey = RetryKey(source: connection.callerName, service: service)
    }

    /// Starts with what the relay had: the client's first bytes, and perhaps an endpoint that has been reached already.
    func begin(with destination: (any RelayLeg)?, clientBytes: ByteBuffer, destinationBytes: ByteBuffer) {
        guard let connection, let route = connection.route else { return }
        let endpoint = HTTP2Endpoint(route)
        endpoints[route.target] = endpoint
        endpoint.isDialling = connection.dial != nil
        clientLeg.opened()
        if let destination { use(destination, for: endpoint, connection.security, destinationBytes) }
        client.begin(with: clientBytes)
        if clientLeg.isInputEnded { ended(client, .end) }
    }

    var phase: RelayMachine.Phase { connection == nil ? .finished : isDraining ? .halfClosed : .open }

    var bytesOut: UInt64 { client.received }

    var bytesIn: UInt64 { client.sent }

    /// Nothing waits for half-closed clients: one that ends is gone.
    func checkSilence(now: Instant, limit: Duration) {}

    // MARK: Requests

    func countRequest(now: Instant) { loop.requests.budgets.countRequest(retryKey, hint: &retryHint, now: now) }

    /// What follows from a try that failed.
    func plan(
        _ failure: AttemptFailure,
        for request: inout HTTPRequest,
        hasOther: Bool,
        now: Instant
    ) -> RequestRetries.Action {
        request.retries.attemptFailed(
            failure,
            isConnectionReused: request.isReused,
            isAnotherEndpointLeft: hasOther,
            budget: &loop.requests.budgets,
            key: retryKey,
            hint: &retryHint,
            now: now,
            using: &loop.requests.random
        )
    }

    // MARK: Turns

    /// Has the exchange look at itself when this turn's frames have left.
    func settleLater(_ exchange: HTTP2Exchange) {
        unsettled.append(exchange)
        schedule()
    }

    private func schedule() {
        guard !isScheduled, !isSettling else { return }
        isScheduled = true
        // Tasks of a turn run after its reads.
        loop.eventLoop.assumeIsolated().execute {
            self.isScheduled = false
            self.settle()
        }
    }

    private func settle() {
        isSettling = true
        repeat {
            while let side = touched.popLast() { side.flush() }
            while let exchange = unsettled.popLast() { exchange.settle() }
            // What was written before still leaves.
            if touched.isEmpty, let (side, cause) = endedSides.popLast() { bury(side, cause) }
        } while !touched.isEmpty || !unsettled.isEmpty || !endedSides.isEmpty
        isSettling = false
        closeIfDone()
    }

    /// Becomes nothing.
    func letGo() -> Connection? {
        defer { connection = nil }
        return connection
    }
}

extension HTTP2Session: HTTP2SideOwner {
    func requested(_ id: HTTP2StreamID, _ fields: HPACKHeaders, isEnd: Bool) {
        guard let connection else { return }
        let head = HTTP2Head(fields)
        let exchange = HTTP2Exchange(id, head, in: self, connection.makeRequest(head))
        client.streams[id] = exchange
        if isEnd { _ = exchange.requests.receive(ByteBuffer(), isEnd: true) }
        exchange.beginTrace()
        exchange.begin()
    }

    var takesResponses: Bool { clientLeg.isWritable }

    func touched(_ side: HTTP2Side) {
        touched.append(side)
        schedule()
    }

    func becameWritable(_ side: HTTP2Side) {
        guard side === client else { return }
        for endpoint in endpoints.values { for other in endpoint.sides { other.readOn() } }
    }

    func ended(_ side: HTTP2Side, _ cause: HTTP2Side.Cause) {
        // Nothing is opened there until it is buried.
        side.isRetired = true
        endedSides.append((side, cause))
        schedule()
    }
}

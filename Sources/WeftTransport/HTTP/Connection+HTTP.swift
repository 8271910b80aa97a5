internal import NIOCore
internal import WeftCatalog
internal import WeftCore
internal import WeftProxy

/// What requests need to know of the connection that they come on.
extension Connection {
    /// Whether requests may go to more than one endpoint: the client dialled a virtual address. Whoever dials a real one
    /// means that one.
    var isBalanced: Bool { group != nil }

    func makeRequest(_ head: RequestHead?, line: ByteBuffer) -> HTTPRequest {
        HTTPRequest(loop.nextID(), head, line: line, policy: loop.policy(of: route?.service), now: now)
    }

    func makeRequest(_ head: HTTP2Head) -> HTTPRequest {
        var request = HTTPRequest(loop.nextID(), head, policy: loop.policy(of: route?.service), now: now)
        request.affinity = affinity(head.key)
        return request
    }

    // MARK: Affinity

    /// What keeps a request together with others, where the service's policy says so. `field` gives the key of the value
    /// of a field, nil where the request has none.
    func affinity(_ field: (String) -> AffinityKey?) -> AffinityKey? {
        guard isBalanced, let affinity = loop.policy(of: route?.service).affinity else { return nil }
        return switch affinity {
        case .source: sourceAffinity
        case .field(let name): field(name)
        }
    }

    /// The same on every loop, and at every start of weftd: a unit of a host.
    var sourceAffinity: AffinityKey { AffinityKey("\(loop.tunnels.node?.text ?? "") \(callerName)".utf8) }

    // MARK: Endpoints

    /// Where a try of a request goes; nil when no endpoint is left.
    func chooseRoute(for request: inout HTTPRequest) -> Route? {
        guard isBalanced, let dialled = flow?.destination.address else { return route }
        if request.affinity == nil, let first = choice {
            choice = nil
            request.choice = first
            return route
        }
        guard case .virtual(let group) = loop.snapshot.locate(dialled) else { return nil }
        self.group = group
        request.choice = loop.requests.pick(from: group, for: request, now: now)
        return request.choice.map { Route($0.endpoint.endpoint, for: dialled) }
    }

    func hasOther(for request: HTTPRequest) -> Bool {
        guard let group else { return false }
        return loop.requests.pick(from: group, for: request, now: now) != nil
    }

    func started(_ request: inout HTTPRequest?, now: Instant) {
        guard var begun = request else { return }
        started(&begun, now: now)
        request = begun
    }

    func started(_ request: inout HTTPRequest, now: Instant) {
        // The request took the way that the connection had taken already.
        if request.choice == nil, request.ticket == nil, let first = choice {
            choice = nil
            request.choice = first
        }
        loop.requests.started(&request, now: now)
    }

    func failed(_ request: inout HTTPRequest, now: Instant) {
        if request.choice == nil, request.ticket == nil, let first = choice {
            choice = nil
            request.choice = first
        }
        loop.requests.failed(&request, now: now)
    }

    /// Who asks, by name.
    var callerName: String {
        identity.source.map { $0.service?.text ?? $0.account } ?? source?.workload?.displayName ?? "remote"
    }

    /// As whom requests count at the door of a service: the tenant of whoever asks, and for limits the caller itself.
    func makeCaller() -> ServiceGate.Caller {
        let secret = loop.requests.secret
        let address = source?.address.address.ip ?? .anyV4
        let key = identity.source.map { CallerKey($0, secret: secret) } ?? CallerKey(address, secret: secret)
        return ServiceGate.Caller(key, tenant: identity.source?.tenant ?? source?.workload?.tenant ?? .remote)
    }

    // MARK: The record

    /// Counts a request that is over, and keeps it if there is something to tell.
    func ended(_ request: HTTPRequest?, _ ending: ExchangeEnding) {
        guard var request else { return }
        lastSide = ending.side
        if request.flag == nil { request.flag = ending.flag }
        let route = request.route ?? self.route
        for series in series(of: request, along: route) {
            loop.requests.metrics.record(request.record(now: now), in: series)
        }
        let isNotable = request.isNotable
        let isWanted = loop.requests.recorder.wants(isNotable: isNotable)
        let isTraced = request.trace != nil && loop.requests.traced.wants(isNotable: isNotable)
        guard isNotable || isWanted || isTraced else { return }
        let decision = decision(on: request, along: route, ending)
        if isNotable { loop.requests.notable.append(decision) }
        if isWanted { loop.requests.recorder.keep(decision) }
        if isTraced { loop.requests.traced.keep(decision) }
    }

    private static let countedMax = 64

    /// Both daemons count what they see; on one host they are the same one.
    private func series(of request: HTTPRequest, along route: Route?) -> [RequestMetrics.SeriesID] {
        // From another host it is the client's side that can be open to others.
        let security = route?.path == .inbound ? self.security : request.security
        let key = CountedKey(target: route?.target, kind: request.kind, security: security)
        if let known = counted[key] { return known }
        let perspectives: [RequestSeries.Perspective] =
            switch route?.path {
            case .inbound: [.callee]
            case .local: [.caller, .callee]
            default: [.caller]
            }
        let own = loop.tunnels.node?.text ?? "this host"
        let ids = perspectives.map { perspective in
            loop.requests.metrics.id(
                of: RequestSeries(
                    source: callerName,
                    sourceTenant: identity.source?.tenant?.text ?? source?.workload?.tenant.text ?? "",
                    destination: route?.node?.text ?? own,
                    service: route?.service?.text ?? "",
                    kind: request.kind,
                    perspective: perspective,
                    identity: IdentityPair(
                        source: identity.source,
                        destination: loop.tunnels.identity(of: route?.service, route?.tenant)
                    ),
                    security: security
                )
            )
        }
        // Endpoints come and go under a connection that stays.
        if counted.count >= Self.countedMax { counted = [:] }
        counted[key] = ids
        return ids
    }

    private func decision(on request: HTTPRequest, along route: Route?, _ ending: ExchangeEnding) -> Decision {
        let duration = now - request.started
        return Decision(
            id: request.id,
            started: request.startedWall,
            source: source ?? unknownSource,
            destination: flow?.destination ?? unknownDestination,
            service: route?.service,
            path: route?.path ?? defaultPath,
            security: security,
            identity: identity,
            wire: request.kind.rawValue,
            request: RequestFacts(
                connection: id,
                line: request.lineText,
                status: request.status,
                flag: request.flag?.rawValue,
                tries: request.retries.attempts,
                target: route?.target,
                trace: request.trace?.began(WallTime.nanosecondsNow() - duration.wholeNanoseconds)
            ),
            rule: request.rule,
            detail: request.reason,
            bytesOut: request.bytesOut,
            bytesIn: request.bytesIn,
            duration: duration,
            outcome: Outcome(
                request.flag == nil ? .completed : request.rule == nil ? .reset : .denied,
                side: ending.side
            )
        )
    }
}

extension HTTPRequest {
    /// weft answered it, tried it again, or saw it fail.
    fileprivate var isNotable: Bool {
        if flag != nil || retries.attempts > 1 || status ?? 0 >= 500 { return true }
        return grpcStatus.map { ResponseClass(grpcStatus: $0) == .grpcServerError } ?? false
    }

    /// The method and the path: a query may hold what is nobody's business.
    fileprivate var lineText: String {
        let path = line.readableBytesView.prefix { $0 != UInt8(ascii: "?") }
        return String(decoding: path.prefix(RequestFacts.lineMax), as: UTF8.self)
    }
}

extension ExchangeEnding {
    fileprivate var flag: ResponseFlag? {
        switch self {
        case .completed, .upgraded: nil
        case .refused: .internalError
        case .malformedRequest: .clientProtocolError
        case .malformedResponse: .upstreamProtocolError
        case .responseTruncated: .upstreamReset
        case .clientLeft: .clientGone
        case .clientTimeout: .clientTimeout
        case .cancelled: .draining
        }
    }

    /// On whose side the cause lies.
    fileprivate var side: Side {
        switch self {
        case .completed, .upgraded, .malformedRequest, .clientLeft, .clientTimeout: .client
        case .malformedResponse, .responseTruncated: .destination
        case .refused, .cancelled: .weft
        }
    }
}

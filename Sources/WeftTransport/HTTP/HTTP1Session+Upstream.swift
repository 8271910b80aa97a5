internal import NIOCore
internal import WeftCore
internal import WeftProxy

/// Which endpoint a request goes to, how it gets there, and what follows when that fails.
extension HTTP1Session {
    /// Finds an upstream for the request, or for its next try.
    func choose() {
        guard let connection, var request else { return }
        timer = nil
        // The first request goes where the connection was going anyway, unless it belongs elsewhere.
        let isUnderWay = connection.dial != nil || connection.refusal != nil
        let stays = isUnderWay && request.affinity == nil
        guard let route = stays ? connection.route : connection.chooseRoute(for: &request) else {
            self.request = request
            return giveUp(.noEndpoint)
        }
        if isUnderWay, route.target != connection.route?.target { connection.forgetDial() }
        request.route = route
        self.request = request
        if route.isToThisHost, !enter(route) { return }
        go(along: route)
    }

    /// A try begins, and with it its limit.
    private func go(along route: Route) {
        guard let connection, let source = connection.source else { return }
        if let limit = request?.begin(now: connection.now) ?? nil {
            timer = connection.schedule(at: limit) { self.timedOut() }
        }
        request?.isDialling = true
        if connection.dial != nil { return }
        if let refusal = connection.refusal {
            connection.refusal = nil
            return failed(refusal)
        }
        if let place = idle.firstIndex(where: { $0.route.target == route.target }) {
            return use(idle.remove(at: place))
        }
        connection.reach(route, for: source) { self.reached($0) }
    }

    // MARK: The door

    /// Asks for a place at the application of this host; false when the request waits or was refused.
    private func enter(_ route: Route) -> Bool {
        guard let connection, let service = route.service, let request, case .outside = request.standing else {
            return true
        }
        var caller = connection.caller ?? connection.makeCaller()
        let verdict = loop.requests.gates.arrived(request.token, for: service, from: &caller, in: self)
        connection.caller = caller
        switch verdict {
        case .started(let place):
            self.request?.standing = .inside(place)
            return true
        case .waiting(let place):
            self.request?.standing = .waiting(place)
            return false
        case .refused(let flag, let retryAfter):
            self.request?.retryAfter = retryAfter
            giveUp(flag)
            return false
        }
    }

    /// The wait at the door is over.
    func admitted() {
        guard case .waiting(let place)? = request?.standing, let route = request?.route else { return }
        request?.standing = .inside(place)
        go(along: route)
    }

    func turnedAway(_ flag: ResponseFlag) {
        request?.standing = .outside
        request?.retryAfter = .seconds(1)
        giveUp(flag)
    }

    /// The request is over, or has become a connection like others.
    func leave() {
        guard let request, let service = request.route?.service else { return }
        self.request?.standing = .outside
        switch request.standing {
        case .outside: break
        case .waiting(let place): loop.requests.gates.cancelled(request.token, place, for: service)
        case .inside(let place): loop.requests.gates.finished(place, for: service)
        }
    }

    // MARK: Reaching

    /// A dial has ended.
    func reached(_ result: Result<Dial.Reached, Refusal>) {
        guard !isOver, let connection else {
            if case .success(let reached) = result { reached.leg.abort(.reset) }
            return
        }
        switch result {
        case .success(let reached):
            guard let route = request?.route ?? connection.route else { return reached.leg.abort(.reset) }
            let found = Upstream(reached.leg, at: route, security: reached.security)
            if request?.isDialling == true { use(found) } else { keep(found) }
        case .failure(let refusal):
            if request?.isDialling == true { failed(refusal) } else { connection.refusal = refusal }
        }
    }

    private func use(_ found: Upstream) {
        guard let connection else { return }
        upstream = found
        found.leg.owner = self
        request?.isDialling = false
        request?.security = found.security
        if request?.route == nil { request?.route = found.route }
        connection.started(&request, now: connection.now)
        request?.isReused = found.isUsed
        if !found.isUsed { found.leg.opened() }
        found.isUsed = true
        becameReady()
    }

    /// Waits for the next request.
    func keep(_ upstream: Upstream) {
        upstream.leg.owner = self
        if !upstream.isUsed { upstream.leg.opened() }
        idle.append(upstream)
        upstream.leg.read()
    }

    func release(isReusable: Bool) {
        guard let upstream else { return }
        flushUpstream()
        self.upstream = nil
        dropUpstreamEvents()
        if isReusable, !upstream.leg.isInputEnded { keep(upstream) } else { close(upstream) }
    }

    func abortUpstream() {
        upstream?.leg.abort(.reset)
        upstream?.leg.owner = nil
        upstream = nil
        dropUpstreamEvents()
    }

    func close(_ upstream: Upstream) { LegCloser.close(upstream.leg, on: loop.eventLoop) }

    /// An upstream that waited has ended or broken, or says what nobody asked for. The client stays: its next request gets
    /// another one, where without weft it might have met the end of the connection.
    func forget(_ leg: any RelayLeg) {
        if let place = idle.firstIndex(where: { $0.leg === leg }) { close(idle.remove(at: place)) }
    }

    // MARK: Failures

    /// The endpoint was not reached.
    private func failed(_ refusal: Refusal) {
        request?.isDialling = false
        request?.reason = refusal.detail
        guard refusal.outcome.ending != .denied else {
            request?.rule = refusal.rule
            request?.reason = refusal.rule.map { "denied by \($0)" }
            return giveUp(.denied)
        }
        retry(after: .connectFailed, else: refusal.flag ?? ResponseFlag(refusal.outcome.ending))
    }

    /// The upstream broke, or was given up.
    func tryFailed(_ lost: LostAttempt) {
        if lost.sawResponse { request?.retries.responseStarted() }
        switch lost.cause {
        case .ended, .failed: retry(after: .reset(reachedApplication: true), else: .upstreamReset)
        case .abandoned: retry(after: .timedOut(reachedApplication: true), else: .timeout)
        case .malformed(let error):
            request?.reason = "what the application sent is not HTTP: \(error.rawValue)"
            giveUp(.upstreamProtocolError)
        }
    }

    private func retry(after failure: AttemptFailure, else flag: ResponseFlag) {
        if !retries(after: failure) { giveUp(flag) }
    }

    func retries(after status: UInt16) -> Bool { retries(after: .status(status)) }

    /// Plans another try after one that failed; false when there is to be none.
    private func retries(after failure: AttemptFailure) -> Bool {
        guard let connection, var request else { return false }
        let now = connection.now
        if failure.isEndpointsFault(isConnectionReused: request.isReused) {
            connection.failed(&request, now: now)
        } else {
            loop.requests.withdrawn(&request, now: now)
        }
        let action = request.retries.attemptFailed(
            failure,
            isConnectionReused: request.isReused,
            isAnotherEndpointLeft: connection.hasOther(for: request),
            budget: &loop.requests.budgets,
            key: retryKey,
            hint: &retryHint,
            now: now,
            using: &loop.requests.random
        )
        request.hasFailed = true
        self.request = request
        guard case .retry(let time) = action else { return false }
        timer?.cancel()
        timer = connection.schedule(at: time) { self.choose() }
        return true
    }

    private func giveUp(_ flag: ResponseFlag) {
        request?.flag = flag
        drive { $0.refuse(status: flag.httpStatus ?? 503, into: &$1) }
    }

    private func timedOut() {
        timer = nil
        guard upstream != nil else {
            connection?.dial?.cancel()
            connection?.dial = nil
            request?.isDialling = false
            return retry(after: .timedOut(reachedApplication: false), else: .timeout)
        }
        drive { machine, actions in
            if !machine.abandonAttempt(into: &actions) { machine.cancel(into: &actions) }
        }
    }

    // MARK: What the balancer hears

    func judge(_ verdict: RequestVerdict, now: Instant) {
        guard var request else { return }
        loop.requests.answered(&request, verdict, now: now)
        self.request = request
    }

    func settle(_ ending: ExchangeEnding, now: Instant) {
        guard var request else { return }
        loop.requests.ended(&request, ending, now: now)
        self.request = request
    }
}

extension ResponseFlag {
    /// Why an endpoint was not reached.
    init(_ ending: Ending) {
        switch ending {
        case .refused, .unreachable, .reset: self = .connectFailed
        case .connectTimeout: self = .connectTimeout
        case .tunnelFailed: self = .tunnelFailed
        case .overLimit: self = .overloaded
        case .denied: self = .denied
        case .loop: self = .loop
        case .shutdown: self = .draining
        case .completed, .lingerTimeout, .destinationUnknown, .internalError: self = .internalError
        }
    }
}

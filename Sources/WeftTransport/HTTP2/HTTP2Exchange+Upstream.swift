internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import WeftCore
internal import WeftProxy

/// Which endpoint a request goes to, how it gets there, and what follows when that fails.
extension HTTP2Exchange {
    func begin() {
        guard let connection else { return }
        session.countRequest(now: connection.now)
        choose()
    }

    /// Finds an endpoint for the request, or for its next try.
    private func choose() {
        timer = nil
        guard let connection else { return }
        guard let route = connection.chooseRoute(for: &request) else { return giveUp(.noEndpoint) }
        request.route = route
        if route.isToThisHost, !enter(route) { return }
        go(along: route)
    }

    private func go(along route: Route) {
        guard let connection else { return }
        if let limit = request.begin(now: connection.now) {
            timer = connection.schedule(at: limit) { self.timedOut() }
        }
        session.place(self, along: route)
    }

    // MARK: The door

    /// Asks for a place at the application of this host; false when the request waits or was refused.
    private func enter(_ route: Route) -> Bool {
        guard let connection, let service = route.service, case .outside = request.standing else { return true }
        var caller = connection.caller ?? connection.makeCaller()
        let verdict = loop.requests.gates.arrived(request.token, for: service, from: &caller, in: self)
        connection.caller = caller
        switch verdict {
        case .started(let place):
            request.standing = .inside(place)
            return true
        case .waiting(let place):
            request.standing = .waiting(place)
            return false
        case .refused(let flag, let retryAfter):
            request.retryAfter = retryAfter
            giveUp(flag)
            return false
        }
    }

    /// The wait at the door is over.
    func admitted() {
        guard case .waiting(let place) = request.standing, let route = request.route else { return }
        request.standing = .inside(place)
        go(along: route)
    }

    func turnedAway(_ flag: ResponseFlag) {
        request.standing = .outside
        request.retryAfter = .seconds(1)
        giveUp(flag)
    }

    /// The request is over.
    func leave() {
        guard let service = request.route?.service else { return }
        let standing = request.standing
        request.standing = .outside
        switch standing {
        case .outside: break
        case .waiting(let place): loop.requests.gates.cancelled(request.token, place, for: service)
        case .inside(let place): loop.requests.gates.finished(place, for: service)
        }
    }

    // MARK: Carrying

    /// There is a connection with room.
    func open(on side: HTTP2Side) {
        guard let connection else { return }
        awaited = nil
        connection.started(&request, now: connection.now)
        request.isReused = side.isUsed && side.streams.isEmpty
        let resent = request.kept
        let endsWithHead = requests.isEmptyAndEnded
        requests.begin(resending: resent.reduce(0) { $0 + $1.readableBytes }, endsWithHead: endsWithHead)
        request.security = side.security
        let stream = side.open(self, tracedFields(), isEnd: endsWithHead)
        upstream = Stream(side: side, id: stream)
        for bytes in resent { side.write(stream, .data(.init(data: .byteBuffer(bytes)))) }
        goOn()
    }

    // MARK: Failures

    /// The endpoint was not reached.
    func failed(_ refusal: Refusal) {
        awaited = nil
        request.reason = refusal.detail
        guard refusal.outcome.ending != .denied else {
            request.rule = refusal.rule
            request.reason = refusal.rule.map { "denied by \($0)" }
            return giveUp(.denied)
        }
        retry(after: .connectFailed, else: refusal.flag ?? ResponseFlag(refusal.outcome.ending))
    }

    /// Nothing of this try counts any more.
    func dropTry() {
        awaited = nil
        dropUpstream(.cancel)
        responses = HTTP2Flow(isOpen: true)
    }

    private func timedOut() {
        timer = nil
        let reached = upstream != nil
        dropTry()
        retry(after: .timedOut(reachedApplication: reached), else: .timeout)
    }

    private func retry(after failure: AttemptFailure, else flag: ResponseFlag) {
        if !retries(after: failure) { giveUp(flag) }
    }

    /// Plans another try after one that failed; false when there is to be none.
    func retries(after failure: AttemptFailure) -> Bool {
        guard let connection else { return false }
        let now = connection.now
        if failure.isEndpointsFault(isConnectionReused: request.isReused) {
            connection.failed(&request, now: now)
        } else {
            loop.requests.withdrawn(&request, now: now)
        }
        let hasOther = connection.hasOther(for: request)
        request.hasFailed = true
        guard case .retry(let time) = session.plan(failure, for: &request, hasOther: hasOther, now: now) else {
            return false
        }
        timer?.cancel()
        timer = connection.schedule(at: time) { self.choose() }
        return true
    }
}

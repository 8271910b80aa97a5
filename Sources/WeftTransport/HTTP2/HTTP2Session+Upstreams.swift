internal import NIOCore
internal import NIOHTTP2
internal import WeftCore
internal import WeftProxy

/// Endpoints: dialling them, and giving their streams to requests.
extension HTTP2Session {
    /// Gives the request a stream of the endpoint, now or as soon as there is one.
    func place(_ exchange: HTTP2Exchange, along route: Route) {
        guard let connection else { return }
        if let refusal = connection.refusal, connection.route?.target == route.target {
            connection.refusal = nil
            return exchange.failed(refusal)
        }
        let endpoint = endpoints[route.target] ?? HTTP2Endpoint(route)
        endpoints[route.target] = endpoint
        endpoint.place(exchange)
        dialIfWanted(endpoint)
    }

    private func dialIfWanted(_ endpoint: HTTP2Endpoint) {
        guard let connection, let source = connection.source, endpoint.wantsDial else { return }
        endpoint.isDialling = true
        let dial = connection.makeDial(along: endpoint.route) { self.reached($0, at: endpoint) }
        endpoint.dial = dial
        dial.begin(connection.decide(endpoint.route, for: source))
    }

    /// The dial that the connection began before it was known to speak HTTP/2.
    func reached(_ result: Result<Dial.Reached, Refusal>) {
        guard let target = connection?.route?.target, let endpoint = endpoints[target] else {
            if case .success(let reached) = result { reached.leg.abort(.reset) }
            return
        }
        reached(result, at: endpoint)
    }

    private func reached(_ result: Result<Dial.Reached, Refusal>, at endpoint: HTTP2Endpoint) {
        endpoint.isDialling = false
        endpoint.dial = nil
        guard connection != nil else {
            if case .success(let reached) = result { reached.leg.abort(.reset) }
            return
        }
        switch result {
        case .success(let reached):
            use(reached.leg, for: endpoint, reached.security, ByteBuffer())
            dialIfWanted(endpoint)
        case .failure(let refusal):
            fail(endpoint, refusal)
            forgetIfUnused(endpoint)
        }
    }

    private func fail(_ endpoint: HTTP2Endpoint, _ refusal: Refusal) {
        for exchange in endpoint.takeWaiting() { exchange.failed(refusal) }
    }

    func use(_ leg: any RelayLeg, for endpoint: HTTP2Endpoint, _ security: Security, _ early: ByteBuffer) {
        leg.opened()
        let side = HTTP2Side(
            .client,
            over: leg,
            eventLoop: loop.eventLoop,
            owner: self,
            streamsMax: endpoint.streamsMax
        )
        side.endpoint = endpoint
        side.security = security
        side.begin(with: early)
        endpoint.add(side)
        if leg.isInputEnded { ended(side, .end) }
    }

    func hasRoom(_ side: HTTP2Side) {
        guard let endpoint = side.endpoint else { return }
        if side.isSettled { endpoint.streamsMax = side.peerStreamsMax }
        endpoint.serve()
        dialIfWanted(endpoint)
    }

    func retired(_ side: HTTP2Side) {
        guard let endpoint = side.endpoint else { return }
        hasRetired = true
        dialIfWanted(endpoint)
    }

    /// An upstream is gone, with the streams that it had.
    func buryUpstream(_ side: HTTP2Side) {
        let endpoint = side.endpoint
        endpoint?.remove(side)
        let streams = side.streams
        side.streams = [:]
        side.close()
        for id in streams.keys.sorted() { streams[id]?.lost() }
        guard let endpoint else { return }
        // One that said nothing is as good as not reached; dialling it again and again would lead nowhere.
        if side.isSettled {
            dialIfWanted(endpoint)
        } else {
            fail(endpoint, Refusal(outcome: Outcome(.reset, side: .destination)))
        }
        forgetIfUnused(endpoint)
    }

    private func forgetIfUnused(_ endpoint: HTTP2Endpoint) {
        guard endpoint.isUnused, endpoints[endpoint.route.target] === endpoint else { return }
        endpoints.removeValue(forKey: endpoint.route.target)
    }

    /// Upstreams that take no more streams and have none are closed.
    func closeRetired() {
        guard hasRetired else { return }
        hasRetired = endpoints.values.contains { $0.sides.contains { $0.isRetired && !$0.streams.isEmpty } }
        for endpoint in endpoints.values {
            for side in endpoint.sides where side.isRetired && side.streams.isEmpty { buryUpstream(side) }
        }
    }
}

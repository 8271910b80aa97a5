internal import Logging
internal import NIOCore
internal import NIOPosix
internal import WeftCore
internal import WeftProxy

/// The room where bytes move: an endpoint is reached, then both legs are left to the carrier until all has ended.
extension Connection {
    func carry(along route: Route, for source: Source) {
        guard enter(along: route) else {
            return refuse(
                Refusal(
                    outcome: Outcome(.overLimit, side: .weft),
                    detail: "\(route.service?.text ?? "") has as many connections as it may",
                    flag: .connectionLimit
                )
            )
        }
        reach(route, for: source) { result in
            if let session = self.carrier as? any RequestCarrier { return session.reached(result) }
            switch result {
            case .success(let reached): self.relay.dialSucceeded(reached.leg)
            case .failure(let refusal): self.refuse(refusal)
            }
        }
    }

    /// Counts a connection to a service of this host; false when there is no room for it.
    private func enter(along route: Route) -> Bool {
        guard route.isToThisHost, let service = route.service else { return true }
        guard loop.requests.gates.connectionWanted(by: service) else { return false }
        entered = service
        return true
    }

    /// Reaches an endpoint by the way that is right for it. One at a time; `dial` is the wait.
    func reach(_ route: Route, for source: Source, then completion: @escaping Dial.Completion) {
        let way = decide(route, for: source)
        let dial = makeDial(along: route) { result in
            self.dial = nil
            completion(result)
        }
        self.dial = dial
        dial.begin(way)
    }

    /// Nobody waits for the destination that was dialled first.
    func forgetDial() {
        dial?.cancel()
        (dial, refusal) = (nil, nil)
    }

    /// A dial that has not begun; the connection learns from its result.
    func makeDial(along route: Route, then completion: @escaping Dial.Completion) -> Dial {
        Dial(along: route, for: self) { result in
            switch result {
            case .success(let reached): self.took(reached)
            case .failure(let refusal): (self.rule, self.detail) = (refusal.rule, refusal.detail)
            }
            completion(result)
        }
    }

    private func took(_ reached: Dial.Reached) {
        if security != .mtls || route?.path != .inbound { security = reached.security }
        if let source = reached.source { identity.source = source }
        (rule, detail) = (nil, reached.detail)
    }
}

extension ServerBootstrap {
    /// What captured clients have in common with the sockets that weft dials.
    func capturedChannelOptions() -> ServerBootstrap {
        childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.writeBufferWaterMark, value: Carrying.waterMark)
            .childChannelOption(.maxMessagesPerRead, value: Carrying.readsPerTurn)
    }

    /// Tunnels are always read; how much may come is said by HTTP/2's windows.
    func tunnelChannelOptions() -> ServerBootstrap {
        childChannelOption(.writeBufferWaterMark, value: TunnelHandlers.waterMark)
    }
}

/// Bounds of carried connections.
enum Carrying {
    /// Reading from one leg stops when the other has this much waiting, and goes on at the lower mark.
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 32 * 1024, high: 64 * 1024)
    /// Reads in one turn of the loop, so that one busy connection does not keep the others waiting.
    static let readsPerTurn: UInt = 2
}

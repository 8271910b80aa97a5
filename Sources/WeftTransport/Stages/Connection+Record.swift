internal import Logging
internal import NIOCore
internal import WeftCore
internal import WeftProxy

/// The last room: one `Decision` for each connection, made once, whatever its end was.
extension Connection {
    func record(_ outcome: Outcome) {
        if var ticket { loop.requests.ended(&ticket, isReached: relay.destination != nil, now: now) }
        ticket = nil
        if let entered { loop.requests.gates.connectionClosed(by: entered) }
        entered = nil
        let source = self.source ?? unknownSource
        let decision = Decision(
            id: id,
            started: startedWall,
            source: source,
            destination: flow?.destination ?? unknownDestination,
            service: route?.service,
            path: route?.path ?? defaultPath,
            security: security,
            identity: identity,
            wire: detection?.found.name,
            rule: rule,
            detail: detail ?? brokenTunnel,
            bytesOut: carrier.bytesOut,
            bytesIn: carrier.bytesIn,
            duration: Instant.now(on: loop.eventLoop) - started,
            outcome: outcome
        )
        loop.logger.debug(
            "connection ended",
            metadata: [
                "id": "\(id)", "source": "\(source.workload?.displayName ?? "remote")",
                "destination": "\(decision.destination)", "ending": "\(outcome.ending.rawValue)",
            ]
        )
        loop.finished(self, decision, pair: route.map { pair(source, $0) })
    }

    /// Why a tunnel broke under a connection that it carried.
    private var brokenTunnel: String? {
        let streams = [client, relay.destination].compactMap { $0 as? TunnelStream }
        return streams.compactMap(\.failure).first.map { "\($0)" }
    }
}

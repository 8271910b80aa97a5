internal import Logging
internal import NIOCore
internal import WeftCore
internal import WeftProxy

/// The last room: one `Decision` for each connection, made once, whatever its end was.
extension Connection {
    func record(_ outcome: Outcome) {
        let source = self.source ?? unknownSource
        let decision = Decision(
            id: id,
            started: startedWall,
            source: source,
            destination: flow?.destination ?? OriginalDestination(listener),
            service: route?.service,
            path: route?.path ?? defaultPath,
            bytesOut: bytesOut,
            bytesIn: bytesIn,
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
}

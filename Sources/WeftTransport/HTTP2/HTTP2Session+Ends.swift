internal import NIOCore
internal import NIOHTTP2
internal import WeftCore
internal import WeftProxy

/// How a session ends: by its client, by a violation, by weft.
extension HTTP2Session {
    func bury(_ side: HTTP2Side, _ cause: HTTP2Side.Cause) {
        guard side.owner != nil else { return }
        guard side === client else { return buryUpstream(side) }
        switch cause {
        case .end: finish(Outcome(.completed, side: .client)) { $0.close() }
        case .failure: finish(Outcome(.reset, side: .client)) { $0.abort(.reset) }
        case .violation: finish(Outcome(.reset, side: .client)) { $0.close() }
        }
    }

    // MARK: Farewell

    private static let farewellData: UInt64 = 0x7765_6674_0000_0002

    /// Says at once that the client should go elsewhere with its next request; those that are open, or on their way, go on.
    func drain() {
        guard let connection, !isDraining else { return }
        isDraining = true
        client.sayFarewell(.maxID)
        client.write(.rootStream, .ping(HTTP2PingData(withInteger: Self.farewellData), ack: false))
        _ = connection.schedule(at: connection.now + HTTP2Limits.farewellPause) { self.finishFarewell() }
    }

    /// What the client sent before it heard of the farewell has arrived.
    func ponged(_ side: HTTP2Side) {
        if side === client { finishFarewell() }
    }

    private func finishFarewell() {
        guard isDraining, connection != nil else { return }
        client.sayFarewell(client.lastPeerStream)
        client.touch()
    }

    /// Called at the end of each turn.
    func closeIfDone() {
        guard connection != nil else { return }
        closeRetired()
        guard isDraining, client.isFarewellFinal, client.streams.isEmpty else { return }
        finish(Outcome(.completed, side: .weft)) { $0.close() }
    }

    // MARK: The end

    func cancel(_ ending: Ending) {
        guard connection != nil else { return }
        for id in client.streams.keys.sorted() { client.streams[id]?.end(.cancelled, upstream: .cancel) }
        finish(Outcome(ending, side: .weft)) { $0.abort(ending) }
    }

    private func finish(_ outcome: Outcome, _ closeClient: (HTTP2Side) -> Void) {
        for id in client.streams.keys.sorted() { client.streams[id]?.end(.clientLeft, upstream: .cancel) }
        for endpoint in endpoints.values {
            endpoint.dial?.cancel()
            for side in endpoint.sides { side.close() }
        }
        endpoints = [:]
        endedSides = []
        closeClient(client)
        letGo()?.relayFinished(outcome)
    }
}

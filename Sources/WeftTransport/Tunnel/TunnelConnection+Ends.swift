internal import NIOCore
internal import NIOHTTP2
internal import NIOSSL
internal import WeftCore

/// Farewells, PINGs and failures: how a tunnel comes to its end.
extension TunnelConnection {
    /// How far this end has said that it takes no more streams (RFC 9113 section 6.8).
    enum Farewell: Equatable {
        case none
        /// GOAWAY with the highest number was sent: streams that are on their way are refused and tried elsewhere.
        case announced(at: Instant)
        /// GOAWAY with the true last number was sent.
        case final
    }

    /// PINGs that mean something else than "are you there".
    private static let keepaliveData: UInt64 = 0x7765_6674
    private static let farewellData: UInt64 = 0x7765_6674_0000_0001

    // MARK: Time

    /// Called once in `limits.tick`.
    func tick() {
        guard phase == .ready else { return }
        let now = self.now
        if case .announced(let at) = farewell, now - at >= limits.farewellPause { finishFarewell() }
        switch keepalive?.look(now: now) {
        case .ping: ping(Self.keepaliveData)
        case .dead: close(.pingTimeout, abruptly: true)
        case .nothing, nil: break
        }
        for stream in streams.values { stream.look(now: now) }
    }

    private func ping(_ data: UInt64) {
        write(.rootStream, .ping(HTTP2PingData(withInteger: data), ack: false))
        flush()
    }

    func receivedPong(_ data: HTTP2PingData) {
        if data.integer == Self.farewellData {
            finishFarewell()
        } else {
            keepalive?.pingAnswered(now: now)
        }
    }

    // MARK: Farewell

    /// Says at once that no stream will be taken any more; those that are open go on, and the last of them closes the
    /// connection.
    func drain() {
        guard phase == .ready else { return close(.cancelled(.shutdown)) }
        guard farewell == .none else { return }
        farewell = .announced(at: now)
        sayFarewell(.maxID, .noError)
        ping(Self.farewellData)
        retire()
    }

    /// Looks at the peer once more.
    func recheck(_ standing: (TunnelPeer) -> TunnelStanding) {
        guard let peer else { return }
        switch standing(peer) {
        case .good: break
        case .outdated: if phase == .ready { drain() }
        case .refused: close(.cancelled(.revoked), abruptly: phase != .ready)
        }
    }

    private func finishFarewell() {
        guard case .announced = farewell, phase == .ready else { return }
        farewell = .final
        sayFarewell(lastPeerStream, .noError)
        closeIfDone()
    }

    private func sayFarewell(_ last: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        isOwnFarewell = true
        write(.rootStream, .goAway(lastStreamID: last, errorCode: code, opaqueData: nil))
        flush()
        isOwnFarewell = false
    }

    /// The peer takes no more streams. Those that it has not looked at may be tried elsewhere.
    func receivedFarewell(_ last: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        // A client's farewell is about streams of ours, which do not exist.
        guard role == .server else { return }
        peerFarewell = code
        retire()
        for id in streams.keys.sorted() where id > last {
            streams.removeValue(forKey: id)?.notServed()
        }
        closeIfDone()
    }

    /// No new streams from now on.
    func retire() {
        guard !isRetired else { return }
        isRetired = true
        owner?.tunnelRetired(self)
    }

    func closeIfDone() {
        guard isRetired, streams.isEmpty, phase == .ready else { return }
        if case .announced = farewell { return }
        close(peerFarewell.map { .goAway(code: $0.networkCode) } ?? .cancelled(.shutdown))
    }

    // MARK: Failures

    /// An error of the library about one stream has been answered by it with RST_STREAM; an error about the connection
    /// with GOAWAY, and closing is left to us. Everything else comes from TLS or TCP.
    func failed(_ error: any Error) {
        if libraryFarewell != nil { return close(.violation("\(type(of: error))")) }
        if error is any NIOHTTP2Error || error is NIOHTTP2Errors.StreamError { return }
        switch phase {
        case .securing: close(verdict ?? .handshake(reason: tlsReason(error)), abruptly: true)
        case .settling where role == .server: close(.identityRefused(reason: tlsReason(error)), abruptly: true)
        case .settling, .ready: close(.lost, abruptly: true)
        case .closed: break
        }
    }

    /// What it means that the connection is gone.
    var lossOfPhase: TunnelFailure {
        switch phase {
        case .securing: verdict ?? .handshake(reason: "closed")
        case .settling where role == .server: .identityRefused(reason: "closed")
        case .settling, .ready, .closed: .lost
        }
    }

    /// Ends the connection with all its streams. Abruptly: without waiting for the peer to agree.
    func close(_ failure: TunnelFailure, code: HTTP2ErrorCode = .noError, abruptly: Bool = false) {
        guard phase != .closed else { return }
        let isSecured = phase != .securing
        phase = .closed
        if isSecured, !abruptly, libraryFarewell == nil, context?.channel.isActive == true {
            sayFarewell(role == .client ? lastPeerStream : .rootStream, code)
        }
        let streams = self.streams
        self.streams = [:]
        for id in streams.keys.sorted() { streams[id]?.lost(failure) }
        let owner = self.owner
        self.owner = nil
        owner?.tunnelClosed(self, failure)
        closeChannel(abruptly: abruptly)
    }

    private func closeChannel(abruptly: Bool) {
        guard let context else { return }
        // TLS would say goodbye first and wait for the answer.
        let beneath = abruptly ? try? context.pipeline.syncOperations.context(handlerType: NIOSSLHandler.self) : nil
        (beneath ?? context).close(mode: .all, promise: nil)
    }
}

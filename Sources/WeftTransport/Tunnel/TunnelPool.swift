internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import WeftCore
internal import WeftProxy

typealias RelaySide = RelayMachine.Leg

/// The tunnels that one event loop has opened to other nodes, and the opens that wait for one.
///
/// For each key there is one dial at a time, however many ask. A tunnel takes up to `streamsMax` streams and serves again
/// as soon as one has ended; another is dialled when those that exist are full and stay so (`TunnelLimits.patience`).
/// Confined to its loop: no locks, no hops; made, used and stopped there.
final class TunnelPool {
    let eventLoop: any EventLoop
    let limits: TunnelLimits
    let trust: any TunnelTrust
    /// Prepares a socket before it dials: mark, keepalive, TCP_USER_TIMEOUT.
    private let prepare: (RawSocket) throws -> Void
    private var lanes: [TunnelKey: TunnelLane] = [:]
    private(set) var counters = TunnelCounters()
    private var ticking: Scheduled<Void>?
    private var isStopped = false

    init(
        eventLoop: any EventLoop,
        limits: TunnelLimits = TunnelLimits(),
        trust: any TunnelTrust,
        prepare: @escaping (RawSocket) throws -> Void
    ) {
        self.eventLoop = eventLoop
        self.limits = limits
        self.trust = trust
        self.prepare = prepare
    }

    // MARK: What carrying asks for

    /// Opens a stream to `authority`. The completion comes once, perhaps before this returns, unless the attempt is
    /// cancelled. Headers are for the peer's logs only, lower-case, and never decide anything.
    @discardableResult
    func open(
        _ authority: TunnelAuthority,
        along key: TunnelKey,
        as side: RelaySide = .destination,
        headers: [(String, String)] = [],
        then completion: @escaping TunnelAttempt.Completion
    ) -> TunnelAttempt {
        let attempt = TunnelAttempt(
            authority,
            along: key,
            side: side,
            headers: headers,
            since: .now(on: eventLoop),
            pool: self,
            completion: completion
        )
        guard !isStopped else {
            attempt.failed(.cancelled(.shutdown))
            return attempt
        }
        let isWarm = lane(key).place(attempt)
        counters.opens += 1
        if isWarm { counters.hits += 1 }
        return attempt
    }

    // MARK: What the control side asks for

    /// Ends every tunnel to an address at once: gossip says that the node is gone, or lives elsewhere.
    func close(to ip: IPAddress, _ cause: TunnelFailure.Cause = .nodeGone) {
        for lane in sorted where lane.key.node.ip == ip { lane.close(.cancelled(cause)) }
    }

    /// Looks at every peer once more: ends the tunnels of those that are refused, and takes no new streams on those that
    /// are outdated.
    func recheck(_ standing: (TunnelPeer) -> TunnelStanding) {
        for lane in sorted { lane.recheck(standing) }
    }

    /// Takes no more opens; streams that are open go on, and their tunnels close with the last of them.
    func drain() {
        isStopped = true
        for lane in sorted { lane.drain() }
    }

    /// Ends everything now.
    func stop() {
        isStopped = true
        for lane in sorted { lane.close(.cancelled(.shutdown)) }
        ticking?.cancel()
        ticking = nil
    }

    /// Tunnels that are ready or retired, and their streams.
    var load: (tunnels: Int, streams: Int) {
        lanes.values.reduce((0, 0)) { ($0.0 + $1.tunnels.count, $0.1 + $1.streamCount) }
    }

    // MARK: What attempts and lanes ask for

    func retry(_ attempt: TunnelAttempt) {
        counters.retries += 1
        guard !isStopped else { return attempt.failed(.cancelled(.shutdown)) }
        _ = lane(attempt.key).place(attempt)
    }

    func progressed(_ attempt: TunnelAttempt) { lanes[attempt.key]?.progressed() }

    func forget(_ attempt: TunnelAttempt) { lanes[attempt.key]?.forget(attempt) }

    func count(_ failure: TunnelFailure) { counters.failures[failure.name, default: 0] += 1 }

    func countHandshake() { counters.handshakes += 1 }

    func countDial() { counters.dials += 1 }

    func removed(_ lane: TunnelLane) {
        lanes.removeValue(forKey: lane.key)
        if lanes.isEmpty {
            ticking?.cancel()
            ticking = nil
        }
    }

    private func lane(_ key: TunnelKey) -> TunnelLane {
        if let lane = lanes[key] { return lane }
        let lane = TunnelLane(key, pool: self)
        lanes[key] = lane
        if ticking == nil { scheduleTick() }
        return lane
    }

    private var sorted: [TunnelLane] {
        lanes.values.sorted {
            ($0.key.node, $0.key.destination, $0.key.source) < ($1.key.node, $1.key.destination, $1.key.source)
        }
    }

    private func scheduleTick() {
        ticking = eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(limits.tick.wholeNanoseconds)) {
            self.ticking = nil
            for lane in self.sorted { lane.tick() }
            if !self.lanes.isEmpty, self.ticking == nil { self.scheduleTick() }
        }
    }

    // MARK: Dialling

    /// Starts TCP and TLS; the tunnel reports to its owner, failures too.
    func dial(_ tunnel: TunnelConnection, along key: TunnelKey) {
        let handlers: TunnelHandlers
        let address: NIOCore.SocketAddress
        do {
            guard let context = try trust.clientContext(for: key.source) else {
                return tunnel.close(.noCertificate(key.source))
            }
            handlers = try .client(tunnel, context: context, trust: trust, expecting: key.destination)
            address = try NIOCore.SocketAddress(key.node)
        } catch {
            return tunnel.close(.handshake(reason: tlsReason(error)))
        }
        let bound = NIOLoopBound((self, handlers), eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .connectTimeout(.nanoseconds(limits.openTimeout.wholeNanoseconds))
            .tunnelChannelOptions()
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (pool, handlers) = bound.value
                    try handlers.add(to: channel)
                    try channel.withSocket(pool.prepare)
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenFailure { error in tunnel.close(.unreachable(Outcome(dialError: error).ending)) }
    }
}

/// What a pool has done since it was made.
package struct TunnelCounters: Sendable, Equatable {
    /// Streams asked for, and those of them that a tunnel could take at once.
    package var opens: UInt64 = 0
    package var hits: UInt64 = 0
    package var dials: UInt64 = 0
    /// Dials that led to a ready tunnel.
    package var handshakes: UInt64 = 0
    package var retries: UInt64 = 0
    /// Failed opens by `TunnelFailure.name`.
    package var failures: [String: UInt64] = [:]
}

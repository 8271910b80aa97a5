internal import WeftCore

extension GossipNode {
    /// Where a node is between start and end.
    enum Phase: Sendable, Equatable {
        /// Not started.
        case idle
        case running
        /// On the way out; see `LeaveStep`.
        case leaving(LeaveStep)
        /// Nothing is sent any more.
        case left

        /// Started, and still to be called.
        var isActive: Bool { self != .idle && self != .left }
    }

    /// Starts from `idle`, or comes back after having left, with a higher incarnation then.
    mutating func begin(_ turn: inout Turn<some RandomNumberGenerator>) {
        guard !phase.isActive else { return }
        phase = .running
        timers.removeAll()
        announcedWake = nil
        announceSelf(&turn)
        setPeriodicTimers(&turn)
        rejoin(&turn)
    }

    func requireRunning() throws(GossipError) {
        guard phase == .running else { throw .leaving }
    }

    /// All periodic work starts at a random phase, so that nodes started together do not act together.
    private mutating func setPeriodicTimers(_ turn: inout Turn<some RandomNumberGenerator>) {
        let timing = configuration.timing
        membership.gossipPhase = turn.now + turn.randomPart(of: timing.gossipInterval)
        timers.set(.probe, at: turn.now + turn.randomPart(of: timing.probeInterval))
        let pushPull = PoolScaling.pushPullInterval(timing.pushPullInterval, nodes: table.listedCount)
        timers.set(.pushPull, at: turn.now + pushPull + turn.randomPart(of: timing.pushPullInterval))
        timers.set(.reap, at: turn.now + timing.reapInterval)
        timers.set(.reconnect, at: turn.now + timing.reconnectInterval)
        timers.set(.queueCheck, at: turn.now + timing.queueCheckInterval)
        if timing.seedInterval > .zero {
            // Soon at first: the join that named the seeds may have failed, and nobody else may know of us.
            let first = min(timing.seedInterval, Self.lonelyInterval)
            timers.set(.seeds, at: turn.now + first + turn.randomPart(of: first))
        }
    }
}

extension Turn {
    /// A random time from zero up to `duration`.
    mutating func randomPart(of duration: Duration) -> Duration {
        let whole = max(0, duration.wholeNanoseconds)
        return .nanoseconds(Int64.random(in: 0...whole, using: &random))
    }
}

extension GossipConfiguration {
    /// Checks what a peer or the shell would otherwise stumble over.
    func validate() throws(GossipConfigurationError) {
        guard (1...Self.nameLimit).contains(name.bytes.count) else { throw .name(byteCount: name.bytes.count) }
        guard !advertise.ip.isUnspecified, advertise.port != 0 else { throw .advertise(advertise) }
        let meta = tags.meta
        guard meta.count <= WireLimits.metaSize else { throw .tags(byteCount: meta.count) }
        guard label.count <= WireLimits.labelLength else { throw .label(byteCount: label.count) }
        for key in keys where ![16, 24, 32].contains(key.count) { throw .key(byteCount: key.count) }
    }

    private static let nameLimit = 128
}

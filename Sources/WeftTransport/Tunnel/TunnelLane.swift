internal import NIOCore
internal import NIOHPACK
internal import WeftCore

/// The tunnels of one key, the one that is being dialled, and the opens that wait.
final class TunnelLane: TunnelConnectionOwner {
    let key: TunnelKey
    private let pool: TunnelPool
    /// Ready ones, and retired ones that still have streams; oldest first.
    private(set) var tunnels: [TunnelConnection] = []
    private var dialling: (tunnel: TunnelConnection, deadline: Scheduled<Void>)?
    private var waiters = CircularBuffer<TunnelAttempt>()
    /// When a stream was last answered or ended, or a waiter began to wait with nobody before it.
    private var moved: Instant
    private var patience: Scheduled<Void>?

    init(_ key: TunnelKey, pool: TunnelPool) {
        self.key = key
        self.pool = pool
        self.moved = .now(on: pool.eventLoop)
    }

    var streamCount: Int { tunnels.reduce(0) { $0 + $1.streams.count } }

    private var now: Instant { .now(on: pool.eventLoop) }

    // MARK: Opens

    /// Asks on a tunnel with room or lets the attempt wait; true when it did not have to.
    func place(_ attempt: TunnelAttempt) -> Bool {
        if waiters.isEmpty || attempt.avoided != nil, let tunnel = tunnel(for: attempt) {
            attempt.ask(on: tunnel)
            return true
        }
        guard waiters.count < pool.limits.waitersMax else {
            attempt.failed(.overLimit)
            return false
        }
        if waiters.isEmpty { moved = now }
        if attempt.avoided != nil { waiters.prepend(attempt) } else { waiters.append(attempt) }
        attend()
        return false
    }

    func forget(_ attempt: TunnelAttempt) {
        waiters.removeAll { $0 === attempt }
        removeIfDone()
    }

    private func tunnel(for attempt: TunnelAttempt) -> TunnelConnection? {
        tunnels.first { $0.hasRoom && $0 !== attempt.avoided }
    }

    private func serve() {
        while let first = waiters.first, let tunnel = tunnel(for: first) {
            waiters.removeFirst()
            first.ask(on: tunnel)
        }
        attend()
    }

    /// Sees to it that whoever waits is served some day: by a dial, or by patience and then a dial.
    private func attend() {
        guard let first = waiters.first, dialling == nil else { return }
        if tunnels.contains(where: { !$0.isRetired && $0 !== first.avoided }) {
            bePatient()
        } else {
            dial()
        }
    }

    private func bePatient() {
        guard patience == nil else { return }
        patience = schedule(pool.limits.patience) {
            self.patience = nil
            guard let first = self.waiters.first, self.dialling == nil else { return }
            let limits = self.pool.limits
            let now = self.now
            if now - self.moved >= limits.patience || now - first.since >= limits.patienceMax {
                self.dial()
            } else {
                self.attend()
            }
        }
    }

    // MARK: Dials

    /// At the limit whoever waits does so for a stream to end. Those that only finish what they have do not count.
    private func dial() {
        guard tunnels.count(where: { !$0.isRetired }) < pool.limits.tunnelsMax else { return }
        let tunnel = TunnelConnection(role: .server, limits: pool.limits, eventLoop: pool.eventLoop, owner: self)
        let deadline = schedule(pool.limits.openTimeout) { tunnel.close(.timedOut(tunnel.step), abruptly: true) }
        dialling = (tunnel, deadline)
        pool.countDial()
        pool.dial(tunnel, along: key)
    }

    private func schedule(_ delay: Duration, _ body: @escaping () -> Void) -> Scheduled<Void> {
        pool.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(delay.wholeNanoseconds), body)
    }

    func tunnelReady(_ tunnel: TunnelConnection) {
        // The peer takes no streams at all: another dial would only add one more of its kind.
        guard tunnel.hasRoom else { return tunnel.close(.notServed) }
        dialling?.deadline.cancel()
        dialling = nil
        tunnels.append(tunnel)
        pool.countHandshake()
        serve()
    }

    func tunnelHasRoom(_ tunnel: TunnelConnection) {
        guard !waiters.isEmpty else { return }
        moved = now
        serve()
    }

    /// A stream was answered.
    func progressed() { if !waiters.isEmpty { moved = now } }

    func tunnelRetired(_ tunnel: TunnelConnection) { attend() }

    func tunnelRequested(_ stream: TunnelStream, _ headers: HPACKHeaders) {
        preconditionFailure("a server cannot open streams: HTTP/2 push is off")
    }

    func tunnelClosed(_ tunnel: TunnelConnection, _ failure: TunnelFailure) {
        tunnels.removeAll { $0 === tunnel }
        if dialling?.tunnel === tunnel {
            dialling?.deadline.cancel()
            dialling = nil
            // Others may be full and still alive: then the waiters have not lost everything.
            if tunnels.allSatisfy(\.isRetired) { failWaiters(failure) }
        }
        attend()
        removeIfDone()
    }

    private func failWaiters(_ failure: TunnelFailure) {
        let waiting = waiters
        waiters = []
        for attempt in waiting { attempt.failed(failure) }
    }

    // MARK: Ends

    func tick() {
        let now = self.now
        for tunnel in tunnels {
            tunnel.tick()
            guard tunnel.phase == .ready, tunnel.streams.isEmpty else { continue }
            if now - tunnel.idleSince >= pool.limits.idleTimeout { tunnel.close(.cancelled(.idle)) }
        }
        // A lane whose tunnels stay full and whose dials fail must not keep anybody for ever.
        let limit = pool.limits.openTimeout + pool.limits.patienceMax
        while let first = waiters.first, now - first.since >= limit {
            waiters.removeFirst()
            first.failed(.overLimit)
        }
        removeIfDone()
    }

    func close(_ failure: TunnelFailure) {
        failWaiters(failure)
        dialling?.tunnel.close(failure, abruptly: true)
        for tunnel in tunnels { tunnel.close(failure) }
    }

    func recheck(_ standing: (TunnelPeer) -> TunnelStanding) {
        for tunnel in tunnels { tunnel.recheck(standing) }
        dialling?.tunnel.recheck(standing)
    }

    func drain() {
        failWaiters(.cancelled(.shutdown))
        dialling?.tunnel.close(.cancelled(.shutdown), abruptly: true)
        for tunnel in tunnels {
            tunnel.retire()
            tunnel.closeIfDone()
        }
    }

    private func removeIfDone() {
        guard tunnels.isEmpty, dialling == nil, waiters.isEmpty else { return }
        patience?.cancel()
        patience = nil
        pool.removed(self)
    }
}

extension TunnelConnection {
    /// What a dial that takes too long is waiting for.
    fileprivate var step: TunnelFailure.Step {
        switch phase {
        case .securing: remote == nil ? .connect : .handshake
        case .settling, .ready, .closed: .settings
        }
    }
}

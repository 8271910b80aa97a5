internal import Logging
internal import NIOCore
internal import WeftCore
internal import WeftIdentity
internal import WeftProxy

/// By a stream of a tunnel.
extension Dial {
    /// How long a connection waits for the first tunnel to a host of which it is not known whether one can reach it.
    private static let firstPatience = TimeAmount.seconds(1)

    func open(_ tunnel: TunnelRoute) {
        guard let identities = loop.tunnels.identity else { return connect() }
        if identities.holds(tunnel.key.source) { return ask(tunnel) }
        // The first connection of a program to the mesh: its certificate is made now.
        let bound = NIOLoopBound((self, tunnel, identities.host), eventLoop: loop.eventLoop)
        loop.tunnels.hooks.requestLeaf(tunnel.key.source) { isMade in
            bound.eventLoop.execute {
                let (dial, tunnel, host) = bound.value
                guard dial.isWanted else { return }
                var usable = tunnel
                // This host may not speak for the program; it speaks for itself.
                if !isMade { usable.key = tunnel.key.as(host) }
                dial.ask(usable)
            }
        }
    }

    private func ask(_ tunnel: TunnelRoute) {
        let attempt = loop.tunnels.pool.open(tunnel.authority, along: tunnel.key, headers: forwarded) { result in
            let mayHavePassedOn = self.attempt?.hasSentEarly ?? false
            self.attempt = nil
            switch result {
            case .success(let stream): self.opened(stream, tunnel)
            case .failure(let failure): self.failed(failure, tunnel, mayHavePassedOn: mayHavePassedOn)
            }
        }
        guard attempt.isWanted else { return }
        self.attempt = attempt
        attempt.send(early: early)
        guard tunnel.refusal == nil else { return }
        patience = loop.eventLoop.assumeIsolated().scheduleTask(in: Self.firstPatience) {
            // There is a tunnel, then, and its answer is waited for.
            guard let attempt = self.attempt, !attempt.hasSentEarly else { return }
            attempt.cancel()
            self.attempt = nil
            self.failed(.timedOut(.connect), tunnel)
        }
    }

    /// For the other host's records; it decides by the certificate.
    private var forwarded: [(String, String)] {
        guard let client = client?.address else { return [] }
        return [("forwarded", "for=\"\(client)\"")]
    }

    private func opened(_ stream: TunnelStream, _ tunnel: TunnelRoute) {
        loop.tunnels.countReached(tunnel.node)
        end(.success(Reached(leg: stream, security: .mtls, source: tunnel.key.source)))
    }

    /// - Parameter mayHavePassedOn: The other host has the client's first bytes, which must not arrive twice.
    private func failed(_ failure: TunnelFailure, _ tunnel: TunnelRoute, mayHavePassedOn: Bool = false) {
        patience?.cancel()
        patience = nil
        if failure.isPeersWord { loop.tunnels.countReached(tunnel.node) }
        if let refusal = tunnel.refusal { return end(.failure(refusal(failure))) }
        guard !mayHavePassedOn, loop.tunnels.reach(of: tunnel.node) != .reached else {
            return end(.failure(Refusal(failure, on: tunnel.node)))
        }
        loop.tunnels.hooks.unreached(tunnel.node, failure)
        detail = "in clear: \(tunnel.node): \(failure)"
        connect()
    }
}

extension TunnelKey {
    fileprivate func `as`(_ source: SpiffeID) -> TunnelKey {
        TunnelKey(source: source, destination: destination, node: node)
    }
}

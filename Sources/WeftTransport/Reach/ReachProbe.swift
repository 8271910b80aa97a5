internal import NIOCore
internal import NIOPosix
package import WeftCore
package import WeftGossip

/// Tries whether the ports of another host can be used from here: the tunnel's and gossip's.
///
/// TCP is tried by dialling and nothing more. UDP has no such thing: gossip is sent a ping, which any member answers
/// whoever asks, as long as it understands it. Rare (a join, a question of a person), so each try has a thread of its
/// own while it lasts.
package struct ReachProbe: Sendable {
    /// How long a port may take to answer.
    package static let timeout = Duration.seconds(2)

    private let dialMark: UInt32?
    private let timeout: Duration

    /// - Parameter dialMark: SO_MARK of what is sent, so that it is not captured; nil leaves it unmarked.
    package init(dialMark: UInt32?, timeout: Duration = timeout) {
        self.dialMark = dialMark
        self.timeout = timeout
    }

    /// Tries all three ports at once; takes as long as the slowest, two seconds at most.
    ///
    /// - Parameter security: how gossip is spoken with that host. One that has another key, and hears nothing else,
    ///   is silent over UDP.
    ///
    /// `@concurrent` for the reason that `Gossip` gives.
    @concurrent package func report(
        on ip: IPAddress,
        tunnelPort: UInt16,
        gossipPort: UInt16,
        security: WireSecurity
    ) async -> ReachReport {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let eventLoop = group.next()
        let gossip = NetworkAddress(ip, port: gossipPort)
        let tunnel = dial(NetworkAddress(ip, port: tunnelPort), on: eventLoop)
        let stream = dial(gossip, on: eventLoop)
        let datagram = ping(gossip, security, on: eventLoop)
        let report = ReachReport(
            tunnel: await tunnel.outcome(),
            gossipStream: await stream.outcome(),
            gossipDatagram: await datagram.outcome()
        )
        // Fails only for a group that has been shut down already.
        try? await group.shutdownGracefully()
        return report
    }

    // MARK: TCP

    private func dial(_ address: NetworkAddress, on eventLoop: any EventLoop) -> EventLoopFuture<ReachOutcome> {
        var bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(.nanoseconds(timeout.wholeNanoseconds))
        if let dialMark { bootstrap = bootstrap.channelOption(Self.mark, value: Int(dialMark)) }
        do {
            return bootstrap.connect(to: try SocketAddress(address))
                .flatMap { channel in channel.close().recover { _ in }.map { ReachOutcome.open } }
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }

    private static let mark = ChannelOptions.Types.SocketOption(SocketOption.mark)

    // MARK: UDP

    /// From a socket of its own, connected, so that the kernel tells of a port that nobody listens on.
    private func ping(
        _ address: NetworkAddress,
        _ security: WireSecurity,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<ReachOutcome> {
        let promise = eventLoop.makePromise(of: ReachOutcome.self)
        let timeout = timeout
        var bootstrap = DatagramBootstrap(group: eventLoop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let ping = ReachPing(security: security, timeout: timeout, promise: promise)
                try channel.pipeline.syncOperations.addHandler(ping)
            }
        }
        if let dialMark { bootstrap = bootstrap.channelOption(Self.mark, value: Int(dialMark)) }
        do {
            bootstrap.connect(to: try SocketAddress(address)).whenFailure { promise.fail($0) }
        } catch {
            promise.fail(error)
        }
        return promise.futureResult
    }
}

extension ChannelOptions.Types.SocketOption {
    fileprivate init(_ option: SocketOption) {
        self.init(level: .init(rawValue: option.level), name: .init(rawValue: option.name))
    }
}

extension EventLoopFuture<ReachOutcome> {
    fileprivate func outcome() async -> ReachOutcome {
        do { return try await get() } catch { return ReachOutcome(error) }
    }
}

extension ReachOutcome {
    /// What a failed dial, or the kernel's word on a datagram, means.
    init(_ error: any Error) {
        switch Outcome(dialError: error).ending {
        case .refused: self = .refused
        case .connectTimeout: self = .silent
        default: self = .unreachable
        }
    }
}

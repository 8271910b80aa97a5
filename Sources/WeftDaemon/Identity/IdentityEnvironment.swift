internal import NIOPosix
internal import WeftCore
internal import WeftGossip
internal import WeftHost
internal import WeftIdentity
internal import WeftTransport

/// Everything through which the identity touches the world: the network, the clock, the disk, chance. Tests put a world
/// of their own here.
struct IdentityEnvironment: Sendable {
    /// One exchange with the join service of another host.
    var ask: @Sendable ([UInt8], NetworkAddress, JoinTrust) async throws(JoinClientError) -> JoinReply
    var now: @Sendable () -> WallTime
    /// Ends early, by throwing, when its task is cancelled.
    var sleep: @Sendable (Duration) async throws -> Void
    /// The addresses behind what people write, with a port for those that have none.
    var lookUp: @Sendable (PeerAddress, UInt16) async throws -> [NetworkAddress]
    /// The address at which others reach this host; nil when it has none. May block for a moment.
    var ownAddress: @Sendable () -> IPAddress?
    /// Whether these ports of another host can be used from here; gossip is spoken with these keys.
    var probe: @Sendable (ReachTarget, PoolKeys?) async -> ReachAnswers
    var files: any StateFiles
    var random: @Sendable () -> UInt64

    /// This host's own world.
    init(joinClient: JoinClient, reachProbe: ReachProbe) {
        ask = { message, address, trust async throws(JoinClientError) in
            try await joinClient.ask(message, at: address, trust: trust)
        }
        now = { WallTime.now() }
        sleep = { try await Task.sleep(for: $0) }
        lookUp = { peer, port in
            try await NIOThreadPool.singleton.runIfActive { try PeerLookup.addresses(of: peer, defaultPort: port) }
        }
        ownAddress = { (try? OwnAddresses.reachable()) ?? nil }
        probe = { target, keys in
            ReachAnswers(
                await reachProbe.report(
                    on: target.address,
                    tunnelPort: target.tunnelPort,
                    gossipPort: target.gossipPort,
                    security: WireSecurity(keys)
                )
            )
        }
        files = DiskFiles()
        random = { UInt64.random(in: 0 ... .max) }
    }
}

extension ReachAnswers {
    fileprivate init(_ report: ReachReport) {
        self.init(
            tunnel: report.tunnel == .open,
            gossipStream: report.gossipStream == .open,
            gossipDatagram: report.gossipDatagram == .open
        )
    }
}

extension WireSecurity {
    /// How gossip is spoken with these keys.
    fileprivate init(_ keys: PoolKeys?) {
        guard let keys else {
            self.init()
            return
        }
        self.init(keyring: Keyring(keys: keys.keys), mode: EncryptionMode(keys.mode))
    }
}

/// The environment's chance as a generator.
struct EnvironmentRandomness: RandomNumberGenerator {
    let source: @Sendable () -> UInt64

    mutating func next() -> UInt64 { source() }
}

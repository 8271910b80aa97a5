internal import NIOCore
internal import NIOHPACK
internal import NIOSSL
internal import NIOTLS
internal import WeftCore

/// A CONNECT that a peer asks for, with everything that may be known before it is answered.
struct TunnelRequest {
    /// Who asks, by certificate.
    let peer: TunnelPeer
    /// Where the peer's end of the tunnel is.
    let remote: NetworkAddress
    /// The address that the peer dialled to get here.
    let local: NetworkAddress
    let authority: TunnelAuthority
    /// `baggage`, `forwarded` and `traceparent` as they came: for records, never for decisions.
    let headers: HPACKHeaders
}

/// What becomes of a request.
enum TunnelDecision {
    case allow
    /// Denied by a rule: 401.
    case deny(rule: String, node: String?)
    /// Not possible, for a reason other than the rules: 400 or 503.
    case refuse(status: Int, reason: String)
}

/// Whoever stands behind a server: rules and applications. On the server's loop.
protocol TunnelHost: AnyObject {
    func decide(_ request: TunnelRequest) -> TunnelDecision
    /// Dials the application and makes the stream the client's leg of a relay. A relay that starts answers 200; one whose
    /// dial fails answers 503 with the ending's name.
    func carry(_ stream: TunnelStream, for request: TunnelRequest)
}

/// The tunnels that other nodes have opened to this one, on one event loop.
///
/// Takes channels that were accepted on the tunnel port: reads the name that the client asks for, shows that service's
/// certificate, demands one in return, and answers CONNECTs. Only what `TunnelHost` allows reaches an application.
final class TunnelServer {
    private let eventLoop: any EventLoop
    private let limits: TunnelLimits
    private let trust: any TunnelTrust
    private let host: any TunnelHost
    /// Takes over channels of hosts that want to join.
    private let join: ((any Channel) throws -> Void)?
    /// weft's own ports: a CONNECT to one of them would come back here.
    private let ownPorts: Set<UInt16>
    private var tunnels: [ObjectIdentifier: TunnelConnection] = [:]
    private var ticking: Scheduled<Void>?
    private(set) var counters = TunnelServerCounters()
    private var isDraining = false

    init(
        eventLoop: any EventLoop,
        limits: TunnelLimits = TunnelLimits(),
        trust: any TunnelTrust,
        host: any TunnelHost,
        join: ((any Channel) throws -> Void)? = nil,
        ownPorts: Set<UInt16> = [15001, 15006, 15008, 15080]
    ) {
        self.eventLoop = eventLoop
        self.limits = limits
        self.trust = trust
        self.host = host
        self.join = join
        self.ownPorts = ownPorts.union([15_080])
    }

    // MARK: Accepting

    /// Takes over a channel; called from its initializer. What has not sent its SETTINGS in time is closed. How long a
    /// host that wants to join may take is the join service's matter, from its first bytes on.
    func adopt(_ channel: any Channel) throws {
        let deadline = eventLoop.assumeIsolated().scheduleTask(
            in: .nanoseconds(limits.openTimeout.wholeNanoseconds)
        ) {
            self.tooSlow(channel)
        }
        channel.closeFuture.assumeIsolated().whenComplete { _ in deadline.cancel() }
        let sni = SNIHandler { result in
            channel.eventLoop.makeCompletedFuture { try self.greet(channel, result, deadline) }
        }
        try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(sni))
    }

    private func greet(_ channel: any Channel, _ result: SNIResult, _ deadline: Scheduled<Void>) throws {
        let name: String? = if case .hostname(let name) = result { name } else { nil }
        do {
            guard !isDraining else { throw ChannelError.ioOnClosedChannel }
            if let join, name == ServerName.join.text {
                deadline.cancel()
                return try join(channel)
            }
            let context = try trust.serverContext(forServerName: name)
            let tunnel = TunnelConnection(role: .client, limits: limits, eventLoop: eventLoop, owner: self)
            tunnels[ObjectIdentifier(tunnel)] = tunnel
            counters.accepted += 1
            try TunnelHandlers.server(tunnel, context: context, trust: trust).add(to: channel)
            if ticking == nil { scheduleTick() }
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }

    private func tooSlow(_ channel: any Channel) {
        guard let tunnel = try? channel.pipeline.syncOperations.handler(type: TunnelConnection.self) else {
            counters.failures["connect-timeout", default: 0] += 1
            return channel.close(promise: nil)
        }
        switch tunnel.phase {
        case .securing: tunnel.close(.timedOut(.handshake), abruptly: true)
        case .settling: tunnel.close(.timedOut(.settings), abruptly: true)
        case .ready, .closed: break
        }
    }

    private func scheduleTick() {
        ticking = eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(limits.tick.wholeNanoseconds)) {
            self.ticking = nil
            for tunnel in self.tunnels.values { tunnel.tick() }
            if !self.tunnels.isEmpty { self.scheduleTick() }
        }
    }

    // MARK: What the control side asks for

    /// Tells every client at once that this end takes no more streams. `load` falls to nothing as those that are open
    /// end; what has not ended by the caller's deadline is for `stop`.
    func drain() {
        isDraining = true
        for tunnel in tunnels.values { tunnel.drain() }
    }

    /// Ends everything now.
    func stop() {
        isDraining = true
        for tunnel in tunnels.values { tunnel.close(.cancelled(.shutdown)) }
        ticking?.cancel()
        ticking = nil
    }

    /// Looks at every peer once more: ends the tunnels of those that are refused, and takes no new streams on those that
    /// are outdated.
    func recheck(_ standing: (TunnelPeer) -> TunnelStanding) {
        for tunnel in tunnels.values { tunnel.recheck(standing) }
    }

    var load: (tunnels: Int, streams: Int) {
        (tunnels.count, tunnels.values.reduce(0) { $0 + $1.streams.count })
    }
}

extension TunnelServer: TunnelConnectionOwner {
    func tunnelReady(_ tunnel: TunnelConnection) {
        counters.handshakes += 1
        if isDraining { tunnel.drain() }
    }

    func tunnelHasRoom(_ tunnel: TunnelConnection) {}

    func tunnelRetired(_ tunnel: TunnelConnection) {}

    func tunnelClosed(_ tunnel: TunnelConnection, _ failure: TunnelFailure) {
        tunnels.removeValue(forKey: ObjectIdentifier(tunnel))
        counters.failures[failure.name, default: 0] += 1
    }

    /// Answers by the table of hbone.md section 5.
    func tunnelRequested(_ stream: TunnelStream, _ headers: HPACKHeaders) {
        counters.streams += 1
        let tunnel = stream.tunnel
        guard let peer = tunnel.peer, let remote = tunnel.remote, let local = tunnel.local else {
            return refuse(stream, .refused(503, "the peer is gone"))
        }
        guard headers.first(name: ":method") == "CONNECT" else {
            return refuse(stream, .refused(400, "only CONNECT is served here"))
        }
        guard let authority = headers.first(name: ":authority").flatMap(TunnelAuthority.init) else {
            return refuse(stream, .refused(400, "the authority is not ADDRESS:PORT or NAME:PORT"))
        }
        if case .address(let address) = authority, address.ip != local.ip {
            return refuse(stream, .refused(400, "the authority is not the address that was dialled"))
        }
        guard !ownPorts.contains(authority.port) else {
            return refuse(stream, .refused(503, "the port is weft's own"))
        }
        decide(
            stream,
            TunnelRequest(peer: peer, remote: remote, local: local, authority: authority, headers: headers)
        )
    }

    private func decide(_ stream: TunnelStream, _ request: TunnelRequest) {
        switch host.decide(request) {
        case .allow: host.carry(stream, for: request)
        case .deny(let rule, let node): refuse(stream, .denied(by: rule, on: node))
        case .refuse(let status, let reason): refuse(stream, .refused(status, reason))
        }
    }

    private func refuse(_ stream: TunnelStream, _ answer: TunnelAnswer) {
        counters.refusals[answer.status, default: 0] += 1
        stream.refuse(answer)
    }
}

/// What a server has done since it was made.
package struct TunnelServerCounters: Sendable, Equatable {
    /// Clients that began TLS, and those that are, or were, tunnels.
    package var accepted: UInt64 = 0
    package var handshakes: UInt64 = 0
    package var streams: UInt64 = 0
    /// Streams refused before any dial, by status.
    package var refusals: [Int: UInt64] = [:]
    /// How tunnels ended, by `TunnelFailure.name`.
    package var failures: [String: UInt64] = [:]
}

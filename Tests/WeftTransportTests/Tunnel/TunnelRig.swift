import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import WeftCore
import WeftProxy

@testable import WeftTransport

/// Two nodes in one process: a client node with a pool behind a TCP entrance, and a server node in front of applications.
/// Real sockets on loopback and real TLS; each node has a loop of its own.
final class TunnelRig: Sendable {
    let group: MultiThreadedEventLoopGroup
    let client: NIOLoopBound<ClientNode>
    let server: NIOLoopBound<ServerNode>
    /// Where the server listens.
    let node: NetworkAddress
    let entry: NetworkAddress
    private let listeners: [any Channel]

    struct Options: Sendable {
        var limits = TunnelLimits()
        var serverLimits: TunnelLimits?
        var clientTrust: @Sendable (TestTrust) -> Void = { _ in }
        var serverTrust: @Sendable (TestTrust) -> Void = { _ in }
        var source = "client"
        var destination = "server"
        var decide: @Sendable (TunnelRequest) -> TunnelDecision = { _ in .allow }
        /// Where the entrance's connections go.
        var application: NetworkAddress?
        /// A node that is not the rig's own.
        var node: NetworkAddress?
        /// Where the rig's own listens.
        var host = "127.0.0.1"
        var halfCloseTimeout = Duration.seconds(60)
        /// Whether the entrance looks at what its clients say.
        var listens = false
    }

    private init(
        group: MultiThreadedEventLoopGroup,
        client: NIOLoopBound<ClientNode>,
        server: NIOLoopBound<ServerNode>,
        listeners: [any Channel]
    ) throws {
        self.group = group
        self.client = client
        self.server = server
        self.listeners = listeners
        node = try Self.address(listeners[0])
        entry = try Self.address(listeners[1])
    }

    private static func address(_ channel: any Channel) throws -> NetworkAddress {
        guard let address = channel.localAddress.flatMap({ NetworkAddress($0) }) else { throw TestError("no address") }
        return address
    }

    /// Runs `body` with both nodes up.
    static func with(_ options: Options, _ body: (TunnelRig) async throws -> Void) async throws {
        let rig = try await start(options)
        do {
            try await body(rig)
        } catch {
            try await rig.stop()
            throw error
        }
        try await rig.stop()
    }

    private static func start(_ options: Options) async throws -> TunnelRig {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let (serverLoop, clientLoop) = (group.next(), group.next())
        let server = try await serverLoop.submit {
            NIOLoopBound(try ServerNode(serverLoop, options), eventLoop: serverLoop)
        }.get()
        let port = try await ServerBootstrap(group: serverLoop)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try server.value.server.adopt(channel) }
            }
            .bind(host: options.host, port: 0).get()
        let node = try options.node ?? address(port)
        let client = try await clientLoop.submit {
            NIOLoopBound(try ClientNode(clientLoop, options, node: node), eventLoop: clientLoop)
        }.get()
        let entrance = try await ServerBootstrap(group: clientLoop)
            .serverChannelOption(.backlog, value: 2048)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.writeBufferWaterMark, value: Carrying.waterMark)
            .childChannelOption(.maxMessagesPerRead, value: Carrying.readsPerTurn)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try client.value.entered(channel) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return try TunnelRig(group: group, client: client, server: server, listeners: [port, entrance])
    }

    private func stop() async throws {
        for listener in listeners { try await listener.close() }
        try await onClient { $0.pool.stop() }
        try await onServer { $0.server.stop() }
        try await group.shutdownGracefully()
    }

    func onClient<Value: Sendable>(_ body: @escaping @Sendable (ClientNode) throws -> Value) async throws -> Value {
        try await client.eventLoop.submit { try body(self.client.value) }.get()
    }

    func onServer<Value: Sendable>(_ body: @escaping @Sendable (ServerNode) throws -> Value) async throws -> Value {
        try await server.eventLoop.submit { try body(self.server.value) }.get()
    }

    /// Closes the server's listening socket.
    func stopListening() async throws { try await listeners[0].close() }

    /// Opens one stream and gives the failure, or nil and leaves the stream alone.
    func failureOfOpen(_ authority: NetworkAddress? = nil) async throws -> TunnelFailure? {
        try await client.eventLoop.flatSubmit {
            let promise = self.client.eventLoop.makePromise(of: TunnelFailure?.self)
            let node = self.client.value
            let target = authority ?? node.options.application ?? NetworkAddress(.loopbackV4, port: 1)
            node.pool.open(.address(target), along: node.key) { result in
                if case .failure(let failure) = result { promise.succeed(failure) } else { promise.succeed(nil) }
            }
            return promise.futureResult
        }.get()
    }
}

/// The node whose processes dial.
final class ClientNode {
    let pool: TunnelPool
    let key: TunnelKey
    let options: TunnelRig.Options
    let eventLoop: any EventLoop
    /// How the entrance's connections ended, in order.
    private(set) var outcomes: [Outcome] = []
    private(set) var failures: [TunnelFailure] = []
    private(set) var seen = SeenStreams()

    init(_ eventLoop: any EventLoop, _ options: TunnelRig.Options, node: NetworkAddress) throws {
        let trust = try TestTrust()
        options.clientTrust(trust)
        self.eventLoop = eventLoop
        self.options = options
        key = TunnelKey(
            source: TunnelPKI.identity(options.source),
            destination: TunnelPKI.identity(options.destination),
            node: node
        )
        pool = TunnelPool(eventLoop: eventLoop, limits: options.limits, trust: trust) { try $0.set(.noDelay, to: 1) }
    }

    /// A process has connected: its bytes go through the tunnel.
    func entered(_ channel: any Channel) throws {
        let leg = Leg(.client)
        let carried = Carried(leg, eventLoop, limit: options.halfCloseTimeout) {
            self.outcomes.append($0)
        }
        leg.whenActive = {
            guard let application = self.options.application else { return }
            if self.options.listens { carried.relay.listen(now: carried.now) }
            carried.attempt = self.pool.open(.address(application), along: self.key) { result in
                switch result {
                case .success(let stream):
                    self.seen.add(stream)
                    carried.relay.dialSucceeded(stream)
                case .failure(let failure):
                    self.failures.append(failure)
                    carried.relay.dialFailed(Outcome(.refused, side: .destination))
                }
            }
        }
        try channel.withSocket { try $0.setAbortOnClose(true) }
        try channel.pipeline.syncOperations.addHandler(leg)
    }
}

/// The node in front of the applications.
final class ServerNode: TunnelHost {
    private(set) var server: TunnelServer!
    private let options: TunnelRig.Options
    private let eventLoop: any EventLoop
    private(set) var outcomes: [Outcome] = []
    private(set) var requests: [TunnelRequest] = []
    private(set) var seen = SeenStreams()

    init(_ eventLoop: any EventLoop, _ options: TunnelRig.Options) throws {
        let trust = try TestTrust()
        options.serverTrust(trust)
        self.eventLoop = eventLoop
        self.options = options
        server = TunnelServer(
            eventLoop: eventLoop,
            limits: options.serverLimits ?? options.limits,
            trust: trust,
            host: self
        )
    }

    func decide(_ request: TunnelRequest) -> TunnelDecision {
        requests.append(request)
        return options.decide(request)
    }

    func carry(_ stream: TunnelStream, for request: TunnelRequest) {
        seen.add(stream)
        let leg = Leg(.destination)
        let carried = Carried(stream, eventLoop, limit: options.halfCloseTimeout) { self.outcomes.append($0) }
        let bound = NIOLoopBound((carried, leg), eventLoop: eventLoop)
        guard case .address(let target) = request.authority, let address = try? NIOCore.SocketAddress(target) else {
            return carried.relay.dialFailed(Outcome(.unreachable, side: .destination))
        }
        ClientBootstrap(group: eventLoop).carriedChannelOptions()
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value.1)
                    try channel.withSocket { try $0.setAbortOnClose(true) }
                }
            }
            .connect(to: address).assumeIsolated().whenComplete { result in
                switch result {
                case .success: carried.relay.dialSucceeded(leg)
                case .failure(let error): carried.relay.dialFailed(Outcome(dialError: error))
                }
            }
    }
}

/// Streams and tunnels that there were, without keeping them.
struct SeenStreams {
    private struct Seen {
        weak var stream: TunnelStream?
        weak var tunnel: TunnelConnection?
    }

    private var all: [Seen] = []

    mutating func add(_ stream: TunnelStream) { all.append(Seen(stream: stream, tunnel: stream.tunnel)) }

    var count: Int { all.count }

    /// How many of them somebody still holds.
    var alive: Int { all.count { $0.stream != nil || $0.tunnel != nil } }
}

/// Keeps a relay alive until it is finished, and looks at its silence.
final class Carried: RelayOwner {
    let relay: Relay
    /// The way to the destination, while it is asked for.
    var attempt: TunnelAttempt?
    private let eventLoop: any EventLoop
    private let limit: Duration
    private let finished: (Outcome) -> Void
    private var isFinished = false

    init(
        _ client: any RelayLeg,
        _ eventLoop: any EventLoop,
        limit: Duration,
        finished: @escaping (Outcome) -> Void
    ) {
        relay = Relay(client: client)
        self.eventLoop = eventLoop
        self.limit = limit
        self.finished = finished
        relay.owner = self
    }

    var now: Instant { .now(on: eventLoop) }

    func schedule(at time: Instant, _ task: @escaping () -> Void) -> Scheduled<Void> {
        eventLoop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(time.nanoseconds), task)
    }

    /// Nobody asked what is spoken.
    func relayDetected(_ detection: Detection) {}

    func relayHeard(early bytes: ByteBuffer) { attempt?.send(early: bytes) }

    func relayHalfClosed() { watch() }

    func relayFinished(_ outcome: Outcome) {
        isFinished = true
        attempt = nil
        finished(outcome)
    }

    private func watch() {
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(20)) {
            guard !self.isFinished else { return }
            self.relay.checkSilence(now: .now(on: self.eventLoop), limit: self.limit)
            self.watch()
        }
    }
}

/// Asks again until the answer is yes; throws after ten seconds.
func eventually(_ what: String = "condition", _ body: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline {
        if try await body() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    throw TestError("\(what): not within 10 s")
}

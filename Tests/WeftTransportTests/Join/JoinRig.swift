import Logging
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization
import WeftCore
import WeftIdentity

@testable import WeftTransport

/// A mesh with an authority, one host that serves joins on loopback, and clients: real sockets and real TLS.
final class JoinRig: Sendable {
    /// What the service was asked, in order.
    final class Log: Sendable {
        private let requests = Mutex<[(bytes: [UInt8], from: NetworkAddress)]>([])

        func add(_ bytes: [UInt8], _ from: NetworkAddress) { requests.withLock { $0.append((bytes, from)) } }

        var all: [(bytes: [UInt8], from: NetworkAddress)] { requests.withLock { $0 } }
    }

    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let mesh: JoinTestMesh
    let server: JoinServer
    let address: NetworkAddress
    let log: Log
    private let listener: any Channel

    private init(limits: JoinLimits, answer: @escaping JoinService) async throws {
        let log = Log()
        self.log = log
        let mesh = try JoinTestMesh()
        self.mesh = mesh
        let server = JoinServer(limits: limits) { request, from in
            log.add(request, from)
            return await answer(request, from)
        }
        self.server = server
        listener = try await Self.listen(on: group) { channel in
            let sni = SNIHandler { _ in
                channel.eventLoop.makeCompletedFuture {
                    try server.adopt(channel, context: mesh.snapshot.joinServerContext())
                }
            }
            try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(sni))
        }
        address = try Self.address(of: listener)
    }

    /// Runs `body` with the service up.
    static func with(
        limits: JoinLimits = JoinLimits(),
        answer: @escaping JoinService = { request, _ in request },
        _ body: (JoinRig) async throws -> Void
    ) async throws {
        let rig = try await JoinRig(limits: limits, answer: answer)
        do {
            try await body(rig)
        } catch {
            try await rig.stop()
            throw error
        }
        try await rig.stop()
    }

    private func stop() async throws {
        try await listener.close()
        try await group.shutdownGracefully()
    }

    /// A listener whose connections `prepare` is given on their loops.
    static func listen(
        on group: any EventLoopGroup,
        _ prepare: @escaping @Sendable (any Channel) throws -> Void
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 512)
            .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try prepare(channel) } }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    static func address(of channel: any Channel) throws -> NetworkAddress {
        guard let address = channel.localAddress.flatMap({ NetworkAddress($0) }) else { throw TestError("no address") }
        return address
    }

    /// A client with the mesh's clock.
    func client(timeout: Duration = .seconds(10), ahead: Duration = .zero) -> JoinClient {
        JoinClient.test(at: mesh.now.later(ahead), timeout: timeout)
    }

    /// What the client throws.
    func failure(
        _ message: [UInt8] = [1],
        trust: JoinTrust? = nil,
        at address: NetworkAddress? = nil,
        timeout: Duration = .seconds(10),
        ahead: Duration = .zero
    ) async -> JoinClientError? {
        do throws(JoinClientError) {
            _ = try await client(timeout: timeout, ahead: ahead)
                .ask(message, at: address ?? self.address, trust: trust ?? .pin(mesh.pin))
            return nil
        } catch {
            return error
        }
    }

    /// Waits until the counters are as they should be.
    func waitForCounters(_ isThere: (JoinServerCounters) -> Bool) async throws -> JoinServerCounters {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            let counters = server.counters
            if isThere(counters) { return counters }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TestError("the counters stay at \(server.counters)")
    }
}

extension JoinClient {
    static func test(at now: WallTime, timeout: Duration = .seconds(10)) -> JoinClient {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return JoinClient(dialMark: nil, logger: logger, clock: { now }, timeout: timeout)
    }
}

extension WallTime {
    /// To the second.
    func later(_ duration: Duration) -> WallTime {
        WallTime(millisecondsSince1970: millisecondsSince1970 + duration.components.seconds * 1000)
    }
}

/// A mesh of one host with one service, at a fixed time.
struct JoinTestMesh: Sendable {
    let now: WallTime
    let authority: MeshAuthority
    let snapshot: IdentitySnapshot
    let host: SpiffeID
    let api: SpiffeID
    let pin: JoinPin

    init(_ name: String = "prod") throws {
        // 2026-11-22T00:00:00Z.
        now = WallTime(millisecondsSince1970: 1_795_305_600_000)
        var random = SystemRandomNumberGenerator()
        guard let mesh = MeshName(name), let node = NodeName("db-1"), let tenant = TenantName("system"),
            let service = ServiceName("api"), let address = PeerAddress("127.0.0.1:15008")
        else { throw TestError("names") }
        let authority = try MeshAuthority.found(mesh, now: now, using: &random)
        self.authority = authority
        host = SpiffeID(mesh: mesh, node: node)
        api = SpiffeID(mesh: mesh, tenant: tenant, service: service)
        let key = NodeKey()
        let request = try NodeRequest(der: key.request(for: host).der)
        let chain = try authority.sign(request, allowed: nil, now: now, lifetimes: .standard, using: &random)
        let identity = try NodeIdentity(key: key, chain: chain)
        let contexts = TLSContexts()
        snapshot = try contexts.snapshot(
            host: try identity.mint(host, now: now, using: &random),
            workloads: [try identity.mint(api, now: now, using: &random)],
            bundle: authority.bundle
        )
        var book = TokenBook()
        let token = try book.issue(
            mesh: mesh,
            root: authority.root.fingerprint,
            addresses: [address],
            expiry: now.later(.seconds(3600)),
            now: now,
            using: &random
        )
        pin = JoinPin(token)
    }

    var verifier: PeerVerifier { PeerVerifier(bundle: authority.bundle) }
}

/// A client that speaks TLS and says what it likes.
final class RawJoinClient: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let bytes: [UInt8]
    private let closesAtOnce: Bool
    private let end: EventLoopPromise<[UInt8]>
    private var received: [UInt8] = []

    private init(_ bytes: [UInt8], closesAtOnce: Bool, end: EventLoopPromise<[UInt8]>) {
        self.bytes = bytes
        self.closesAtOnce = closesAtOnce
        self.end = end
    }

    /// Sends the bytes after the handshake, and gives what came back when the other end has closed.
    static func send(
        _ bytes: [UInt8],
        to rig: JoinRig,
        protocols: [String] = [JoinPin.applicationProtocol],
        closesAtOnce: Bool = false
    ) async throws -> [UInt8] {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.applicationProtocols = protocols
        let context = try NIOSSLContext(configuration: configuration)
        let end = rig.group.next().makePromise(of: [UInt8].self)
        let channel = try await ClientBootstrap(group: rig.group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let tls = try NIOSSLClientHandler(context: context, serverHostname: ServerName.join.text)
                    let client = RawJoinClient(bytes, closesAtOnce: closesAtOnce, end: end)
                    try channel.pipeline.syncOperations.addHandlers([tls, client])
                }
            }
            .connect(host: "127.0.0.1", port: Int(rig.address.port)).get()
        defer { channel.close(promise: nil) }
        return try await end.futureResult.get()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted? = event as? TLSUserEvent else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        if closesAtOnce { context.closeBeneathTLS() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += unwrapInboundIn(data).readableBytesView
    }

    func channelInactive(context: ChannelHandlerContext) { end.succeed(received) }

    /// What TLS complains of ends the connection, which is all that is asked for here.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// A server with the mesh's certificates that answers the first bytes with what it likes.
final class FalseJoinServer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum After {
        case close
        case stall
    }

    private let bytes: [UInt8]
    private let after: After
    private var isDone = false

    private init(_ bytes: [UInt8], _ after: After) {
        self.bytes = bytes
        self.after = after
    }

    /// Runs `body` with such a server behind `context`; without one it does not speak TLS and answers at once.
    static func with(
        _ context: NIOSSLContext?,
        answering bytes: [UInt8],
        then after: After,
        on rig: JoinRig,
        _ body: (NetworkAddress) async throws -> Void
    ) async throws {
        let listener = try await JoinRig.listen(on: rig.group) { channel in
            if let context {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
            }
            try channel.pipeline.syncOperations.addHandler(FalseJoinServer(bytes, after))
        }
        try await body(try JoinRig.address(of: listener))
        try await listener.close()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return }
        isDone = true
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        if after == .close { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import Synchronization
import WeftCore

@testable import WeftTransport

/// One end of an HTTP/2 connection that does what the test says: windows, resets and farewells are the test's.
final class HTTP2Peer: Sendable {
    struct State {
        var calls: [HTTP2StreamID: HTTP2Call] = [:]
        /// Streams that the other end opened, and nobody has taken.
        var arrived: [HTTP2Call] = []
        var farewells: [(last: HTTP2StreamID, code: HTTP2ErrorCode)] = []
        var isClosed = false
        var nextID = 1
    }

    let channel: any Channel
    let state = Mutex(State())

    fileprivate init(_ channel: any Channel) { self.channel = channel }

    static func connected(
        to address: NetworkAddress,
        on group: MultiThreadedEventLoopGroup,
        settings: HTTP2Settings = []
    ) async throws -> HTTP2Peer {
        let box = Box()
        _ = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try add(to: channel, .client, settings, box) }
            }
            .connect(to: try SocketAddress(address)).get()
        guard let peer = box.peers.withLock({ $0.first }) else { throw TestError("no channel") }
        return peer
    }

    fileprivate final class Box: Sendable {
        let peers = Mutex<[HTTP2Peer]>([])
    }

    fileprivate static func add(
        to channel: any Channel,
        _ mode: NIOHTTP2Handler.ParserMode,
        _ settings: HTTP2Settings,
        _ box: Box
    ) throws {
        let peer = HTTP2Peer(channel)
        box.peers.withLock { $0.append(peer) }
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = settings
        // What tests do wrong is for weft to notice.
        configuration.headerBlockValidation = .disabled
        configuration.contentLengthValidation = .disabled
        configuration.controlFrameRateLimit.maximumCount = 100_000
        var streams = NIOHTTP2Handler.StreamConfiguration()
        streams.streamResetFrameRateLimit.maximumCount = 100_000
        let http2 = NIOHTTP2Handler(mode: mode, connectionConfiguration: configuration, streamConfiguration: streams)
        try channel.pipeline.syncOperations.addHandlers([http2, Frames(peer)])
    }

    // MARK: What tests ask for

    func open(_ fields: [(String, String)], end: Bool = false) async throws -> HTTP2Call {
        let call = state.withLock { state in
            let id = HTTP2StreamID(state.nextID)
            state.nextID += 2
            let call = HTTP2Call(id, on: self)
            state.calls[id] = call
            return call
        }
        try await send(call.id, .headers(.init(headers: HPACKHeaders(fields), endStream: end)))
        return call
    }

    /// Returns when the frame is with the kernel.
    func send(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload) async throws {
        try await channel.writeAndFlush(HTTP2Frame(streamID: id, payload: payload)).get()
    }

    func sendNow(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload, times count: Int = 1) {
        for _ in 0..<count { channel.write(HTTP2Frame(streamID: id, payload: payload), promise: nil) }
        channel.flush()
    }

    /// Opens streams and resets each at once.
    func openAndReset(_ fields: [(String, String)], times count: Int) {
        let first = state.withLock { state in
            defer { state.nextID += 2 * count }
            return state.nextID
        }
        for id in (0..<count).map({ HTTP2StreamID(first + 2 * $0) }) {
            let head = HTTP2Frame.FramePayload.Headers(headers: HPACKHeaders(fields), endStream: true)
            channel.write(HTTP2Frame(streamID: id, payload: .headers(head)), promise: nil)
            channel.write(HTTP2Frame(streamID: id, payload: .rstStream(.cancel)), promise: nil)
        }
        channel.flush()
    }

    func sayFarewell(last: Int, code: HTTP2ErrorCode = .noError) async throws {
        try await send(.rootStream, .goAway(lastStreamID: HTTP2StreamID(last), errorCode: code, opaqueData: nil))
    }

    /// Nothing was said against this end.
    var isUnharmed: Bool { state.withLock { $0.farewells.isEmpty && !$0.isClosed } }

    func close() async throws { try await channel.close().get() }

    func farewell() async throws -> (last: HTTP2StreamID, code: HTTP2ErrorCode) {
        try await soon("a GOAWAY", within: .seconds(60)) { self.state.withLock { $0.farewells.last } }
    }

    func closed() async throws {
        _ = try await soon("the end of the connection") { self.state.withLock { $0.isClosed ? true : nil } }
    }
}

extension HTTP2Peer {
    private final class Frames: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame

        private let peer: HTTP2Peer

        init(_ peer: HTTP2Peer) { self.peer = peer }

        func channelActive(context: ChannelHandlerContext) {
            // The connection's window is no matter of these tests.
            peer.sendNow(.rootStream, .windowUpdate(windowSizeIncrement: 1 << 30))
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let frame = unwrapInboundIn(data)
            if case .goAway(let last, let code, _) = frame.payload {
                peer.state.withLock { $0.farewells.append((last, code)) }
            }
            guard frame.streamID != .rootStream else { return }
            if let known = peer.state.withLock({ $0.calls[frame.streamID] }) { return known.received(frame.payload) }
            let call = HTTP2Call(frame.streamID, on: peer)
            // Whoever takes it finds its head.
            call.received(frame.payload)
            peer.state.withLock { state in
                state.calls[frame.streamID] = call
                state.arrived.append(call)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { peer.state.withLock { $0.isClosed = true } }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {}
    }
}

/// Accepts connections and has their streams taken by tests.
final class HTTP2Server: Sendable {
    let address: NetworkAddress
    private let listener: any Channel
    private let box: HTTP2Peer.Box

    private init(_ listener: any Channel, _ box: HTTP2Peer.Box) throws {
        guard let address = listener.localAddress.flatMap({ NetworkAddress($0) }) else { throw TestError("no address") }
        (self.address, self.listener, self.box) = (address, listener, box)
    }

    static func start(
        on group: MultiThreadedEventLoopGroup,
        at address: NetworkAddress = NetworkAddress(.loopbackV4, port: 0),
        settings: HTTP2Settings = []
    ) async throws -> HTTP2Server {
        let box = HTTP2Peer.Box()
        let listener = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try HTTP2Peer.add(to: channel, .server, settings, box) }
            }
            .bind(to: try SocketAddress(address)).get()
        return try HTTP2Server(listener, box)
    }

    func stop() async throws { try await listener.close().get() }

    /// All connections that were accepted.
    var peers: [HTTP2Peer] { box.peers.withLock { $0 } }

    /// A stream that was opened, if there is one.
    func takeCall() -> HTTP2Call? {
        for peer in peers {
            if let call = peer.state.withLock({ $0.arrived.isEmpty ? nil : $0.arrived.removeFirst() }) { return call }
        }
        return nil
    }

    func call() async throws -> HTTP2Call { try await soon("a stream") { self.takeCall() } }
}

/// Waits for something to be there.
func soon<Value>(
    _ what: String,
    within patience: Duration = .seconds(10),
    _ look: () throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
        if let value = try look() { return value }
        try await Task.sleep(for: .milliseconds(1))
    }
    throw TestError("no \(what) after \(patience)")
}

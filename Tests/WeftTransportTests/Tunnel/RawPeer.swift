import NIOCore
import NIOHPACK
import NIOPosix
import NIOSSL
import Synchronization
import WeftCore

@testable import WeftTransport

/// One HTTP/2 frame as it is on the wire.
struct RawFrame: Sendable, Equatable {
    enum Kind: UInt8, Sendable {
        case data = 0
        case headers = 1
        case priority = 2
        case reset = 3
        case settings = 4
        case pushPromise = 5
        case ping = 6
        case goAway = 7
        case windowUpdate = 8
        case continuation = 9
        /// Means nothing.
        case unknown = 0xfa
    }

    static let end: UInt8 = 1
    static let endHeaders: UInt8 = 4

    var kind: Kind
    var flags: UInt8 = 0
    var stream: UInt32 = 0
    var payload: [UInt8] = []

    /// The error code of RST_STREAM or GOAWAY, or the increment of WINDOW_UPDATE.
    var code: UInt32 { number(at: kind == .goAway ? 4 : 0) }
    /// The last stream of GOAWAY.
    var last: UInt32 { number(at: 0) }
    var isEnd: Bool { (kind == .data || kind == .headers) && flags & Self.end != 0 }

    private func number(at offset: Int) -> UInt32 {
        payload[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    var wire: [UInt8] {
        let count = UInt32(payload.count)
        return [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), kind.rawValue, flags]
            + Self.bytes(stream) + payload
    }

    static func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(number >> (24 - 8 * $0) & 255) } }

    static func headers(_ stream: UInt32, _ headers: [(String, String)], flags: UInt8 = endHeaders) -> RawFrame {
        var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
        var buffer = ByteBuffer()
        // The test's own headers can be encoded.
        do { try encoder.encode(headers: HPACKHeaders(headers), to: &buffer) } catch { preconditionFailure("\(error)") }
        return RawFrame(kind: .headers, flags: flags, stream: stream, payload: Array(buffer: buffer))
    }

    static func connect(_ stream: UInt32, _ authority: String, end: Bool = false, _ more: [(String, String)] = [])
        -> RawFrame
    {
        headers(
            stream,
            [(":method", "CONNECT"), (":authority", authority)] + more,
            flags: endHeaders | (end ? Self.end : 0)
        )
    }

    static func data(_ stream: UInt32, _ bytes: [UInt8], end: Bool = false) -> RawFrame {
        RawFrame(kind: .data, flags: end ? Self.end : 0, stream: stream, payload: bytes)
    }

    static func reset(_ stream: UInt32, _ code: UInt32) -> RawFrame {
        RawFrame(kind: .reset, stream: stream, payload: bytes(code))
    }

    static func goAway(last: UInt32, _ code: UInt32 = 0) -> RawFrame {
        RawFrame(kind: .goAway, payload: bytes(last) + bytes(code))
    }

    static func settings(_ values: [(UInt16, UInt32)] = []) -> RawFrame {
        RawFrame(kind: .settings, payload: values.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + bytes($0.1) })
    }

    static let settingsAnswer = RawFrame(kind: .settings, flags: 1)
}

/// A peer that speaks TLS correctly and HTTP/2 as the test says, frame by frame.
final class RawPeer: Sendable {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private let channel: any Channel
    fileprivate let state: Mutex<State>

    fileprivate struct State {
        var frames: [RawFrame] = []
        var isClosed = false
        var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
        var answers: [UInt32: [String: String]] = [:]
    }

    fileprivate init(_ channel: any Channel) {
        self.channel = channel
        self.state = Mutex(State())
    }

    /// Connects to a server as `source` and sends the preface.
    static func client(
        to address: NetworkAddress,
        on group: MultiThreadedEventLoopGroup,
        settings: [(UInt16, UInt32)] = [],
        trust change: @escaping @Sendable (TestTrust) -> Void = { _ in }
    ) async throws -> RawPeer {
        let box = Box()
        let channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let trust = try TestTrust()
                    change(trust)
                    guard let context = try trust.clientContext(for: TunnelPKI.identity("client")) else {
                        throw TestError("no context")
                    }
                    let made = RawPeer(channel)
                    box.peer.withLock { $0 = made }
                    let tls = try NIOSSLClientHandler(
                        context: context,
                        serverHostname: nil,
                        customVerificationCallback: { $1.succeed(.certificateVerified) }
                    )
                    try channel.pipeline.syncOperations.addHandlers([tls, RawFrames(made, expectsPreface: false)])
                }
            }
            .connect(to: try SocketAddress(address)).get()
        guard let made = box.peer.withLock({ $0 }) else { throw TestError("no channel") }
        var bytes = ByteBuffer(bytes: preface)
        bytes.writeBytes(RawFrame.settings(settings).wire)
        try await channel.writeAndFlush(bytes)
        return made
    }

    func send(_ frames: RawFrame...) async throws { try await send(frames) }

    func send(_ frames: [RawFrame]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: frames.flatMap(\.wire)))
    }

    func close() async throws { try await channel.close() }

    /// Takes nothing more from its socket: the other end's fills up.
    func stopReading() async throws { try await channel.setOption(.autoRead, value: false).get() }

    var frames: [RawFrame] { state.withLock { $0.frames } }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// The headers that were answered, or asked, on a stream.
    func headers(_ stream: UInt32) -> [String: String]? { state.withLock { $0.answers[stream] } }

    /// Waits for a frame.
    @discardableResult
    func expect(_ what: String = "frame", _ matches: @Sendable (RawFrame) -> Bool) async throws -> RawFrame {
        try await eventually(what) { frames.contains(where: matches) || isClosed }
        guard let frame = frames.first(where: matches) else { throw TestError("\(what): closed before") }
        return frame
    }

    /// Waits for the answer on a stream and gives its status.
    func status(_ stream: UInt32) async throws -> String? {
        try await expect("answer on \(stream)") { $0.kind == .headers && $0.stream == stream }
        return headers(stream)?[":status"]
    }

    func expectClosed() async throws { try await eventually("close") { isClosed } }

    fileprivate final class Box: Sendable {
        let peer = Mutex<RawPeer?>(nil)
    }
}

/// A server whose connections the test answers by hand.
final class RawServer: Sendable {
    let address: NetworkAddress
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel
    private let accepted: Accepted

    private final class Accepted: Sendable {
        let peers = Mutex<[RawPeer]>([])
    }

    private init(_ group: MultiThreadedEventLoopGroup, _ channel: any Channel, _ accepted: Accepted) throws {
        guard let address = channel.localAddress.flatMap({ NetworkAddress($0) }) else { throw TestError("no address") }
        self.group = group
        self.channel = channel
        self.accepted = accepted
        self.address = address
    }

    static func with(_ body: (RawServer) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let accepted = Accepted()
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let context = try TestTrust().serverContext(forServerName: nil)
                    let peer = RawPeer(channel)
                    let tls = NIOSSLServerHandler(
                        context: context,
                        customVerificationCallback: { $1.succeed(.certificateVerified) }
                    )
                    try channel.pipeline.syncOperations.addHandlers([tls, RawFrames(peer, expectsPreface: true)])
                    accepted.peers.withLock { $0.append(peer) }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = try RawServer(group, channel, accepted)
        do {
            try await body(server)
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    /// The connection of that number, when it is there.
    func peer(_ index: Int = 0) async throws -> RawPeer {
        try await eventually("connection \(index)") { accepted.peers.withLock { $0.count > index } }
        return accepted.peers.withLock { $0[index] }
    }

    /// The connection of that number, greeted with SETTINGS.
    func greeted(_ index: Int = 0, settings: [(UInt16, UInt32)] = []) async throws -> RawPeer {
        let peer = try await peer(index)
        try await peer.expect("SETTINGS") { $0.kind == .settings }
        try await peer.send(.settings(settings), .settingsAnswer)
        return peer
    }

    var count: Int { accepted.peers.withLock { $0.count } }
}

/// Cuts what arrives into frames.
private final class RawFrames: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let peer: RawPeer
    private var prefaceLeft: Int
    private var buffer = ByteBuffer()

    init(_ peer: RawPeer, expectsPreface: Bool) {
        self.peer = peer
        self.prefaceLeft = expectsPreface ? RawPeer.preface.count : 0
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        buffer.writeImmutableBuffer(unwrapInboundIn(data))
        let skipped = min(prefaceLeft, buffer.readableBytes)
        buffer.moveReaderIndex(forwardBy: skipped)
        prefaceLeft -= skipped
        while let frame = next() { record(frame) }
    }

    private func next() -> RawFrame? {
        guard let head = buffer.getBytes(at: buffer.readerIndex, length: 9) else { return nil }
        let count = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        guard buffer.readableBytes >= 9 + count else { return nil }
        buffer.moveReaderIndex(forwardBy: 9)
        let payload = buffer.readBytes(length: count) ?? []
        guard let kind = RawFrame.Kind(rawValue: head[3]) else { return next() }
        let stream = head[5..<9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return RawFrame(kind: kind, flags: head[4], stream: stream, payload: payload)
    }

    private func record(_ frame: RawFrame) {
        peer.state.withLock { state in
            var block = ByteBuffer(bytes: frame.payload)
            if frame.kind == .headers, let headers = try? state.decoder.decodeHeaders(from: &block) {
                state.answers[frame.stream] = Dictionary(headers.map { ($0.name, $0.value) }) { first, _ in first }
            }
            state.frames.append(frame)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { peer.state.withLock { $0.isClosed = true } }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

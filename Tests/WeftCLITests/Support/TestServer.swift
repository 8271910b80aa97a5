import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import WeftCLI

/// A server on a Unix socket in a folder of its own, gone with everything it opened when `with` returns.
struct TestServer: Sendable {
    /// What it does with each connection.
    enum Behaviour: Sendable {
        /// Parses the request and answers by HTTP with what the closure makes of its head and body.
        case http(@Sendable (HTTPRequestHead, String) -> (HTTPResponseStatus, String))
        /// Sends these bytes once the request's head is complete, then closes, or leaves the connection open.
        case raw(String, thenCloses: Bool)
        /// Sends this, then a byte every few milliseconds for ever.
        case drip(head: String)
    }

    let socket: SocketPath

    static func with<Value>(
        _ behaviour: Behaviour,
        name: String = "weft.sock",
        _ body: (TestServer) async throws -> Value
    ) async throws -> Value {
        try await withTemporaryFolder { folder in
            let socket = try SocketPath("\(folder)/\(name)")
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let outcome: Result<Value, any Error>
            do {
                let listener = try await ServerBootstrap(group: group)
                    .childChannelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture { try install(behaviour, channel.pipeline) }
                    }
                    .bind(unixDomainSocketPath: socket.path).get()
                do {
                    outcome = .success(try await body(TestServer(socket: socket)))
                } catch {
                    outcome = .failure(error)
                }
                try await listener.close()
            } catch {
                try await group.shutdownGracefully()
                throw error
            }
            try await group.shutdownGracefully()
            return try outcome.get()
        }
    }

    private static func install(_ behaviour: Behaviour, _ pipeline: ChannelPipeline) throws {
        switch behaviour {
        case .http(let answer):
            try pipeline.syncOperations.configureHTTPServerPipeline()
            try pipeline.syncOperations.addHandler(HTTPAnswer(answer))
        case .raw(let text, let thenCloses):
            try pipeline.syncOperations.addHandler(RawAnswer(text: text, after: thenCloses ? .close : .stayOpen))
        case .drip(let head):
            try pipeline.syncOperations.addHandler(RawAnswer(text: head, after: .drip))
        }
    }
}

/// Runs `body` with a new folder in /tmp, which is removed afterwards. Short, as socket paths have 107 bytes at most.
func withTemporaryFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let folder = "/tmp/weft-cli-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    let outcome: Result<Value, any Error>
    do {
        outcome = .success(try await body(folder))
    } catch {
        outcome = .failure(error)
    }
    try FileManager.default.removeItem(atPath: folder)
    return try outcome.get()
}

private final class HTTPAnswer: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answer: @Sendable (HTTPRequestHead, String) -> (HTTPResponseStatus, String)
    private var request: HTTPRequestHead?
    private var body = ""

    init(_ answer: @escaping @Sendable (HTTPRequestHead, String) -> (HTTPResponseStatus, String)) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = head
        case .body(let bytes): body += String(buffer: bytes)
        case .end:
            guard let request else { return }
            let (status, text) = answer(request, body)
            let headers: HTTPHeaders = ["content-length": "\(text.utf8.count)", "content-type": "application/json"]
            let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

private final class RawAnswer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum After { case close, stayOpen, drip }

    private let text: String
    private let after: After
    private var received = ""
    private var hasAnswered = false

    init(text: String, after: After) {
        self.text = text
        self.after = after
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += String(buffer: unwrapInboundIn(data))
        guard received.contains("\r\n\r\n"), !hasAnswered else { return }
        hasAnswered = true
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        switch after {
        case .close: context.close(promise: nil)
        case .stayOpen: break
        case .drip:
            let channel = context.channel
            context.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(5)) { task in
                guard channel.isActive else { return task.cancel() }
                channel.writeAndFlush(ByteBuffer(string: " "), promise: nil)
            }
        }
    }
}

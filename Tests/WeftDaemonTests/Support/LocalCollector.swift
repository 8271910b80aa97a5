import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A little HTTP server on loopback that keeps what is posted to it.
final class LocalCollector: Sendable {
    struct Post: Sendable {
        /// Method, path and content type.
        var line: String
        var body = ""
    }

    private let received = Mutex<[Post]>([])
    private let listener = Mutex<(any Channel)?>(nil)
    private let status: Int

    private init(status: Int) { self.status = status }

    var posts: [Post] { received.withLock { $0 } }

    var port: Int { listener.withLock { $0?.localAddress?.port ?? 0 } }

    /// Runs `body` while the server answers each post with `status`.
    static func with(
        status: Int,
        _ body: (LocalCollector, any EventLoopGroup) async throws -> Void
    ) async throws {
        try await withEventLoopGroup { group in
            let collector = LocalCollector(status: status)
            let channel = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                        try channel.pipeline.syncOperations.addHandler(Answerer(for: collector))
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            collector.listener.withLock { $0 = channel }
            try await body(collector, group)
        }
    }

    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let collector: LocalCollector
        private var post = Post(line: "")

        init(for collector: LocalCollector) { self.collector = collector }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                post = Post(line: "\(head.method) \(head.uri) \(head.headers["content-type"].joined())")
            case .body(let bytes): post.body += String(buffer: bytes)
            case .end:
                collector.received.withLock { $0.append(post) }
                let head = HTTPResponseHead(
                    version: .http1_1,
                    status: HTTPResponseStatus(statusCode: collector.status),
                    headers: ["content-type": "application/json", "content-length": "2"]
                )
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "{}")))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}

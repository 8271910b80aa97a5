package import NIOCore
internal import NIOHTTP1
internal import NIOPosix
package import WeftCore

/// Posts to a collector of telemetry, by HTTP/1.1 in clear, on a connection of its own each time: there is one every few
/// seconds. Never on the loops that carry bytes. weft's mark keeps the posts from being captured and reported in turn.
package struct CollectorClient: Sendable {
    private let group: any EventLoopGroup
    private let dialMark: UInt32?

    /// - Parameter dialMark: SO_MARK of weft's own dials; nil only in tests that have no capture.
    package init(group: any EventLoopGroup, dialMark: UInt32?) {
        self.group = group
        self.dialMark = dialMark
    }

    /// Sends a body and waits for the status of the answer. Throws what went wrong on the way, `CollectorError.timeout`
    /// included. Cancelling the task gives up.
    package func post(_ body: [UInt8], to path: String, at collector: PeerAddress, timeout: Duration) async throws
        -> Int
    {
        let eventLoop = group.next()
        let promise = eventLoop.makePromise(of: Int.self)
        let limit = TimeAmount.nanoseconds(timeout.wholeNanoseconds)
        let timer = eventLoop.scheduleTask(in: limit) { promise.fail(CollectorError.timeout) }
        promise.futureResult.whenComplete { _ in timer.cancel() }
        connect(to: collector, on: eventLoop) { CollectorPost(body, to: path, at: "\(collector)", promise) }
            .whenComplete { result in
                switch result {
                case .success(let channel): promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
                case .failure(let error): promise.fail(error)
                }
            }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }

    private func connect(
        to collector: PeerAddress,
        on eventLoop: any EventLoop,
        _ makeHandler: @escaping @Sendable () -> CollectorPost
    ) -> EventLoopFuture<any Channel> {
        var bootstrap = ClientBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(makeHandler())
                }
            }
        if let dialMark {
            bootstrap = bootstrap.channelOption(
                .socketOption(.init(rawValue: SocketOption.mark.name)),
                value: Int(dialMark)
            )
        }
        let port = Int(collector.port ?? 80)
        switch collector.host {
        case .ip(let ip): return bootstrap.connect(host: "\(ip)", port: port)
        case .name(let name): return bootstrap.connect(host: name, port: port)
        }
    }
}

/// Why a post has no answer.
package enum CollectorError: Error, Equatable {
    case timeout
    /// The connection ended before the answer.
    case ended
}

/// One request and its answer, of which the status counts.
private final class CollectorPost: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// Bytes of an answer's body that are waited for.
    private static let answerMax = 64 * 1024

    private let body: [UInt8]
    private let head: HTTPRequestHead
    private let promise: EventLoopPromise<Int>
    private var status: Int?
    private var received = 0

    init(_ body: [UInt8], to path: String, at authority: String, _ promise: EventLoopPromise<Int>) {
        self.body = body
        self.promise = promise
        head = HTTPRequestHead(
            version: .http1_1,
            method: .POST,
            uri: path,
            headers: [
                "host": authority, "content-type": "application/json", "content-length": "\(body.count)",
                "user-agent": "weft/\(weftVersion)", "connection": "close",
            ]
        )
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body(let bytes):
            received += bytes.readableBytes
            if received > Self.answerMax { finish(or: CollectorError.ended) }
        case .end: finish(or: CollectorError.ended)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { finish(or: CollectorError.ended) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { finish(or: error) }

    /// Tells the status, if there is one. Only the first word counts.
    private func finish(or error: any Error) {
        if let status { promise.succeed(status) } else { promise.fail(error) }
    }
}

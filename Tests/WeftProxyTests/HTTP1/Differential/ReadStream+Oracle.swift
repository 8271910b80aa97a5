import NIOCore
import NIOEmbedded
import NIOHTTP1

extension ReadStream {
    /// What NIOHTTP1, which is llhttp, makes of a request stream.
    static func oracle(_ bytes: [UInt8]) throws -> (stream: ReadStream, failure: HTTPParserError?) {
        let (channel, sink) = (EmbeddedChannel(), RequestSink())
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
        try channel.pipeline.syncOperations.addHandlers(decoder, sink)
        return (try read(bytes, channel) { sink.stream }, sink.failure)
    }

    /// The same of the responses to requests with these methods.
    static func oracle(_ bytes: [UInt8], answering methods: [HTTPMethod]) throws -> (
        stream: ReadStream, failure: HTTPParserError?
    ) {
        let (channel, sink) = (EmbeddedChannel(), ResponseSink())
        let decoder = ByteToMessageHandler(
            HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward)
        )
        try channel.pipeline.syncOperations.addHandlers(decoder, sink)
        for method in methods {
            let head = HTTPRequestHead(version: .http1_1, method: method, uri: "/")
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
        }
        return (try read(bytes, channel) { sink.stream }, sink.failure)
    }

    private static func read(_ bytes: [UInt8], _ channel: EmbeddedChannel, _ result: () -> ReadStream) throws
        -> ReadStream
    {
        channel.pipeline.fireChannelRead(ByteBuffer(bytes: bytes))
        // The sinks take errors, so that nothing is thrown.
        _ = try channel.finish(acceptAlreadyClosed: true)
        return result()
    }
}

private final class RequestSink: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    var stream = ReadStream()
    var failure: HTTPParserError?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): stream.messages.append(ReadStream.Message(start: "\(head.method.rawValue) \(head.uri)"))
        case .body(let bytes): stream.messages[stream.messages.count - 1].body += bytes.readableBytesView
        case .end: stream.messages[stream.messages.count - 1].isComplete = true
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure = failure ?? error as? HTTPParserError
    }
}

private final class ResponseSink: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    var stream = ReadStream()
    var failure: HTTPParserError?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            let isInterim = 100...199 ~= head.status.code && head.status.code != 101
            stream.messages.append(ReadStream.Message(start: "\(head.status.code)", isComplete: isInterim))
        case .body(let bytes): stream.messages[stream.messages.count - 1].body += bytes.readableBytesView
        case .end: stream.messages[stream.messages.count - 1].isComplete = true
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure = failure ?? error as? HTTPParserError
    }
}

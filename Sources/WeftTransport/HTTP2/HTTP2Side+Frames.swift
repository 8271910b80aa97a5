internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import WeftCore
internal import WeftProxy

/// What arrives from the peer, frame by frame. The library has checked each against the state of its stream.
extension HTTP2Side {
    fileprivate func received(_ frame: HTTP2Frame) {
        guard owner != nil else { return }
        switch frame.payload {
        case .headers(let headers): received(headers, on: frame.streamID)
        case .data(let data): received(data, on: frame.streamID)
        case .rstStream(let code): received(code, on: frame.streamID)
        case .goAway(let last, _, _): receivedFarewell(last)
        case .settings(.settings(let settings)): received(settings)
        case .ping(_, let isAnswer): if isAnswer { owner?.ponged(self) }
        case .windowUpdate: if !flood.updateReceived() { violated() }
        case .settings(.ack), .priority, .pushPromise, .alternativeService, .origin: break
        }
    }

    private func received(_ frame: HTTP2Frame.FramePayload.Headers, on id: HTTP2StreamID) {
        if let exchange = streams[id] {
            exchange.received(frame.headers, isEnd: frame.endStream, from: self)
        } else if mode == .server, id > lastPeerStream {
            lastPeerStream = id
            // A client that has not seen our SETTINGS yet cannot know the limit: it is told so, and nothing is broken.
            guard !isFarewellFinal, streams.count < HTTP2Limits.streamsAccepted else {
                return write(id, .rstStream(.refusedStream))
            }
            flood.streamOpened()
            owner?.requested(id, frame.headers, isEnd: frame.endStream)
        }
    }

    private func received(_ frame: HTTP2Frame.FramePayload.Data, on id: HTTP2StreamID) {
        guard let exchange = streams[id], case .byteBuffer(let bytes) = frame.data else { return }
        windows.received(bytes.readableBytes)
        let padding = frame.paddingBytes.map { $0 + 1 } ?? 0
        exchange.received(bytes, padding: padding, isEnd: frame.endStream, from: self)
    }

    private func received(_ code: HTTP2ErrorCode, on id: HTTP2StreamID) {
        guard let exchange = streams.removeValue(forKey: id) else { return }
        let isEarly = mode == .server && !exchange.isAnswered
        exchange.reset(code, by: self)
        if isEarly, !flood.earlyReset(now: .now(on: eventLoop)) { return violated() }
        streamEnded()
    }

    private func received(_ settings: HTTP2Settings) {
        let limit = settings.last { $0.parameter == .maxConcurrentStreams }?.value
        if limit != nil || !isSettled { peerStreamsMax = limit ?? HTTP2Limits.streamsUnlimited }
        isSettled = true
        if mode == .client { owner?.hasRoom(self) }
    }

    /// The peer takes no more streams; those that it has not looked at may be tried elsewhere.
    private func receivedFarewell(_ last: HTTP2StreamID) {
        // A client's farewell is about streams of ours, which do not exist.
        guard mode == .client else { return }
        retire()
        for id in streams.keys.sorted() where id > last { streams.removeValue(forKey: id)?.notServed() }
        streamEnded()
    }

    fileprivate func closed(_ id: HTTP2StreamID, _ reason: HTTP2ErrorCode?) {
        guard let exchange = streams.removeValue(forKey: id) else { return }
        exchange.closed(by: self, reason)
        streamEnded()
    }

    func streamEnded() {
        if mode == .client, !isRetired { owner?.hasRoom(self) }
        if isRetired || isFarewellFinal { touch() }
    }

    private func violated() {
        sayFarewell(lastPeerStream, .enhanceYourCalm)
        owner?.ended(self, .violation)
    }

    /// An error about one stream has been answered with RST_STREAM by the library; one about the connection with GOAWAY.
    fileprivate func failed() {
        if isBroken { owner?.ended(self, .violation) }
    }
}

extension HTTP2Side {
    /// A frame has gone into the leg's buffer, in order: what was waiting for windows is on its way.
    fileprivate func wrote(_ frame: HTTP2Frame) {
        switch frame.payload {
        case .data(let data):
            flood.dataSent()
            streams[frame.streamID]?.wrote(data.data.readableBytes, isEnd: data.endStream, to: self)
        case .headers(let headers):
            if headers.endStream { streams[frame.streamID]?.wrote(0, isEnd: true, to: self) }
        case .windowUpdate(let increment):
            if frame.streamID == .rootStream { windows.updateLeft(increment) }
        case .goAway: if !isOwnFarewell { isBroken = true }
        default: break
        }
    }
}

/// The last handler of a codec's pipeline.
final class HTTP2FrameTaker: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let side: HTTP2Side

    init(_ side: HTTP2Side) { self.side = side }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { side.received(unwrapInboundIn(data)) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as StreamClosedEvent: side.closed(event.streamID, event.reason)
        case let event as NIOHTTP2WindowUpdatedEvent: side.windowChanged(event)
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { side.failed() }
}

/// Hears of frames as they leave.
final class HTTP2FrameWatcher: NIOHTTP2FrameDelegate {
    private let side: HTTP2Side

    init(_ side: HTTP2Side) { self.side = side }

    func wroteFrame(_ frame: HTTP2Frame) { side.wrote(frame) }
}

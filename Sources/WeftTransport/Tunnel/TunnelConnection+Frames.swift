internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import WeftCore
internal import WeftProxy

/// What arrives from the peer, frame by frame. The HTTP/2 library has checked each against the state of its stream.
extension TunnelConnection {
    func received(_ frame: HTTP2Frame) {
        guard phase != .closed else { return }
        switch frame.payload {
        case .headers(let headers): receivedHeaders(frame.streamID, headers)
        case .data(let data): receivedData(frame.streamID, data)
        case .rstStream(let code): receivedReset(frame.streamID, code)
        case .goAway(let last, let code, _): receivedFarewell(last, code)
        case .settings(.settings(let settings)): receivedSettings(settings)
        case .ping(let data, let isAnswer): if isAnswer { receivedPong(data) }
        case .windowUpdate: receivedUpdate()
        case .settings(.ack), .priority, .pushPromise, .alternativeService, .origin: break
        }
    }

    private func receivedSettings(_ settings: HTTP2Settings) {
        for setting in settings where setting.parameter == .maxConcurrentStreams { peerStreamsMax = setting.value }
        switch phase {
        case .settling:
            phase = .ready
            owner?.tunnelReady(self)
        case .ready: if hasRoom { owner?.tunnelHasRoom(self) }
        case .securing, .closed: break
        }
    }

    private func receivedHeaders(_ id: HTTP2StreamID, _ frame: HTTP2Frame.FramePayload.Headers) {
        if let stream = streams[id] {
            stream.answered(frame.headers, isEnd: frame.endStream)
        } else if role == .client, id > lastPeerStream {
            lastPeerStream = id
            requested(id, frame)
        }
    }

    /// The role is the peer's: it is a client that opens this stream.
    private func requested(_ id: HTTP2StreamID, _ frame: HTTP2Frame.FramePayload.Headers) {
        // A client that has not seen our SETTINGS yet cannot know the limit: it is told so, and nothing is broken.
        guard phase == .ready, !isRetired, streams.count < limits.streamsAccepted else {
            write(id, .rstStream(.refusedStream))
            flush()
            return
        }
        let stream = TunnelStream(id: id, side: .client, on: self, opening: .asked)
        streams[id] = stream
        flood.streamOpened()
        if frame.endStream { stream.received(ByteBuffer(), overhead: 0, isEnd: true) }
        owner?.tunnelRequested(stream, frame.headers)
    }

    private func receivedData(_ id: HTTP2StreamID, _ frame: HTTP2Frame.FramePayload.Data) {
        guard let stream = streams[id], case .byteBuffer(let bytes) = frame.data else { return }
        let overhead = frame.paddingBytes.map { $0 + 1 } ?? 0
        stream.received(bytes, overhead: overhead, isEnd: frame.endStream)
    }

    private func receivedReset(_ id: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        if stream.isUnanswered, role == .client, !flood.earlyReset(now: now) {
            stream.resetByPeer(code)
            return close(.violation("rapid-reset"), code: .enhanceYourCalm)
        }
        stream.resetByPeer(code)
        streamEnded()
    }

    private func receivedUpdate() {
        if !flood.updateReceived() { close(.violation("window-update-flood"), code: .enhanceYourCalm) }
    }

    /// The library's word that a stream is closed on the wire, whoever did it.
    func closed(_ id: HTTP2StreamID, _ reason: HTTP2ErrorCode?) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        stream.closedOnWire(reason)
        streamEnded()
    }

    func streamEnded() {
        guard phase == .ready else { return }
        if streams.isEmpty { idleSince = now }
        if isRetired {
            closeIfDone()
        } else {
            owner?.tunnelHasRoom(self)
        }
    }
}

extension TunnelConnection: NIOHTTP2FrameDelegate {
    /// A frame has gone into the connection, in order: what was waiting for windows or for the socket is on its way.
    func wroteFrame(_ frame: HTTP2Frame) {
        switch frame.payload {
        case .data(let data):
            flood.dataSent()
            keepalive?.wrote(now: now)
            streams[frame.streamID]?.wrote(data.data.readableBytes, isEnd: data.endStream)
        case .ping(_, ack: false): keepalive?.pingLeft(now: now)
        case .windowUpdate(let increment):
            if frame.streamID == .rootStream { windows.updateLeft(increment) }
        case .goAway(_, let code, _): if !isOwnFarewell { libraryFarewell = code }
        default: break
        }
    }
}

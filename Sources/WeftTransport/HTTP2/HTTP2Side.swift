internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import WeftCore
internal import WeftProxy

/// Whom a side tells about its connection: the session that it is part of.
protocol HTTP2SideOwner: AnyObject {
    /// The client has opened a stream.
    func requested(_ id: HTTP2StreamID, _ fields: HPACKHeaders, isEnd: Bool)
    /// Whether the client takes bytes now.
    var takesResponses: Bool { get }
    /// Frames were written, and leave with the session's next turn.
    func touched(_ side: HTTP2Side)
    /// The leg takes bytes again.
    func becameWritable(_ side: HTTP2Side)
    /// One more stream may be opened there, or it is known how many may.
    func hasRoom(_ side: HTTP2Side)
    /// No more streams are taken there; those that are open go on.
    func retired(_ side: HTTP2Side)
    /// The answer to a PING of ours.
    func ponged(_ side: HTTP2Side)
    /// Nothing comes from there any more. May be called in the middle of anything, also several times.
    func ended(_ side: HTTP2Side, _ cause: HTTP2Side.Cause)
}

/// One HTTP/2 connection of a session: its leg, its streams, and what may be sent on them.
///
/// Frames, header compression, stream states and the order of outgoing DATA are the library's (`FrameCodec`); windows,
/// resets and farewells are ours, as in a tunnel, and for the same reasons (`TunnelConnection`). Each stream belongs to
/// an exchange, which connects it to one of another side.
///
/// Extensions: `+Frames` (what arrives), `+Windows` (flow control).
final class HTTP2Side: LegOwner {
    enum Cause {
        case end
        case failure
        /// The peer broke the rules, and has been told.
        case violation
    }

    /// What weft is.
    let mode: NIOHTTP2Handler.ParserMode
    let leg: any RelayLeg
    let eventLoop: any EventLoop
    let limits: HTTP2Limits
    /// Nil when the side is over, which breaks the cycle.
    var owner: (any HTTP2SideOwner)?
    /// Whose connection it is; nil for the client's.
    var endpoint: HTTP2Endpoint?
    /// How bytes go to the endpoint.
    var security: Security?
    private var codec: FrameCodec?

    var streams: [HTTP2StreamID: HTTP2Exchange] = [:]
    private var nextStream = 1
    var lastPeerStream = HTTP2StreamID.rootStream
    /// MAX_CONCURRENT_STREAMS of the peer.
    var peerStreamsMax: Int
    /// The peer's first SETTINGS have come.
    var isSettled = false
    /// No more streams are opened.
    var isRetired = false
    /// Whether it has served a stream.
    private(set) var isUsed = false
    /// GOAWAY with the true last number has gone out.
    private(set) var isFarewellFinal = false
    /// Whether the GOAWAY that is being written is ours.
    private(set) var isOwnFarewell = false
    /// The library has sent GOAWAY by itself: the error that it reports next is the end.
    var isBroken = false
    var windows: TunnelWindows
    var flood: TunnelFlood
    /// Waits for the session's next turn.
    var isTouched = false
    private var isReadHeld = false
    /// Bytes of the connection.
    private(set) var received: UInt64 = 0
    private(set) var sent: UInt64 = 0

    init(
        _ mode: NIOHTTP2Handler.ParserMode,
        over leg: any RelayLeg,
        eventLoop: any EventLoop,
        owner: any HTTP2SideOwner,
        streamsMax: Int = HTTP2Limits.streamsUnknown,
        floods: HTTP2FloodLimits = HTTP2FloodLimits()
    ) {
        self.mode = mode
        self.leg = leg
        self.eventLoop = eventLoop
        self.owner = owner
        peerStreamsMax = streamsMax
        flood = TunnelFlood(earlyResets: floods.earlyResetsMax)
        limits = HTTP2Limits(for: leg, floods: floods)
        windows = TunnelWindows(target: limits.connectionWindow, unreadFree: limits.unreadMax)
    }

    /// Says the preface, and goes on with what has come already.
    func begin(with early: ByteBuffer) {
        leg.owner = self
        let codec = FrameCodec(
            mode: mode,
            limits: limits,
            frames: HTTP2FrameTaker(self),
            written: HTTP2FrameWatcher(self)
        )
        self.codec = codec
        if !leg.isWritable { codec.setWritable(false) }
        updateWindow()
        touch()
        if early.readableBytes > 0 { received(early, from: leg) }
        readCompleted(from: leg)
    }

    // MARK: What the leg reports

    func received(_ bytes: ByteBuffer, from leg: any RelayLeg) {
        received += UInt64(bytes.readableBytes)
        codec?.receive(bytes)
    }

    func readCompleted(from leg: any RelayLeg) {
        codec?.readCompleted()
        touch()
        readMore()
    }

    func becameWritable(_ leg: any RelayLeg) {
        codec?.setWritable(true)
        touch()
        owner?.becameWritable(self)
    }

    func inputEnded(_ leg: any RelayLeg) {
        guard !leg.isInputEnded else { return }
        leg.isInputEnded = true
        owner?.ended(self, .end)
    }

    func outputEnded(_ leg: any RelayLeg) {}

    func failed(_ leg: any RelayLeg, _ ending: Ending) { owner?.ended(self, .failure) }

    // MARK: Reading

    /// What servers send waits in the kernel while the client takes nothing: responses have fields, too, which no window
    /// counts. The client is always read, as its window updates are what everybody waits for.
    private func readMore() {
        guard let owner, !leg.isInputEnded else { return }
        isReadHeld = mode == .client && !owner.takesResponses
        if !isReadHeld { leg.read() }
    }

    /// The client takes bytes again.
    func readOn() {
        if isReadHeld { readMore() }
    }

    // MARK: Writing

    /// Whether one more stream may be opened now.
    var hasRoom: Bool { owner != nil && !isRetired && streams.count < peerStreamsMax }

    /// Opens a stream with a request's head. Only with `hasRoom`.
    func open(_ exchange: HTTP2Exchange, _ fields: HPACKHeaders, isEnd: Bool) -> HTTP2StreamID {
        let id = HTTP2StreamID(nextStream)
        nextStream += 2
        isUsed = true
        streams[id] = exchange
        flood.streamOpened()
        write(id, .headers(.init(headers: fields, endStream: isEnd)))
        // Numbers are used up once.
        if nextStream > Int(HTTP2StreamID.maxID) - 2 { retire() }
        return id
    }

    func write(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload) {
        codec?.write(HTTP2Frame(streamID: id, payload: payload))
        touch()
    }

    func touch() {
        guard !isTouched, let owner else { return }
        isTouched = true
        owner.touched(self)
    }

    /// The session's turn: everything that may leave goes to the leg as one piece.
    func flush() {
        isTouched = false
        guard let codec else { return }
        var hasWritten = false
        codec.flush { bytes in
            self.sent += UInt64(bytes.readableBytes)
            self.leg.write(bytes)
            hasWritten = true
            if !self.leg.isWritable { codec.setWritable(false) }
        }
        if hasWritten { leg.flush() }
    }

    // MARK: Ends

    func retire() {
        guard !isRetired else { return }
        isRetired = true
        owner?.retired(self)
    }

    /// Says that streams up to `last` are, or will be, served and no others.
    func sayFarewell(_ last: HTTP2StreamID, _ code: HTTP2ErrorCode = .noError) {
        guard !isFarewellFinal, !isBroken else { return }
        isFarewellFinal = last != .maxID
        isOwnFarewell = true
        write(.rootStream, .goAway(lastStreamID: last, errorCode: code, opaqueData: nil))
        isOwnFarewell = false
    }

    /// Ends the connection in order; what it has of streams is the owner's matter.
    func close() {
        guard owner != nil else { return }
        sayFarewell(lastPeerStream)
        end()
        LegCloser.close(leg, on: eventLoop)
    }

    /// Ends it with RST.
    func abort(_ ending: Ending) {
        guard owner != nil else { return }
        sayFarewell(lastPeerStream)
        end()
        leg.owner = nil
        leg.abort(ending)
    }

    private func end() {
        flush()
        (owner, endpoint) = (nil, nil)
        streams = [:]
        let codec = self.codec
        self.codec = nil
        // It may be in the middle of a frame.
        eventLoop.assumeIsolated().execute { codec?.close() }
    }
}

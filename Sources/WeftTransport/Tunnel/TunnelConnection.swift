internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import NIOSSL
internal import NIOTLS
internal import WeftCore

/// Whom a tunnel tells about its life: the pool or the server that it belongs to. On the tunnel's loop.
protocol TunnelConnectionOwner: AnyObject {
    /// The peer's SETTINGS are here: TLS is over on both sides.
    func tunnelReady(_ tunnel: TunnelConnection)
    /// A stream was opened by the peer, which holds until it is answered.
    func tunnelRequested(_ stream: TunnelStream, _ headers: HPACKHeaders)
    /// A stream has ended.
    func tunnelHasRoom(_ tunnel: TunnelConnection)
    /// No new streams from now on; those that are open go on.
    func tunnelRetired(_ tunnel: TunnelConnection)
    /// Comes once, and last.
    func tunnelClosed(_ tunnel: TunnelConnection, _ failure: TunnelFailure)
}

/// One HTTP/2 connection between two nodes, and the table of its streams.
///
/// A node is either end of it: `role` says what the peer is. The last handler of the pipeline TLS ► FlushGate ► HTTP/2 ► TunnelConnection. swift-nio-http2's own multiplexer is not
/// used: it makes a channel with a pipeline of each stream, resets only with CANCEL, and gives the connection's window
/// back before anybody has read. Here a stream is a `TunnelStream`, and windows, resets and farewells are ours; frames,
/// header compression, stream states and the order of outgoing DATA are the library's.
///
/// Extensions: `+Frames` (what arrives), `+Windows` (flow control), `+Ends` (GOAWAY, PING, failures).
final class TunnelConnection: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    enum Phase {
        /// TCP or TLS is not done.
        case securing
        /// TLS is done here; the peer may still refuse our certificate.
        case settling
        case ready
        case closed
    }

    /// What the peer is.
    let role: TunnelRole
    let limits: TunnelLimits
    let eventLoop: any EventLoop
    /// Cleared at the end, which breaks the cycle.
    var owner: (any TunnelConnectionOwner)?
    /// Where the other end is; known when the channel is active.
    var remote: NetworkAddress?
    /// The address of this end: for a server, what the client dialled.
    var local: NetworkAddress?
    /// Who the peer is: set before `ready`.
    var peer: TunnelPeer?
    /// What was wrong with the peer's certificate, which explains the failure of TLS that follows.
    var verdict: TunnelFailure?
    var phase = Phase.securing
    var context: ChannelHandlerContext?

    var streams: [HTTP2StreamID: TunnelStream] = [:]
    /// The number of the next stream that we open.
    var nextStream = 1
    /// The highest number of a stream that the peer opened.
    var lastPeerStream = HTTP2StreamID.rootStream
    /// MAX_CONCURRENT_STREAMS of the peer.
    var peerStreamsMax = Int.max
    /// GOAWAY was sent or received.
    var isRetired = false
    var farewell = Farewell.none
    /// The code of the peer's GOAWAY.
    var peerFarewell: HTTP2ErrorCode?
    var windows: TunnelWindows
    var keepalive: TunnelKeepalive?
    var flood = TunnelFlood()
    /// Since when the connection has no streams.
    var idleSince: Instant
    /// The HTTP/2 library has sent GOAWAY by itself: the error that it reports next is the end.
    var libraryFarewell: HTTP2ErrorCode?
    /// Whether the GOAWAY that is being written is ours.
    var isOwnFarewell = false

    /// Streams that were given bytes in this read, and those that have something to report after this turn's writes.
    var touched: [TunnelStream] = []
    private var woken: [TunnelStream] = []

    init(role: TunnelRole, limits: TunnelLimits, eventLoop: any EventLoop, owner: any TunnelConnectionOwner) {
        self.role = role
        self.limits = limits
        self.eventLoop = eventLoop
        self.owner = owner
        self.windows = TunnelWindows(target: limits.connectionWindow, unreadFree: limits.unreadMax)
        self.idleSince = .now(on: eventLoop)
    }

    var now: Instant { .now(on: eventLoop) }

    /// How many streams this end may have open.
    var streamsMax: Int { min(limits.streamsPerConnection, peerStreamsMax) }

    /// Whether one more stream may be opened now.
    var hasRoom: Bool { phase == .ready && !isRetired && streams.count < streamsMax }

    // MARK: What the channel reports

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) { begin(context) }

    private func begin(_ context: ChannelHandlerContext) {
        guard keepalive == nil else { return }
        keepalive = TunnelKeepalive(interval: limits.pingInterval, timeout: limits.pingTimeout, now: now)
        remote = context.remoteAddress.flatMap(NetworkAddress.init)
        local = context.localAddress.flatMap(NetworkAddress.init)
        widen()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted(let negotiated): secured(negotiated)
        case let event as StreamClosedEvent: closed(event.streamID, event.reason)
        case let event as NIOHTTP2WindowUpdatedEvent: windowChanged(event)
        default: break
        }
    }

    /// Servers insist on `h2`; a server that selects nothing is met in the wild (hbone.md section 2).
    private func secured(_ negotiated: String?) {
        guard phase == .securing else { return }
        guard negotiated == "h2" || (negotiated == nil && role == .server) else {
            return close(.handshake(reason: "no-application-protocol"))
        }
        guard peer != nil else { return close(.handshake(reason: "no-certificate")) }
        phase = .settling
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { received(unwrapInboundIn(data)) }

    func channelReadComplete(context: ChannelHandlerContext) {
        keepalive?.heard(now: now)
        while let stream = touched.popLast() { stream.readCompleted() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { failed(error) }

    func channelInactive(context: ChannelHandlerContext) { close(lossOfPhase) }

    // MARK: What streams ask for

    /// Opens a stream with a request's headers. Only with `hasRoom`.
    func open(_ headers: HPACKHeaders, _ make: (HTTP2StreamID) -> TunnelStream) {
        precondition(hasRoom, "a stream was opened on a tunnel without room")
        let id = HTTP2StreamID(nextStream)
        nextStream += 2
        streams[id] = make(id)
        flood.streamOpened()
        write(id, .headers(.init(headers: headers)))
        flush()
        // Numbers are used up once.
        if nextStream > Int(HTTP2StreamID.maxID) - 2 { retire() }
    }

    func write(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload) {
        context?.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: payload)), promise: nil)
    }

    func flush() { context?.flush() }

    /// Lets the stream report what changed after this turn's writes, not in the middle of them.
    func wake(_ stream: TunnelStream) {
        woken.append(stream)
        guard woken.count == 1 else { return }
        eventLoop.assumeIsolated().execute {
            let woken = self.woken
            self.woken = []
            for stream in woken { stream.wake() }
        }
    }

    // MARK: The peer's certificate

    /// Takes the verdict on what the peer presented; false means that the handshake has to fail.
    func verified(_ result: Result<TunnelPeer, TunnelRefusal>, expecting expected: SpiffeID?) -> Bool {
        switch result {
        case .failure(let refusal):
            verdict = .peerRefused(refusal)
        case .success(let peer):
            guard let expected, expected != peer.identity else {
                self.peer = peer
                return true
            }
            verdict = .identityMismatch(expected: expected, presented: peer.identity)
        }
        return false
    }
}

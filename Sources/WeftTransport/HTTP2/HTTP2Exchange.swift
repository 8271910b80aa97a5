internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import WeftCore
internal import WeftProxy

/// One request on its way: a client's stream, and the stream of an upstream that it is carried by.
///
/// ```
/// choosing ─► waiting ─► carried ─► answered ─► over
///    ▲  (a place, a dial,   │
///    │   a free stream)     │
///    └────── retry ◄────────┘
/// ```
///
/// Whatever ends, each stream is either ended by both sides or reset: a part of a message never passes for the whole.
/// Everything runs on the connection's loop. Frames may come in the middle of a write of the session's own, so what
/// has to follow a frame that is leaving is left to `settle`.
///
/// Extensions: `+Upstream` (endpoints, tries), `+Response` (what comes back), `+Answer` (weft's own word), `+Trace`.
final class HTTP2Exchange: GateWaiter {
    /// A stream of a side.
    struct Stream {
        let side: HTTP2Side
        let id: HTTP2StreamID
    }

    let session: HTTP2Session
    let id: HTTP2StreamID
    /// The request's fields, as they are sent.
    var fields: HPACKHeaders
    let kind: RequestSeries.Kind
    var request: HTTPRequest
    /// The endpoint at which the request waits for a stream.
    var awaited: HTTP2Endpoint?
    var upstream: Stream?
    var requests: HTTP2Flow
    var responses = HTTP2Flow(isOpen: true)
    var interims = 0
    /// The head of the final response has been written, the application's or weft's.
    private(set) var isAnswered = false
    /// The wait for a retry, or the limit of a try.
    var timer: Scheduled<Void>?
    /// How the client's stream is reset when everything written has left.
    private var farewell: HTTP2ErrorCode?
    private var isResponseEndLeft = false
    private var isRecorded = false
    /// Both ends of the client's stream are through.
    private(set) var isClientDone = false
    private(set) var isOver = false

    init(_ id: HTTP2StreamID, _ head: HTTP2Head, in session: HTTP2Session, _ request: HTTPRequest) {
        self.session = session
        self.id = id
        self.kind = head.kind
        self.fields = head.fields
        self.request = request
        self.requests = HTTP2Flow(isOpen: false)
    }

    var client: HTTP2Side { session.client }

    var connection: Connection? { session.connection }

    var loop: DataLoop { session.loop }

    // MARK: What the sides report

    func received(_ fields: HPACKHeaders, isEnd: Bool, from side: HTTP2Side) {
        guard !isOver else { return }
        if side !== client { return receivedResponse(fields, isEnd: isEnd) }
        // On a stream that exists, they are trailers.
        requests.receive(trailers: fields)
        goOn()
    }

    func received(_ bytes: ByteBuffer, padding: Int, isEnd: Bool, from side: HTTP2Side) {
        guard !isOver else { return side.consumed(bytes.readableBytes) }
        if side === client {
            requests.waste(padding)
            if let piece = requests.receive(bytes, isEnd: isEnd) { send(piece) }
            if requests.isDropped { giveBackRequests(requests.drop()) }
        } else {
            responses.waste(padding)
            request.bytesIn += UInt64(bytes.readableBytes)
            if let piece = responses.receive(bytes, isEnd: isEnd) { respond(piece) }
        }
    }

    /// Bytes of a stream have left by this side.
    func wrote(_ count: Int, isEnd: Bool, to side: HTTP2Side) {
        if side === client {
            giveBackResponses(responses.leave(count))
        } else {
            giveBackRequests(requests.leave(count))
        }
        if isEnd, side === client { isResponseEndLeft = true }
        if requests.isHolding || responses.isHolding || farewell != nil { session.settleLater(self) }
    }

    /// After this turn's writes: what small pieces have gathered, and what follows the end.
    func settle() {
        guard !isOver else { return }
        goOn()
        guard let farewell, farewell == .noError ? isResponseEndLeft : !responses.isWaiting else { return }
        reset(farewell)
    }

    // MARK: Writing

    /// Writes what may leave now.
    func goOn() {
        while let piece = requests.next() { send(piece) }
        while let piece = responses.next() { respond(piece) }
    }

    func send(_ piece: HTTP2Flow.Piece) {
        guard let upstream else { return }
        switch piece {
        case .data(let bytes, let isEnd):
            request.sent(bytes)
            upstream.side.write(upstream.id, .data(.init(data: .byteBuffer(bytes), endStream: isEnd)))
        case .trailers(let fields):
            upstream.side.write(upstream.id, .headers(.init(headers: fields, endStream: true)))
        }
    }

    func respond(_ piece: HTTP2Flow.Piece) {
        switch piece {
        case .data(let bytes, let isEnd):
            client.write(id, .data(.init(data: .byteBuffer(bytes), endStream: isEnd)))
        case .trailers(let fields):
            client.write(id, .headers(.init(headers: fields, endStream: true)))
        }
    }

    private func giveBackRequests(_ count: Int) {
        client.consumed(count)
        if let credit = requests.takeCredit(from: client.limits.streamWindow / 2) { client.widen(id, by: credit) }
    }

    private func giveBackResponses(_ count: Int) {
        guard let side = upstream?.side, let id = upstream?.id else { return }
        side.consumed(count)
        if let credit = responses.takeCredit(from: side.limits.streamWindow / 2) { side.widen(id, by: credit) }
    }

    /// The head of the final response goes to the client; from here on nothing is tried again.
    func answered(_ status: UInt16, now: Instant) {
        isAnswered = true
        timer?.cancel()
        timer = nil
        request.answered(status, now: now)
        fields = HPACKHeaders()
    }

    // MARK: Ends

    /// RST_STREAM came.
    func reset(_ code: HTTP2ErrorCode, by side: HTTP2Side) {
        guard !isOver else { return }
        if side === client {
            end(.clientLeft, upstream: code)
        } else {
            upstreamReset(code)
        }
    }

    /// A stream is closed on the wire: both sides have ended it, or the library found an error in it.
    func closed(by side: HTTP2Side, _ reason: HTTP2ErrorCode?) {
        guard !isOver else { return }
        if side !== client {
            if let reason { return upstreamReset(reason) }
            // Its bytes may still be on their way to the client.
            if isClientDone { end(.completed, upstream: .cancel) }
        } else if reason == nil {
            isClientDone = true
            // The rest of the request may still be on its way to the application, which answered early.
            guard isCarried else { return end(.completed, upstream: .cancel) }
            record(.completed)
        } else {
            request.flag = .clientProtocolError
            end(.clientLeft, upstream: .cancel)
        }
    }

    /// Whether the upstream's stream is open on the wire.
    private var isCarried: Bool { upstream.map { $0.side.streams[$0.id] != nil } ?? false }

    /// Resets the client's stream behind everything written; with `noError` behind the end of the response.
    func resetWhenWritten(_ code: HTTP2ErrorCode) {
        farewell = code
        session.settleLater(self)
    }

    private func reset(_ code: HTTP2ErrorCode) {
        if client.streams.removeValue(forKey: id) != nil { client.write(id, .rstStream(code)) }
        end(code == .noError ? .completed : .responseTruncated, upstream: .cancel)
        client.streamEnded()
    }

    /// The last that happens; `upstream` is told `code` if it is still there.
    func end(_ ending: ExchangeEnding, upstream code: HTTP2ErrorCode) {
        guard !isOver else { return }
        record(ending)
        isOver = true
        timer?.cancel()
        timer = nil
        awaited = nil
        client.consumed(requests.drop())
        dropUpstream(code)
        client.streams.removeValue(forKey: id)
    }

    /// Lets go of the upstream's stream.
    func dropUpstream(_ code: HTTP2ErrorCode) {
        guard let upstream else { return }
        self.upstream = nil
        requests.interrupt()
        upstream.side.consumed(responses.drop())
        guard upstream.side.streams.removeValue(forKey: upstream.id) != nil else { return }
        upstream.side.write(upstream.id, .rstStream(code))
        upstream.side.streamEnded()
    }

    /// Counts the request, once.
    func record(_ ending: ExchangeEnding) {
        guard !isRecorded else { return }
        isRecorded = true
        leave()
        guard let connection else { return }
        connection.ended(request, ending)
        settle(ending, now: connection.now)
    }
}

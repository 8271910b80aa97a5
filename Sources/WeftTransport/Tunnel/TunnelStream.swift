internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import WeftCore
internal import WeftProxy

/// One CONNECT in a tunnel, as one end of a relay.
///
/// Towards the network it keeps to hbone.md section 6: END_STREAM is FIN, a reset is RST, both behind all bytes that
/// were written before. Towards the relay it is what a TCP socket is: bytes come when asked for, and what nobody asks for
/// stays here, up to the stream's window, which is opened again as the bytes are taken.
final class TunnelStream: RelayLeg {
    enum Opening {
        /// We asked, and wait for the answer.
        case requested(TunnelAttempt)
        /// The peer asked, and waits for ours.
        case asked
        case open
    }

    let id: HTTP2StreamID
    let side: RelayMachine.Leg
    let tunnel: TunnelConnection
    var owner: (any LegOwner)?
    var isInputEnded = false
    private(set) var earlyCount = 0
    /// Why the stream broke, if it did.
    private(set) var failure: TunnelFailure?

    private var opening: Opening
    private let asked: Instant
    /// Nothing is reported any more, and what arrives is thrown away.
    private var isOver = false

    // What came from the peer.
    private var queue = CircularBuffer<ByteBuffer>()
    private var wantsRead = false
    private var isDelivering = false
    private var isEndReceived = false
    /// Bytes taken since the window was last opened.
    private var credit = 0

    // What goes to the peer.
    private var isWireClosed = false
    /// The peer ended its side and then the whole stream, in order: what is written now goes nowhere.
    private var isUnwanted = false
    /// Bytes that the HTTP/2 library has and the connection has not.
    private var pending = 0
    private var isFull = false
    private var isEndWritten = false
    private var report = Report()
    private var resetCode: HTTP2ErrorCode?

    /// What is to be told after this turn's writes.
    private struct Report {
        var isDue = false
        var hasDrained = false
        var hasEnded = false
        var hasFailed = false
    }

    init(id: HTTP2StreamID, side: RelayMachine.Leg, on tunnel: TunnelConnection, opening: Opening) {
        self.id = id
        self.side = side
        self.tunnel = tunnel
        self.opening = opening
        self.asked = tunnel.now
    }

    /// Whoever is on the other side of the tunnel. Not nil while the tunnel is ready.
    var peer: TunnelPeer? { tunnel.peer }

    var isUnanswered: Bool {
        if case .open = opening { false } else { true }
    }

    // MARK: Bytes from the peer

    /// `overhead` counts against the window without being payload.
    func received(_ bytes: ByteBuffer, overhead: Int, isEnd: Bool) {
        let count = bytes.readableBytes
        if isEnd { isEndReceived = true }
        tunnel.streamReceived(count + overhead)
        if overhead > 0 || isOver { consumed(overhead + (isOver ? count : 0)) }
        guard !isOver else { return }
        if count > 0 {
            if wantsRead, queue.isEmpty, !isDelivering {
                if tunnel.touched.last !== self { tunnel.touched.append(self) }
                deliver(bytes)
            } else {
                enqueue(bytes)
            }
        }
        if isEnd { reportEnd() }
    }

    /// Small pieces are copied together: a slice keeps the whole buffer alive that it came in, and a peer that sends
    /// single bytes would make us hold 64 KiB for each.
    private func enqueue(_ bytes: ByteBuffer) {
        if bytes.readableBytes < 4096, let held = queue.last?.readableBytes, held < 16 * 1024 {
            // Taken out while it grows: what the queue holds as well would be copied for each piece.
            var last = queue.removeLast()
            last.writeImmutableBuffer(bytes)
            queue.append(last)
        } else if bytes.readableBytes < 4096 {
            queue.append(ByteBuffer(bytes: bytes.readableBytesView))
        } else {
            queue.append(bytes)
        }
    }

    private func deliver(_ bytes: ByteBuffer) {
        let count = bytes.readableBytes
        owner?.received(bytes, from: self)
        consumed(count)
    }

    private func consumed(_ count: Int) {
        credit += count
        let isDue = credit >= tunnel.limits.streamWindow / 2 && !isEndReceived && !isWireClosed
        tunnel.streamConsumed(count, id, credit: isDue ? credit : nil)
        if isDue { credit = 0 }
    }

    func read() {
        guard !isOver else { return }
        wantsRead = true
        guard !isDelivering else { return }
        isDelivering = true
        while wantsRead, !queue.isEmpty, !isOver {
            wantsRead = false
            deliverQueue(upTo: TunnelLimits.delivery)
            owner?.readCompleted(from: self)
        }
        isDelivering = false
        reportEnd()
    }

    private func deliverQueue(upTo count: Int) {
        var rest = count
        while rest > 0, let bytes = queue.popFirst() {
            rest -= bytes.readableBytes
            deliver(bytes)
        }
    }

    /// The end of a turn's reads, for a stream that was given bytes in it.
    func readCompleted() {
        guard !isOver else { return }
        wantsRead = false
        owner?.readCompleted(from: self)
    }

    private func reportEnd() {
        guard isEndReceived, queue.isEmpty, !isInputEnded, !isOver, !isDelivering else { return }
        owner?.inputEnded(self)
    }

    // MARK: The answer to CONNECT

    /// HEADERS on a stream that exists: the answer to ours, or trailers, of which only the end means something.
    func answered(_ headers: HPACKHeaders, isEnd: Bool) {
        guard case .requested(let attempt) = opening else {
            if isEnd { received(ByteBuffer(), overhead: 0, isEnd: true) }
            return
        }
        let answer = TunnelAnswer(headers, isEnd: isEnd)
        guard let failure = answer.failure else {
            opening = .open
            return attempt.succeeded(self)
        }
        // A body of an error is nobody's business: what still arrives is thrown away.
        over()
        self.failure = failure
        reset(.cancel)
        attempt.failed(failure)
    }

    /// The relay begins: only now the client hears that the application was reached.
    func opened() {
        guard failure == nil else { return note { $0.hasFailed = true } }
        guard case .asked = opening, !isWireClosed else { return }
        opening = .open
        tunnel.write(id, .headers(.init(headers: TunnelAnswer.success)))
        tunnel.flush()
    }

    /// Answers that the stream will not be carried: no body, and the end of it.
    func refuse(_ refusal: TunnelAnswer) {
        guard case .asked = opening else { return }
        opening = .open
        over()
        guard !isWireClosed else { return }
        tunnel.write(id, .headers(.init(headers: refusal.headers, endStream: true)))
        // The client has nothing to say to that; if it has not ended its side, this does it (RFC 9113 section 8.1).
        if !isEndReceived { tunnel.write(id, .rstStream(.noError)) }
        tunnel.flush()
    }

    // MARK: Bytes to the peer

    var isWritable: Bool { !isFull }

    func write(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0, !isOver else { return }
        guard !isWireClosed else {
            if isUnwanted { note { $0.hasFailed = true } }
            return
        }
        pending += bytes.readableBytes
        if pending >= TunnelLimits.outgoing.high { isFull = true }
        tunnel.write(id, .data(.init(data: .byteBuffer(bytes))))
    }

    func flush() { tunnel.flush() }

    /// Bytes that do not wait for the answer to CONNECT.
    func writeEarly(_ bytes: ByteBuffer) {
        earlyCount = bytes.readableBytes
        write(bytes)
        flush()
    }

    func endOutput() {
        guard !isOver else { return }
        // A relay that takes over a stream with its end written waits to hear of that.
        guard !isEndWritten else { return note { $0.hasEnded = true } }
        isEndWritten = true
        if isWireClosed {
            note { $0.hasEnded = true }
        } else {
            tunnel.write(id, .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)))
            tunnel.flush()
        }
    }

    /// Bytes are on their way.
    func wrote(_ count: Int, isEnd: Bool) {
        pending -= count
        if isFull, pending <= TunnelLimits.outgoing.low {
            isFull = false
            note { $0.hasDrained = true }
        }
        if isEnd { note { $0.hasEnded = true } }
        if pending == 0, resetCode != nil { note { _ in } }
    }

    /// Remembers what to tell the relay, after this turn's writes.
    private func note(_ change: (inout Report) -> Void) {
        change(&report)
        guard !report.isDue else { return }
        report.isDue = true
        tunnel.wake(self)
    }

    func wake() {
        let report = self.report
        self.report = Report()
        if pending == 0, let resetCode {
            self.resetCode = nil
            reset(resetCode)
        }
        guard !isOver else { return }
        if report.hasDrained { owner?.becameWritable(self) }
        if report.hasEnded { owner?.outputEnded(self) }
        if report.hasFailed { owner?.failed(self, .reset) }
    }

    // MARK: Ends

    func abort(_ ending: Ending) {
        guard !isOver else { return }
        if case .asked = opening { return refuse(TunnelAnswer(ending)) }
        over()
        let code = ending.resetCode
        guard pending > 0 else { return reset(code) }
        resetCode = code
        tunnel.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(tunnel.limits.abortTimeout.wholeNanoseconds)) {
            self.reset(code)
        }
    }

    func close() {
        guard !isOver else { return }
        over()
        // Both ends are on their way, unless weft gives the stream up.
        if !isEndWritten || !isEndReceived { reset(.cancel) }
    }

    /// The client has given up before the answer came.
    func abandon() {
        over()
        reset(.cancel)
    }

    private func reset(_ code: HTTP2ErrorCode) {
        guard !isWireClosed else { return }
        tunnel.write(id, .rstStream(code))
        tunnel.flush()
    }

    private func over() {
        isOver = true
        var dropped = 0
        while let bytes = queue.popFirst() { dropped += bytes.readableBytes }
        if dropped > 0 { consumed(dropped) }
    }

    /// RST_STREAM arrived. After END_STREAM and without an error it means that the peer is done with both directions:
    /// Envoy ends its streams in this way.
    func resetByPeer(_ code: HTTP2ErrorCode) {
        isWireClosed = true
        guard !(isEndReceived && code == .noError) else {
            isUnwanted = true
            pending = 0
            if isFull { note { $0.hasDrained = true } }
            isFull = false
            if isEndWritten { note { $0.hasEnded = true } }
            return
        }
        if code == .refusedStream, case .requested = opening { return notServed() }
        broke(.reset(code: code.networkCode))
    }

    /// The peer has not looked at the stream.
    func notServed() {
        isWireClosed = true
        guard case .requested(let attempt) = opening else { return broke(.notServed) }
        over()
        attempt.notServed(on: tunnel)
    }

    /// Closed on the wire for a reason that nobody has told us: the HTTP/2 library found an error in the stream.
    func closedOnWire(_ reason: HTTP2ErrorCode?) {
        isWireClosed = true
        if let reason { broke(.reset(code: reason.networkCode)) }
    }

    /// The whole tunnel is gone.
    func lost(_ failure: TunnelFailure) {
        isWireClosed = true
        broke(failure)
    }

    private func broke(_ failure: TunnelFailure) {
        guard !isOver else { return }
        self.failure = failure
        if case .requested(let attempt) = opening {
            over()
            return attempt.failed(failure)
        }
        // Before it has a relay, the stream tells when it gets one.
        guard let owner else { return }
        // What arrived before still reaches the application.
        deliverQueue(upTo: .max)
        owner.failed(self, .reset)
    }

    /// Gives up a stream whose CONNECT has been waiting for its answer too long.
    func look(now: Instant) {
        guard case .requested(let attempt) = opening, !isOver, now - asked >= tunnel.limits.answerTimeout else {
            return
        }
        failure = .timedOut(.answer)
        abandon()
        attempt.failed(.timedOut(.answer))
    }
}

extension Ending {
    /// What the peer is told: CONNECT_ERROR for a reset of the application (RFC 9113 section 8.5).
    fileprivate var resetCode: HTTP2ErrorCode {
        switch self {
        case .lingerTimeout, .shutdown, .completed: .cancel
        case .internalError: .internalError
        default: .connectError
        }
    }
}

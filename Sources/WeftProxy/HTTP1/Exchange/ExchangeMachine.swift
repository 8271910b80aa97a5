/// The HTTP/1 side of a carried connection: finds requests and responses in the bytes of both sides and pairs them (RFC
/// 9112, sections 6 to 9). It decides about messages and ends; bytes, buffers, back-pressure, dialling, retrying and
/// clocks are the shell's.
///
/// ```
/// between ──head──► wanted ──upstreamReady──► answering ──response──► answered ──request──► between
///    ▲                │ ▲───attemptFailed───────┘                                               or the end
///    └────refuse──────┘
/// ```
///
/// - Requests are carried one after the other, each on an upstream of its own choice: a pipelined one stays in the
///   client's buffer until the exchange before it is over. So responses are in order, and nothing behind a request that
///   may change the protocol is read as HTTP.
/// - Bytes go on as they come. What is wrong is not forwarded: a client is answered and closed, an upstream is reset.
/// - A message that broke off is never ended in order: the side that got a part of it is reset.
///
/// Duties of the shell: carry out the actions in order, and those that follow from `scanClient` behind them; pass
/// everything received to `clientReceived` and `upstreamReceived` with what is left in that buffer before it; report
/// nothing of an upstream after `releaseUpstream`, `abortUpstream` or `attemptFailed`, and drop its buffer. An upstream
/// in the pool that sends bytes or ends is not to be used. Runs on the connection's event loop.
package struct ExchangeMachine: Sendable {
    enum State: Sendable {
        /// In front of a request, or in its head.
        case between
        case exchange(Exchange)
        case opaque
        case finished
    }

    var state = State.between
    private(set) var isDraining = false
    private var requests = RequestHeadScanner()
    /// Whether the client's FIN has come.
    package private(set) var clientHasEnded = false

    package init() {}

    /// Whether nothing is under way: no request, and no part of one.
    package var isIdle: Bool {
        if case .between = state { !requests.isPartial } else { false }
    }

    /// Whether a part of a head has come and the rest has not.
    package var isInHead: Bool {
        if case .between = state { requests.isPartial } else { false }
    }

    /// Whether the client's bytes are of use now. While they are not, a shell reads on only to learn of the client's end,
    /// and only into a bounded buffer.
    package var wantsClient: Bool {
        switch state {
        case .between: true
        case .exchange(let exchange):
            if case .wanted = exchange.upstream { false } else { !exchange.body.isComplete }
        case .opaque, .finished: false
        }
    }

    // MARK: - The client

    /// Bytes came from the client, or `scanClient` was asked for: `bytes` is all that is in its buffer.
    package mutating func clientReceived(_ bytes: RawSpan, into actions: inout [Action]) {
        switch state {
        case .between: scanHead(bytes, into: &actions)
        case .exchange(let exchange):
            switch exchange.upstream {
            case .wanted: break
            case .answering, .answered: sendBody(exchange, bytes, into: &actions)
            case .refused: dropBody(exchange, bytes, into: &actions)
            }
        case .opaque, .finished: break
        }
    }

    /// FIN came from the client. What is in its buffer still counts, so that is judged first.
    package mutating func clientEnded(into actions: inout [Action]) {
        clientHasEnded = true
        actions.append(.scanClient)
    }

    /// The client was reset, or broke in another way.
    package mutating func clientFailed(into actions: inout [Action]) { abort(.clientLeft, into: &actions) }

    /// The client has not sent what it has to for too long: a head, or the rest of a request.
    package mutating func clientTimedOut(into actions: inout [Action]) {
        switch state {
        case .between where requests.isPartial: finish(.clientTimeout, answering: 408, into: &actions)
        case .between: end(into: &actions)
        case .exchange(let exchange) where exchange.hasUpstream && !exchange.body.isComplete:
            giveUp(exchange, .clientTimeout, answering: 408, into: &actions)
        case .exchange(let exchange):
            if case .refused = exchange.upstream { end(into: &actions) }
        case .opaque, .finished: break
        }
    }

    // MARK: - weft

    /// The request's upstream is there and idle. `holdsErrors`: ask (`judgeResponse`) before a gateway error goes to the
    /// client, as the request may be tried again.
    package mutating func upstreamReady(holdsErrors: Bool = false, into actions: inout [Action]) {
        guard case .exchange(var exchange) = state, case .wanted = exchange.upstream else { return }
        precondition(!exchange.hasReachedClient, "an attempt behind an interim response")
        actions.append(exchange.attempts == 0 ? .sendRequest(exchange.request) : .resendRequest(exchange.request))
        exchange.beginAttempt(holdsErrors: holdsErrors)
        state = .exchange(exchange)
        let isComplete = exchange.body.isComplete
        if isComplete { actions.append(.endRequest) }
        if !isComplete || clientHasEnded { actions.append(.scanClient) }
    }

    /// The request gets no upstream: weft answers. The connection goes on where the rest of the request is small and sure
    /// to come.
    package mutating func refuse(status: UInt16, into actions: inout [Action]) {
        guard case .exchange(var exchange) = state, case .wanted = exchange.upstream else { return }
        let request = exchange.request
        if exchange.attempts == 0 { actions.append(.dropClient(request.length)) }
        let isShort = (exchange.body.remaining ?? .max) <= (request.expectsContinue ? 0 : HTTP1Limits.discardedBody)
        guard isShort, request.persists, request.method != .connect, !isDraining else {
            return finish(.refused(status: status), answering: status, into: &actions)
        }
        actions += [.answer(status: status, closes: false), .endExchange(.refused(status: status)), .scanClient]
        exchange.upstream = .refused
        state = exchange.body.isComplete ? .between : .exchange(exchange)
    }

    /// No further request is wanted: what is under way is the last one.
    package mutating func drain(into actions: inout [Action]) {
        isDraining = true
        if isIdle { end(into: &actions) }
    }

    /// weft ends the connection, whatever it is doing.
    package mutating func cancel(into actions: inout [Action]) {
        if isIdle { end(into: &actions) } else { abort(.cancelled, into: &actions) }
    }

    // MARK: - Requests

    private mutating func scanHead(_ bytes: RawSpan, into actions: inout [Action]) {
        do throws(FramingError) {
            if let head = try requests.scan(bytes) {
                state = .exchange(Exchange(head))
                actions.append(.request(head))
            } else if clientHasEnded {
                // The rest of a head will not come; nobody waits for an answer to it.
                end(into: &actions)
            }
        } catch {
            finish(.malformedRequest(error), answering: error.status, into: &actions)
        }
    }

    private mutating func sendBody(_ last: Exchange, _ bytes: RawSpan, into actions: inout [Action]) {
        var (exchange, offset) = (last, 0)
        if !exchange.body.isComplete {
            let failure = exchange.body.failure(scanning: bytes, at: &offset)
            if offset > 0 { actions.append(.sendRequestBody(offset)) }
            if let failure {
                return giveUp(exchange, .malformedRequest(failure), answering: failure.status, into: &actions)
            }
            guard exchange.body.isComplete else {
                if clientHasEnded { return giveUp(exchange, .clientLeft, answering: nil, into: &actions) }
                state = .exchange(exchange)
                return
            }
            actions.append(.endRequest)
        }
        if case .answered = exchange.upstream { return complete(exchange, into: &actions) }
        // A server may end its work for a client that is gone, as it would without weft; but not while more requests wait.
        if clientHasEnded, offset == bytes.byteCount, !exchange.endedOutput {
            exchange.endedOutput = true
            actions.append(.endUpstreamOutput)
        }
        state = .exchange(exchange)
    }

    private mutating func dropBody(_ last: Exchange, _ bytes: RawSpan, into actions: inout [Action]) {
        var (exchange, offset) = (last, 0)
        guard exchange.body.failure(scanning: bytes, at: &offset) == nil else { return end(into: &actions) }
        if offset > 0 { actions.append(.dropClient(offset)) }
        if exchange.body.isComplete {
            goOn(into: &actions)
        } else if clientHasEnded {
            end(into: &actions)
        } else {
            state = .exchange(exchange)
        }
    }
}

// MARK: - Ends

extension ExchangeMachine {
    /// Both messages are through.
    mutating func complete(_ exchange: Exchange, into actions: inout [Action]) {
        let isReusable = exchange.persists && !exchange.isSpoiled && !exchange.endedOutput
        // One by one: an array literal would be an allocation for each request.
        actions.append(.releaseUpstream(reusable: isReusable))
        actions.append(.endExchange(.completed))
        if exchange.persists { goOn(into: &actions) } else { end(into: &actions) }
    }

    /// The next request, if one is wanted.
    private mutating func goOn(into actions: inout [Action]) {
        guard !isDraining else { return end(into: &actions) }
        state = .between
        actions.append(.scanClient)
    }

    /// The request will not become whole: the upstream must not take what it has of it for all. The client is answered
    /// if it has no final response yet, and reset if it has a part of one.
    private mutating func giveUp(
        _ exchange: Exchange,
        _ ending: ExchangeEnding,
        answering status: UInt16?,
        into actions: inout [Action]
    ) {
        actions.append(.abortUpstream)
        if case .answered = exchange.upstream {
            finish(ending, answering: nil, into: &actions)
        } else if exchange.hasSentFinalHead {
            state = .finished
            actions += [.endExchange(ending), .abortClient]
        } else {
            finish(ending, answering: status, into: &actions)
        }
    }

    private mutating func abort(_ ending: ExchangeEnding, into actions: inout [Action]) {
        switch state {
        case .opaque, .finished: return
        case .between: break
        case .exchange(let exchange):
            if exchange.hasUpstream { actions.append(.abortUpstream) }
            if case .refused = exchange.upstream { break }
            actions.append(.endExchange(ending))
        }
        state = .finished
        actions.append(.abortClient)
    }

    /// The last answer on this connection, if there is one, and the end.
    private mutating func finish(_ ending: ExchangeEnding, answering status: UInt16?, into actions: inout [Action]) {
        if let status { actions.append(.answer(status: status, closes: true)) }
        actions.append(.endExchange(ending))
        end(into: &actions)
    }

    mutating func end(into actions: inout [Action]) {
        state = .finished
        actions.append(.endClient)
    }
}

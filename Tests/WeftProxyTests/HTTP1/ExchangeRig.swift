import WeftProxy

/// The shell of an exchange machine without sockets: it carries out actions on buffers, and traps when one breaks the
/// rules of `ExchangeMachine`. Every request gets an upstream connection of its own. The tests and the fuzzer share it.
struct ExchangeRig {
    typealias Action = ExchangeMachine.Action

    /// What an upstream connection got, and how it ended.
    struct Upstream: Equatable {
        enum End: Equatable {
            case open
            case released(reusable: Bool)
            case aborted
            case opaque
        }

        /// Which of the client's requests it is for.
        var request = 0
        var received: [UInt8] = []
        var isEnded = false
        var end = End.open
    }

    enum ClientEnd: Equatable {
        case open
        case ended
        case aborted
        case opaque
    }

    private(set) var machine = ExchangeMachine()
    private(set) var upstreams: [Upstream] = []
    private(set) var toClient: [UInt8] = []
    private(set) var clientEnd = ClientEnd.open
    private(set) var endings: [ExchangeEnding] = []
    private(set) var failures: [LostAttempt] = []
    private(set) var dropped: [UInt8] = []
    /// What has left the client's buffer.
    private(set) var clientTaken: [UInt8] = []
    private(set) var clientBuffer: [UInt8] = []
    private(set) var upstreamBuffer: [UInt8] = []
    /// The methods of the requests that were answered by an upstream, in order.
    private(set) var methods: [RequestMethod] = []
    /// The actions of the last event.
    private(set) var actions: [Action] = []
    /// The gateway error that waits for a word.
    private(set) var judged: ResponseHead?
    /// The request that waits for an upstream or a refusal.
    private(set) var pending: RequestHead?
    private var lastRequest: RequestHead?
    private var requestCount = 0
    private var hasReachedClient = false
    private var copy: [UInt8] = []
    private var isAttached = false
    private var sentFinalHead = false
    private var isInExchange = false

    var isOver: Bool { clientEnd != .open }

    /// Whether the pending request may get an upstream: not once a byte of a response is with the client.
    var mayAttach: Bool { pending != nil && !hasReachedClient }

    // MARK: - Events

    mutating func clientSends(_ bytes: [UInt8]) {
        guard !isOver else { return }
        clientBuffer += bytes
        run { machine, buffer, _, actions in machine.clientReceived(buffer.span.bytes, into: &actions) }
    }

    mutating func upstreamSends(_ bytes: [UInt8]) {
        guard isAttached, !isOver else { return }
        upstreamBuffer += bytes
        guard judged == nil else { return }
        run { machine, _, buffer, actions in machine.upstreamReceived(buffer.span.bytes, into: &actions) }
    }

    mutating func clientEnds() { run { machine, _, _, actions in machine.clientEnded(into: &actions) } }

    mutating func clientFails() { run { machine, _, _, actions in machine.clientFailed(into: &actions) } }

    mutating func clientTimesOut() { run { machine, _, _, actions in machine.clientTimedOut(into: &actions) } }

    mutating func upstreamEnds() {
        guard isAttached else { return }
        run { machine, _, _, actions in machine.upstreamEnded(into: &actions) }
    }

    mutating func upstreamFails() {
        guard isAttached else { return }
        run { machine, _, _, actions in machine.upstreamFailed(into: &actions) }
    }

    mutating func upstreamTimesOut() { run { machine, _, _, actions in _ = machine.abandonAttempt(into: &actions) } }

    mutating func drain() { run { machine, _, _, actions in machine.drain(into: &actions) } }

    mutating func cancel() { run { machine, _, _, actions in machine.cancel(into: &actions) } }

    mutating func attach(holdsErrors: Bool = false) {
        guard pending != nil else { return }
        upstreams.append(Upstream(request: requestCount - 1))
        run { machine, _, _, actions in machine.upstreamReady(holdsErrors: holdsErrors, into: &actions) }
    }

    /// The word about a gateway error.
    mutating func judge(passes: Bool) {
        guard let judged else { return }
        self.judged = nil
        run { machine, _, buffer, actions in
            if passes {
                machine.passResponse(buffer.span.bytes, into: &actions)
            } else {
                machine.retryRequest(into: &actions)
            }
        }
        precondition(passes || isAttached == false, "\(judged) goes on")
        if !passes { pending = lastRequest }
    }

    mutating func refuse(_ status: UInt16) {
        guard pending != nil else { return }
        run { machine, _, _, actions in machine.refuse(status: status, into: &actions) }
        precondition(pending == nil || !actions.contains(.answer(status: status, closes: true)))
    }

    // MARK: - Actions

    private mutating func run(_ event: (inout ExchangeMachine, [UInt8], [UInt8], inout [Action]) -> Void) {
        var (next, first): (ExchangeMachine, [Action]) = (machine, [])
        event(&next, clientBuffer, upstreamBuffer, &first)
        (machine, actions) = (next, first)
        var index = 0
        while index < actions.count {
            precondition(!isOver, "\(actions[index]) after the end, in \(actions)")
            carryOut(actions[index])
            index += 1
        }
    }

    private mutating func carryOut(_ action: Action) {
        switch action {
        case .request, .sendRequest, .resendRequest, .sendRequestBody, .endRequest, .endUpstreamOutput:
            carryOutRequest(action)
        case .judgeResponse, .sendResponse, .sendResponseBody, .endResponse, .dropUpstream: carryOutResponse(action)
        case .dropClient(let count): dropped += takeClient(count)
        case .attemptFailed(let failure):
            precondition(!isAttached && pending == nil && !sentFinalHead)
            failures.append(failure)
            pending = lastRequest
        case .answer(let status, let closes):
            precondition(!sentFinalHead && !isAttached, "an answer behind a response")
            toClient += latin1(
                "HTTP/1.1 \(status) weft\r\n\(closes ? "connection: close\r\n" : "")content-length: 0\r\n\r\n"
            )
            methods.append(.get)
            pending = nil
        case .releaseUpstream(let reusable):
            precondition(!reusable || (upstreamBuffer.isEmpty && !upstreams[upstreams.count - 1].isEnded))
            detach(.released(reusable: reusable))
        case .abortUpstream: detach(.aborted)
        case .endExchange(let ending): endExchange(ending)
        case .scanClient: scanClient()
        case .becomeOpaque:
            precondition(isAttached)
            detach(.opaque)
            clientEnd = .opaque
        case .endClient, .abortClient:
            precondition(!isAttached && !isInExchange, "an end in the middle of an exchange")
            clientEnd = action == .endClient ? .ended : .aborted
        }
    }

    /// On copies: an access to one stored property of a mutating call overlaps with another one's.
    private mutating func scanClient() {
        let bytes = clientBuffer
        var (next, more) = (machine, actions)
        next.clientReceived(bytes.span.bytes, into: &more)
        (machine, actions) = (next, more)
    }

    private mutating func carryOutRequest(_ action: Action) {
        switch action {
        case .request(let head):
            precondition(pending == nil && !isAttached && !isInExchange && head.length <= clientBuffer.count)
            (pending, lastRequest) = (head, head)
            (isInExchange, sentFinalHead, hasReachedClient, copy) = (true, false, false, [])
            requestCount += 1
        case .sendRequest(let head):
            precondition(pending == head && copy.isEmpty)
            copy = Array(takeClient(head.length).dropFirst(head.leading))
            beginAttempt()
        case .resendRequest(let head):
            precondition(pending == head && !copy.isEmpty)
            beginAttempt()
        case .sendRequestBody(let count):
            let bytes = takeClient(count)
            copy += bytes
            send(bytes)
        case .endUpstreamOutput:
            precondition(isAttached && !upstreams[upstreams.count - 1].isEnded)
            upstreams[upstreams.count - 1].isEnded = true
        default: precondition(isAttached)
        }
    }

    private mutating func carryOutResponse(_ action: Action) {
        precondition(isAttached && judged == nil)
        switch action {
        case .judgeResponse(let head):
            precondition(!sentFinalHead && head.length <= upstreamBuffer.count)
            judged = head
        case .sendResponse(let head, let closes):
            precondition(!sentFinalHead && (!closes || !head.isInterim))
            var bytes = takeUpstream(head.length)
            if closes { bytes.insert(contentsOf: latin1("connection: close\r\n"), at: head.insertionOffset) }
            toClient += bytes
            hasReachedClient = true
            sentFinalHead = !head.isInterim
            if sentFinalHead { methods.append(lastRequest?.method ?? .get) }
        case .sendResponseBody(let count):
            precondition(sentFinalHead)
            toClient += takeUpstream(count)
        case .dropUpstream(let count): _ = takeUpstream(count)
        default: precondition(sentFinalHead)
        }
    }

    private mutating func beginAttempt() {
        pending = nil
        isAttached = true
        send(copy)
    }

    private mutating func send(_ bytes: [UInt8]) {
        precondition(isAttached && !upstreams[upstreams.count - 1].isEnded)
        upstreams[upstreams.count - 1].received += bytes
    }

    private mutating func detach(_ end: Upstream.End) {
        precondition(isAttached)
        (isAttached, judged) = (false, nil)
        upstreams[upstreams.count - 1].end = end
        if end != .opaque { upstreamBuffer = [] }
    }

    private mutating func endExchange(_ ending: ExchangeEnding) {
        let isWithoutHead = if case .malformedRequest = ending { true } else { ending == .clientTimeout }
        precondition(isInExchange || isWithoutHead, "\(ending) of nothing")
        (isInExchange, sentFinalHead, pending) = (false, false, nil)
        endings.append(ending)
    }

    private mutating func takeClient(_ count: Int) -> [UInt8] {
        precondition(count > 0 && count <= clientBuffer.count)
        let bytes = Array(clientBuffer.prefix(count))
        clientBuffer.removeFirst(count)
        clientTaken += bytes
        return bytes
    }

    private mutating func takeUpstream(_ count: Int) -> [UInt8] {
        precondition(count > 0 && count <= upstreamBuffer.count)
        defer { upstreamBuffer.removeFirst(count) }
        return Array(upstreamBuffer.prefix(count))
    }
}

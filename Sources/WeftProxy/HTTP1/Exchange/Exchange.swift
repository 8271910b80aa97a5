/// One request and what has come of it so far.
struct Exchange: Sendable {
    /// Where the response comes from.
    enum Upstream: Sendable {
        /// None yet, or the last one failed.
        case wanted
        case answering(Answer)
        /// The response is complete; the upstream still takes the rest of the request.
        case answered
        /// weft answered: what is left of the request is dropped.
        case refused
    }

    /// A response as far as it has come.
    struct Answer: Sendable {
        var heads = ResponseHeadScanner()
        /// Whether a gateway error is shown to the shell before it goes to the client.
        var holdsErrors: Bool
        var interims = 0
        var sawBytes = false
        /// Of the final response, once its head has been sent.
        var body: BodyScanner?
    }

    let request: RequestHead
    var body: BodyScanner
    var upstream = Upstream.wanted
    var attempts = 0
    /// Whether the client's FIN has been passed on.
    var endedOutput = false
    /// Whether the upstream sent more than it was asked for, or answered before it had the whole request: what it makes
    /// of further bytes is anybody's guess.
    var isSpoiled = false
    /// Whether a byte of a response has gone to the client: from then on there is no further attempt.
    private(set) var hasReachedClient = false
    /// Whether the upstream has asked for the body that the client holds back.
    private var isContinued = false
    /// Whether both sides may go on behind this exchange, as far as the final response's head tells.
    private var responsePersists = false
    private(set) var hasSentFinalHead = false

    init(_ request: RequestHead) {
        self.request = request
        body = BodyScanner(request.framing)
    }

    /// Whether both messages let their connections persist (RFC 9112, section 9.3). Heads are forwarded as they came, so
    /// what one side says the other hears, and one answer holds for both connections.
    var persists: Bool { request.persists && responsePersists }

    var hasUpstream: Bool {
        switch upstream {
        case .answering, .answered: true
        case .wanted, .refused: false
        }
    }

    /// A new attempt: nothing of the last one counts.
    mutating func beginAttempt(holdsErrors: Bool) {
        attempts += 1
        endedOutput = false
        upstream = .answering(Answer(holdsErrors: holdsErrors))
    }

    mutating func sentInterimHead(_ head: ResponseHead) {
        hasReachedClient = true
        if head.status == 100 { isContinued = true }
    }

    mutating func sentFinalHead(_ head: ResponseHead, framing: BodyFraming) {
        (hasReachedClient, hasSentFinalHead) = (true, true)
        responsePersists = head.persists && framing != .untilClose && isClear(head, framing)
    }

    /// Whether all three know where the next request begins.
    private func isClear(_ head: ResponseHead, _ framing: BodyFraming) -> Bool {
        switch request.version {
        // Who rejects a tunnel cannot know whether the client has already sent bytes that were meant for it.
        case .http11 where request.method == .connect: false
        // A client that was not told to go on may leave its body out (RFC 9110, section 10.1.1), and some servers do not
        // wait for it either: what comes next would be a body to one and a request to the other.
        case .http11: body.isComplete || !request.expectsContinue || isContinued
        // Programs that speak HTTP/1.0 do not see where chunks end, and wait for the end of a connection of which
        // nobody says that it goes on (RFC 9112, section 9.3 and appendix C.2.2).
        case .http10: head.saysKeepAlive && framing != .chunked && request.method != .connect
        }
    }
}

import WeftProxy

/// Plays a script of events to an exchange machine between a client and upstreams, of which any may send anything, and
/// checks what has to hold always. The tests and the fuzzer (Tests/Fuzz) share it.
///
/// ```
/// script = *(op:u8 argument)      op: bits 0 to 3 the event, bits 4 to 7 its variant
/// ```
struct ExchangeExercise {
    private var rig = ExchangeRig()
    private var script: ArraySlice<UInt8>
    private var fromClient: [UInt8] = []
    private var clientHasEnded = false

    /// Plays it. Traps when the machine breaks a rule.
    @discardableResult
    static func play(_ script: [UInt8]) -> ExchangeRig {
        var exercise = ExchangeExercise(script: script[...])
        while !exercise.rig.isOver, let op = exercise.script.popFirst() {
            exercise.step(op & 15, variant: Int(op >> 4))
        }
        exercise.check()
        return exercise.rig
    }

    private init(script: ArraySlice<UInt8>) { self.script = script }

    private mutating func step(_ event: UInt8, variant: Int) {
        switch event {
        case 0: client(takeBytes())
        case 1: rig.upstreamSends(takeBytes())
        case 2: client(latin1(Self.requests[variant]))
        case 3: rig.upstreamSends(latin1(Self.responses[variant]))
        case 4: attach(holdsErrors: variant & 1 == 1)
        case 5: rig.refuse(variant & 1 == 1 ? 503 : 403)
        case 6: endClient()
        case 7: rig.clientFails()
        case 8: rig.clientTimesOut()
        case 9: rig.upstreamEnds()
        case 10: rig.upstreamFails()
        case 11: rig.upstreamTimesOut()
        case 12: rig.drain()
        case 13: rig.cancel()
        // The usual way.
        default: attach(holdsErrors: false)
        }
        if rig.judged != nil { rig.judge(passes: variant & 1 == 0) }
    }

    private mutating func client(_ bytes: [UInt8]) {
        guard !clientHasEnded, !rig.isOver else { return }
        fromClient += bytes
        rig.clientSends(bytes)
    }

    private mutating func endClient() {
        guard !clientHasEnded else { return }
        clientHasEnded = true
        rig.clientEnds()
    }

    private mutating func attach(holdsErrors: Bool) {
        if rig.mayAttach { rig.attach(holdsErrors: holdsErrors) } else { rig.refuse(502) }
    }

    private mutating func takeBytes() -> [UInt8] {
        let bytes = script.dropFirst().prefix(Int(script.first ?? 0))
        script = script.dropFirst(1 + bytes.count)
        return Array(bytes)
    }

    // MARK: - What has to hold

    private func check() {
        checkUpstreams()
        checkClient()
        precondition(rig.clientTaken + rig.clientBuffer == fromClient, "bytes of the client went lost")
    }

    /// Each upstream got a part of one request, as somebody sees it who reads the client's bytes alone; one that may be
    /// used again got all of it.
    private func checkUpstreams() {
        let requests = Self.messages(MessageReader.events([fromClient]))
        for upstream in rig.upstreams {
            let request = requests[upstream.request]
            precondition(request.starts(with: upstream.received), "another request's bytes")
            switch upstream.end {
            case .released, .opaque: precondition(upstream.received == request, "a part of a request")
            case .open, .aborted: break
            }
        }
    }

    /// The client got whole responses, one for each request, in order; a broken one is not ended in order.
    private func checkClient() {
        let events = MessageReader.events([rig.toClient], answering: rig.methods)
        for event in events {
            if case .failed(let reason) = event { preconditionFailure("\(reason) in \(rig.toClient)") }
        }
        let isWhole = events.last != .truncated
        precondition(
            isWhole || rig.clientEnd == .open || rig.clientEnd == .aborted,
            "a part of a response, ended in order"
        )
        precondition(Self.finalCount(events) == rig.methods.count, "\(rig.methods) got \(events)")
    }

    /// The bytes of each message.
    private static func messages(_ events: [MessageReader.Event]) -> [[UInt8]] {
        var messages: [[UInt8]] = []
        for event in events {
            switch event {
            case .head(let head, _): messages.append(head)
            case .body(let body): messages[messages.count - 1] += body
            case .end, .failed, .truncated: break
            }
        }
        return messages
    }

    /// Heads that are no interim ones.
    private static func finalCount(_ events: [MessageReader.Event]) -> Int {
        events.count { event in
            guard case .head(let head, _) = event else { return false }
            return head[9] != UInt8(ascii: "1") || head[11] == UInt8(ascii: "1")
        }
    }
}

extension ExchangeExercise {
    /// What clients send, by variant.
    static let requests = [
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n", "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
        "HEAD /4 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /5 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET /6 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /7 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        "CONNECT a:8 HTTP/1.1\r\nHost: a:8\r\n\r\n",
        "POST /9 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 28\r\n\r\n",
        "POST /10 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "PUT /11 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        "5\r\nhello\r\n", "0\r\n\r\n", "\r\n", "GET /", "GET / HTTP/1.1\nHost: a\n\n",
    ]

    /// What upstreams send, by variant.
    static let responses = [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 204 No\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nuntil",
        "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n",
        "HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\nmore",
        "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", "HTTP/1.1 2",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    ]
}

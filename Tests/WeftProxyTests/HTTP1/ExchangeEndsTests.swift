import Testing
import WeftProxy

/// How exchanges end otherwise: retries, refusals, aborts, early responses, upgrades.
@Suite struct ExchangeEndsTests {
    private typealias Tests = ExchangeMachineTests

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    // MARK: - Attempts and refusals

    @Test func failedAttemptIsRepeatedWithTheSameBytes() {
        var rig = Tests.attached(Tests.post + "hel")
        rig.upstreamFails()
        #expect(rig.actions == [.abortUpstream, .attemptFailed(LostAttempt(.failed, sawResponse: false))])
        rig.clientSends(latin1("l"))
        #expect(rig.clientBuffer == latin1("l"), "nobody is there to take it")
        rig.attach()
        rig.clientSends(latin1("o"))
        #expect(rig.upstreams.map { text($0.received) } == [Tests.post + "hel", Tests.post + "hello"])
        rig.upstreamSends(latin1(Tests.ok))
        #expect(text(rig.toClient) == Tests.ok && rig.machine.isIdle)
    }

    @Test func endBeforeTheHeadIsAFailedAttempt() {
        for (part, saw) in [("", false), ("H", true), ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", true)] {
            var rig = Tests.attached(Tests.get)
            rig.upstreamSends(latin1(part))
            rig.upstreamEnds()
            #expect(rig.failures == [LostAttempt(.ended, sawResponse: saw)])
        }
    }

    @Test func malformedHeadIsAFailedAttempt() {
        var rig = Tests.attached(Tests.get)
        rig.upstreamSends(latin1("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"))
        #expect(rig.failures == [LostAttempt(.malformed(.bareLineFeed), sawResponse: true)])
        rig.refuse(502)
        #expect(rig.actions == [.answer(status: 502, closes: false), .endExchange(.refused(status: 502)), .scanClient])
        #expect(rig.machine.isIdle)
    }

    @Test func slowAttemptIsGivenUpUntilTheClientHasAHead() {
        var rig = Tests.attached(Tests.get)
        rig.upstreamTimesOut()
        #expect(rig.failures == [LostAttempt(.abandoned, sawResponse: false)])
        rig.attach()
        rig.upstreamSends(latin1("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"))
        rig.upstreamTimesOut()
        #expect(rig.actions == [])
        rig.cancel()
        #expect(rig.actions == [.abortUpstream, .endExchange(.cancelled), .abortClient])
    }

    @Test func refusedRequestsLeaveTheConnectionUsable() {
        var rig = ExchangeRig()
        rig.clientSends(latin1(Tests.get + Tests.post + "hel"))
        rig.refuse(403)
        #expect(rig.pending != nil && rig.dropped == latin1(Tests.get))
        rig.refuse(429)
        rig.clientSends(latin1("lo" + Tests.get))
        rig.attach()
        #expect(rig.upstreams.map(\.received) == [latin1(Tests.get)])
        #expect(rig.dropped == latin1(Tests.get + Tests.post + "hello"))
        #expect(rig.endings == [.refused(status: 403), .refused(status: 429)])
    }

    @Test(arguments: [
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n",
        "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
    ])
    func refusalEndsTheConnectionWhenTheRestIsUnsure(request: String) {
        var rig = ExchangeRig()
        rig.clientSends(latin1(request + Tests.get))
        rig.refuse(503)
        let end: [ExchangeMachine.Action] = [
            .answer(status: 503, closes: true), .endExchange(.refused(status: 503)), .endClient,
        ]
        #expect(rig.actions.dropFirst() == end[...])
        #expect(rig.upstreams.isEmpty)
    }

    @Test func drainingEndsBehindARefusedBody() {
        var rig = ExchangeRig()
        rig.clientSends(latin1(Tests.post + "hel"))
        rig.refuse(403)
        rig.drain()
        #expect(rig.actions == [])
        rig.clientSends(latin1("lo" + Tests.get))
        #expect(rig.actions == [.dropClient(2), .endClient])
    }

    // MARK: - Gateway errors

    private static let unavailable = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"

    @Test func gatewayErrorGoesToTheClientOnlyWhenPassed() {
        for status in [502, 503, 504] {
            let response = Self.unavailable.replacing("503", with: "\(status)")
            var rig = ExchangeRig()
            rig.clientSends(latin1(Tests.get))
            rig.attach(holdsErrors: true)
            for byte in latin1(response) { rig.upstreamSends([byte]) }
            #expect(rig.toClient.isEmpty && rig.judged?.status == UInt16(status))
            rig.judge(passes: true)
            #expect(text(rig.toClient) == response)
            #expect(rig.upstreams[0].end == .released(reusable: true) && rig.machine.isIdle)
        }
    }

    @Test func gatewayErrorIsTriedAgainWithTheSameBytes() {
        var rig = ExchangeRig()
        rig.clientSends(latin1(Tests.post + "he"))
        rig.attach(holdsErrors: true)
        rig.upstreamSends(latin1(Self.unavailable))
        rig.judge(passes: false)
        #expect(rig.actions == [.abortUpstream] && rig.upstreamBuffer.isEmpty)
        rig.clientSends(latin1("llo"))
        rig.attach(holdsErrors: false)
        #expect(rig.upstreams.map { text($0.received) } == [Tests.post + "he", Tests.post + "hello"])
        rig.upstreamSends(latin1(Self.unavailable))
        #expect(text(rig.toClient) == Self.unavailable && rig.judged == nil, "no further attempt is wanted")
    }

    @Test(arguments: [
        "HTTP/1.1 500 Error\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 505 Version\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\n\r\n" + unavailable,
    ])
    func otherResponsesAreNotHeld(response: String) {
        var rig = ExchangeRig()
        rig.clientSends(latin1(Tests.get))
        rig.attach(holdsErrors: true)
        rig.upstreamSends(latin1(response))
        #expect(text(rig.toClient) == response && rig.judged == nil)
        rig.judge(passes: false)
        #expect(rig.machine.isIdle)
    }

    // MARK: - Early responses

    @Test func earlyResponseOfAPersistentUpstreamWaitsForTheRequest() {
        var rig = Tests.attached(Tests.post + "he")
        rig.upstreamSends(latin1(Tests.ok))
        #expect(text(rig.toClient) == Tests.ok && rig.endings.isEmpty)
        rig.clientSends(latin1("llo" + Tests.get))
        #expect(text(rig.upstreams[0].received) == Tests.post + "hello")
        #expect(rig.upstreams[0].end == .released(reusable: false), "it may have taken the body for a request")
        #expect(rig.pending != nil)
    }

    /// The client may leave the body out: neither it nor a request in its place goes to the upstream.
    @Test func finalResponseInPlaceOfContinueEndsTheClient() {
        let expecting = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 28\r\n\r\n"
        var rig = Tests.attached(expecting)
        rig.upstreamSends(latin1("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"))
        #expect(text(rig.toClient) == "HTTP/1.1 401 No\r\nContent-Length: 0\r\nconnection: close\r\n\r\n")
        #expect(rig.actions.suffix(3) == [.abortUpstream, .endExchange(.completed), .endClient])
        rig.clientSends(latin1(Tests.get))
        #expect(rig.upstreams.map(\.received) == [latin1(expecting)])
        var continued = Tests.attached(expecting)
        continued.upstreamSends(latin1("HTTP/1.1 100 Continue\r\n\r\n" + Tests.ok))
        #expect(continued.endings.isEmpty && !continued.isOver)
        continued.clientSends(latin1(Tests.get))
        #expect(text(continued.upstreams[0].received) == expecting + Tests.get)
        #expect(continued.endings == [.completed] && continued.machine.isIdle)
    }

    @Test func earlyResponseOfAClosingUpstreamEndsTheClient() {
        var rig = Tests.attached(Tests.post + "he")
        rig.upstreamSends(latin1("HTTP/1.1 413 Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
        #expect(rig.actions.suffix(3) == [.abortUpstream, .endExchange(.completed), .endClient])
    }

    @Test func upstreamThatEndsBehindAnEarlyResponseEndsTheClient() {
        for fails in [true, false] {
            var rig = Tests.attached(Tests.post + "he")
            rig.upstreamSends(latin1(Tests.ok))
            if fails { rig.upstreamFails() } else { rig.upstreamEnds() }
            #expect(rig.actions == [.abortUpstream, .endExchange(.completed), .endClient])
        }
    }

    @Test func bytesBehindAnEarlyResponseSpoilTheUpstream() {
        var rig = Tests.attached(Tests.post + "he")
        rig.upstreamSends(latin1(Tests.ok))
        rig.upstreamSends(latin1(Tests.ok))
        #expect(text(rig.toClient) == Tests.ok)
        rig.clientSends(latin1("llo"))
        #expect(rig.upstreams[0].end == .released(reusable: false))
    }

    // MARK: - The client

    @Test func clientMayEndBehindItsRequests() {
        var rig = Tests.attached(Tests.get + Tests.get)
        rig.clientEnds()
        #expect(rig.actions == [.scanClient], "another request waits")
        rig.upstreamSends(latin1(Tests.ok))
        rig.attach()
        #expect(rig.upstreams[1].isEnded, "as without weft")
        rig.upstreamSends(latin1(Tests.ok))
        #expect(text(rig.toClient) == Tests.ok + Tests.ok)
        #expect(rig.upstreams.map(\.end) == [.released(reusable: true), .released(reusable: false)])
        #expect(rig.clientEnd == .ended)
    }

    @Test func clientThatEndsBetweenRequestsIsDone() {
        for part in ["", "GET / HTTP/1.1\r\nHo", "\r\n"] {
            var rig = ExchangeRig()
            rig.clientSends(latin1(part))
            rig.clientEnds()
            #expect(rig.actions == [.scanClient, .endClient])
        }
    }

    @Test func incompleteRequestIsNotForwardedAsAWhole() {
        var rig = Tests.attached(Tests.post + "hell")
        rig.clientEnds()
        #expect(rig.actions == [.scanClient, .abortUpstream, .endExchange(.clientLeft), .endClient])
        var answered = Tests.attached(Tests.post + "hell")
        answered.upstreamSends(latin1("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"))
        answered.clientEnds()
        #expect(answered.actions == [.scanClient, .abortUpstream, .endExchange(.clientLeft), .abortClient])
    }

    @Test func endOfTheClientIsJudgedBehindItsBody() {
        var rig = ExchangeRig()
        rig.clientSends(latin1(Tests.post + "hello"))
        rig.clientEnds()
        rig.attach()
        #expect(text(rig.upstreams[0].received) == Tests.post + "hello")
        #expect(rig.upstreams[0].isEnded && rig.upstreams[0].end == .open)
    }

    @Test func clientResetResetsTheUpstream() {
        var rig = Tests.attached(Tests.get)
        rig.clientFails()
        #expect(rig.actions == [.abortUpstream, .endExchange(.clientLeft), .abortClient])
        var waiting = ExchangeRig()
        waiting.clientSends(latin1(Tests.get))
        waiting.clientFails()
        #expect(waiting.actions == [.endExchange(.clientLeft), .abortClient])
    }

    @Test func slowClientIsToldSo() {
        var idle = ExchangeRig()
        idle.clientTimesOut()
        #expect(idle.actions == [.endClient])
        var emptyLine = ExchangeRig()
        emptyLine.clientSends(latin1("\r\n"))
        #expect(emptyLine.machine.isIdle && !emptyLine.machine.isInHead)
        emptyLine.clientTimesOut()
        #expect(emptyLine.actions == [.endClient])
        var head = ExchangeRig()
        head.clientSends(latin1("GET"))
        head.clientTimesOut()
        #expect(head.actions == [.answer(status: 408, closes: true), .endExchange(.clientTimeout), .endClient])
        var body = Tests.attached(Tests.post + "he")
        body.clientTimesOut()
        #expect(
            body.actions == [
                .abortUpstream, .answer(status: 408, closes: true), .endExchange(.clientTimeout), .endClient,
            ]
        )
        var waiting = Tests.attached(Tests.get)
        waiting.clientTimesOut()
        #expect(waiting.actions == [], "it is the upstream's turn")
    }

    // MARK: - Changes of protocol

    private static let upgrade = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    private static let switched =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"

    @Test func upgradedConnectionIsOpaque() {
        var rig = Tests.attached(Self.upgrade + "frames")
        #expect(text(rig.upstreams[0].received) == Self.upgrade, "nobody knows yet what the rest is")
        rig.upstreamSends(latin1("HTTP/1.1 103 Early Hints\r\n\r\n" + Self.switched + "more"))
        #expect(rig.actions.suffix(2) == [.endExchange(.upgraded), .becomeOpaque])
        #expect(rig.clientBuffer == latin1("frames") && rig.upstreamBuffer == latin1("more"))
        #expect(text(rig.toClient).hasSuffix(Self.switched))
    }

    @Test func refusedUpgradeGoesOnAsHTTP() {
        var rig = Tests.attached(Self.upgrade + Tests.get)
        rig.upstreamSends(latin1(Tests.ok))
        rig.attach()
        #expect(rig.upstreams.map { text($0.received) } == [Self.upgrade, Tests.get])
    }

    @Test(arguments: [
        (Tests.get, switched), (upgrade, "HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        ("GET / HTTP/1.0\r\nUpgrade: websocket\r\n\r\n", switched),
        ("POST / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nContent-Length: 1\r\n\r\n", switched),
    ])
    func switchThatMayNotBeIsRefused(request: String, response: String) {
        var rig = Tests.attached(request)
        rig.upstreamSends(latin1(response))
        #expect(rig.failures == [LostAttempt(.malformed(.unexpectedSwitch), sawResponse: true)])
        #expect(rig.toClient.isEmpty && rig.upstreams[0].end == .aborted)
    }

    private static let connect = "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n"

    @Test func openedTunnelIsOpaque() {
        var rig = Tests.attached(Self.connect + "\u{16}\u{3}")
        rig.upstreamSends(latin1("HTTP/1.1 200 Connection established\r\n\r\n"))
        #expect(rig.actions.last == .becomeOpaque)
        #expect(rig.clientBuffer == [0x16, 3])
    }

    /// What follows a CONNECT may have been meant for the tunnel.
    @Test func rejectedTunnelEndsTheClient() {
        var rig = Tests.attached(Self.connect + Tests.get)
        rig.upstreamSends(latin1("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"))
        #expect(text(rig.toClient) == "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nconnection: close\r\n\r\n")
        #expect(rig.clientEnd == .ended && rig.upstreams.count == 1)
    }
}

import Testing
import WeftProxy

@Suite struct ExchangeMachineTests {
    static let get = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
    static let post = "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
    static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    static let keepAlive = "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"

    /// A rig whose client has sent this, and whose first request has an upstream.
    static func attached(_ request: String) -> ExchangeRig {
        var rig = ExchangeRig()
        rig.clientSends(latin1(request))
        rig.attach()
        return rig
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func requestAndResponseAreCarriedAsTheyCame() {
        var rig = ExchangeRig()
        rig.clientSends(latin1(Self.get))
        guard case .request(let head)? = rig.actions.first else { return #expect(Bool(false), "no request") }
        #expect(rig.actions.count == 1)
        rig.attach()
        #expect(rig.actions == [.sendRequest(head), .endRequest])
        #expect(!rig.machine.wantsClient && !rig.machine.isIdle)
        rig.upstreamSends(latin1(Self.ok))
        #expect(
            rig.actions.dropFirst() == [
                .sendResponseBody(2), .endResponse, .releaseUpstream(reusable: true), .endExchange(.completed),
                .scanClient,
            ]
        )
        #expect(text(rig.toClient) == Self.ok)
        #expect(rig.upstreams == [ExchangeRig.Upstream(received: latin1(Self.get), end: .released(reusable: true))])
        #expect(rig.machine.isIdle && rig.machine.wantsClient && !rig.isOver)
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() {
        var rig = Self.attached(Self.get + Self.post + "hello" + Self.get)
        #expect(rig.upstreams.count == 1 && rig.pending == nil)
        rig.upstreamSends(latin1(Self.ok))
        rig.attach()
        #expect(text(rig.upstreams[1].received) == Self.post + "hello")
        rig.upstreamSends(latin1(Self.ok))
        rig.attach()
        rig.upstreamSends(latin1(Self.ok))
        #expect(rig.upstreams.map { text($0.received) } == [Self.get, Self.post + "hello", Self.get])
        #expect(text(rig.toClient) == Self.ok + Self.ok + Self.ok)
        #expect(rig.endings == [.completed, .completed, .completed])
        #expect(rig.machine.isIdle)
    }

    /// RFC 9112, section 9.3: who says close, or cannot say where its message ends, is not used again.
    @Test(arguments: [
        (get, ok, true), (get, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", ok, false), ("GET / HTTP/1.0\r\n\r\n", ok, false),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", keepAlive, true),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false),
        (get, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", true),
        (get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n", true),
        (get, "HTTP/1.1 204 No Content\r\n\r\n", true),
        (get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", true),
        ("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true),
    ])
    func persistence(request: String, response: String, persists: Bool) {
        var rig = Self.attached(request)
        rig.upstreamSends(latin1(response))
        #expect(text(rig.toClient) == response)
        #expect(rig.endings == [.completed])
        #expect(rig.upstreams[0].end == .released(reusable: persists))
        #expect(rig.clientEnd == (persists ? .open : .ended))
    }

    /// A program that speaks HTTP/1.0 may take the end of chunks for anything, and waits for the connection's end unless
    /// it is told that there is none.
    @Test(arguments: [
        "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Content-Length: 0\r\n\r\n",
    ])
    func unclearResponseToHTTP10EndsTheConnection(rest: String) {
        var rig = Self.attached("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        rig.upstreamSends(latin1("HTTP/1.1 200 OK\r\n" + rest))
        #expect(text(rig.toClient).contains("connection: close\r\n\r\n"))
        #expect(rig.upstreams[0].end == .released(reusable: false) && rig.clientEnd == .ended)
    }

    @Test func bodyUntilCloseEndsTheClientToo() {
        var rig = Self.attached(Self.get)
        rig.upstreamSends(latin1("HTTP/1.1 200 OK\r\n\r\nall"))
        rig.upstreamEnds()
        #expect(rig.actions == [.endResponse, .releaseUpstream(reusable: false), .endExchange(.completed), .endClient])
        #expect(text(rig.toClient) == "HTTP/1.1 200 OK\r\n\r\nall")
    }

    @Test func brokenBodyUntilCloseIsNoEnd() {
        var rig = Self.attached(Self.get)
        rig.upstreamSends(latin1("HTTP/1.1 200 OK\r\n\r\nal"))
        rig.upstreamFails()
        #expect(rig.actions == [.abortUpstream, .endExchange(.responseTruncated), .abortClient])
    }

    @Test func truncatedResponseResetsTheClient() {
        for response in [
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n",
        ] {
            var rig = Self.attached(Self.get)
            rig.upstreamSends(latin1(response))
            rig.upstreamEnds()
            #expect(rig.actions == [.abortUpstream, .endExchange(.responseTruncated), .abortClient])
        }
    }

    @Test func malformedBodyResetsTheClientBehindWhatWasGood() {
        var rig = Self.attached(Self.get)
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        rig.upstreamSends(latin1(head + "2\r\nokX\r\n"))
        #expect(text(rig.toClient) == head + "2\r\nok")
        #expect(rig.endings == [.malformedResponse(.malformedChunkEnd)])
        #expect(rig.upstreams[0].end == .aborted && rig.clientEnd == .aborted)
    }

    /// Nothing of a second response may be taken for the answer to the next request.
    @Test(arguments: ["X", ok, "HTTP/1.1 100 Continue\r\n\r\n"])
    func upstreamThatSaysTooMuchIsNotUsedAgain(surplus: String) {
        var rig = Self.attached(Self.get)
        rig.upstreamSends(latin1(Self.ok + surplus))
        #expect(text(rig.toClient) == Self.ok)
        #expect(rig.upstreams[0].end == .released(reusable: false))
        #expect(rig.machine.isIdle && rig.upstreamBuffer.isEmpty)
    }

    @Test func interimResponsesGoBeforeTheFinalOne() {
        let interims = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
        var rig = Self.attached("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        rig.upstreamSends(latin1(interims))
        #expect(text(rig.toClient) == interims)
        rig.clientSends(latin1("hi"))
        rig.upstreamSends(latin1(Self.ok))
        #expect(text(rig.toClient) == interims + Self.ok)
        #expect(rig.machine.isIdle)
        var old = Self.attached("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        old.upstreamSends(latin1(interims + Self.keepAlive))
        #expect(text(old.toClient) == Self.keepAlive, "HTTP/1.0 knows no interim responses")
    }

    @Test func endlessInterimResponsesAreRefused() {
        var rig = Self.attached(Self.get)
        rig.upstreamSends(
            latin1(String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: HTTP1Limits.interimResponses))
        )
        #expect(rig.failures.isEmpty)
        rig.upstreamSends(latin1("HTTP/1.1 102 Processing\r\n\r\n"))
        #expect(rig.failures == [LostAttempt(.malformed(.tooManyInterimResponses), sawResponse: true)])
        rig.refuse(502)
        #expect(text(rig.toClient).hasSuffix("HTTP/1.1 502 weft\r\ncontent-length: 0\r\n\r\n"))
    }

    @Test func drainingEndsBehindTheResponse() {
        var rig = Self.attached(Self.get)
        rig.drain()
        #expect(rig.actions == [])
        rig.upstreamSends(latin1(Self.ok))
        #expect(text(rig.toClient) == "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nconnection: close\r\n\r\nok")
        #expect(rig.upstreams[0].end == .released(reusable: true))
        #expect(rig.clientEnd == .ended)
        var idle = ExchangeRig()
        idle.drain()
        #expect(idle.actions == [.endClient])
    }

    @Test func malformedHeadIsAnsweredAndTheConnectionEnds() {
        for refused in RequestCases.refused {
            var rig = Self.attached(Self.get + refused.text + Self.get)
            rig.upstreamSends(latin1(Self.ok))
            #expect(rig.endings == [.completed, .malformedRequest(refused.reason)])
            #expect(
                text(rig.toClient).hasPrefix(
                    Self.ok + "HTTP/1.1 \(refused.reason.status) weft\r\nconnection: close\r\n"
                )
            )
            #expect(rig.clientEnd == .ended && rig.upstreams.count == 1)
        }
    }

    @Test func malformedBodyNeverBecomesARequest() {
        for (text, reason) in ChunkCases.refused {
            var rig = Self.attached(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + text + Self.get
            )
            #expect(rig.endings == [.malformedRequest(reason)])
            #expect(rig.upstreams.map(\.end) == [.aborted])
            #expect(rig.actions.suffix(3).first == .answer(status: reason.status, closes: true))
            rig.clientSends(latin1(Self.get))
            #expect(rig.upstreams.count == 1)
        }
    }
}

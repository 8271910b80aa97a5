import NIOCore
import Testing
import WeftCore
import WeftProxy

@testable import WeftTransport

extension TunnelTests {
    /// Which tunnels are made, used again and ended: hbone.md sections 7 and 8.
    @Suite struct PoolTests {
        /// Runs `body` with a rig before an application that accepts and stays silent.
        func withRig(
            _ change: (inout TunnelRig.Options) -> Void = { _ in },
            _ body: (TunnelRig) async throws -> Void
        ) async throws {
            let (listener, application) = try TestSocket.listener(backlog: 2048)
            var options = TunnelRig.Options()
            options.application = application
            options.limits.tick = .milliseconds(10)
            change(&options)
            try await TunnelRig.with(options, body)
            _ = listener
        }

        /// Opens `count` streams at once and keeps them.
        func open(_ count: Int, on rig: TunnelRig) async throws -> OpenedStreams {
            let opened = try await OpenedStreams(rig)
            try await opened.ask(count)
            return opened
        }

        @Test func thousandFirstRequestsMakeOneHandshake() async throws {
            try await withRig {
                $0.limits.patience = .seconds(30)
                $0.limits.patienceMax = .seconds(30)
                $0.limits.answerTimeout = .seconds(30)
            } _: { rig in
                let opened = try await OpenedStreams(rig, keeping: false)
                try await opened.ask(1000)
                try await eventually("1000 answers") { try await opened.counts().successes == 1000 }
                let counters = try await rig.onClient { $0.pool.counters }
                #expect(counters.dials == 1)
                #expect(counters.handshakes == 1)
                #expect(counters.failures.isEmpty)
            }
        }

        @Test func fullTunnelsGetCompanyAndServeAgain() async throws {
            try await withRig {
                $0.limits.streamsAccepted = 2
            } _: { rig in
                let opened = try await open(5, on: rig)
                try await eventually("five streams") { try await opened.counts().successes == 5 }
                #expect(try await rig.onClient { $0.pool.load.tunnels } == 3)
                try await opened.closeAll()
                try await eventually("no streams") { try await rig.onClient { $0.pool.load.streams } == 0 }
                let again = try await open(5, on: rig)
                try await eventually("five more") { try await again.counts().successes == 5 }
                #expect(try await rig.onClient { $0.pool.counters.handshakes } == 3)
            }
        }

        @Test func ownLimitCountsAsWell() async throws {
            try await withRig {
                $0.limits.streamsPerConnection = 3
            } _: { rig in
                let opened = try await open(4, on: rig)
                try await eventually("four streams") { try await opened.counts().successes == 4 }
                #expect(try await rig.onClient { $0.pool.load.tunnels } == 2)
            }
        }

        @Test func idleTunnelIsClosed() async throws {
            try await withRig {
                $0.limits.idleTimeout = .milliseconds(20)
            } _: { rig in
                let opened = try await open(1, on: rig)
                try await eventually("one stream") { try await opened.counts().successes == 1 }
                try await opened.closeAll()
                try await eventually("no tunnel") {
                    let left = try await (
                        rig.onClient { $0.pool.load.tunnels }, rig.onServer { $0.server.load.tunnels }
                    )
                    return left == (0, 0)
                }
            }
        }

        @Test func answeredPingsKeepTunnels() async throws {
            try await withRig {
                $0.limits.pingInterval = .milliseconds(5)
                $0.limits.pingTimeout = .seconds(10)
            } _: { rig in
                let opened = try await open(1, on: rig)
                try await eventually("one stream") { try await opened.counts().successes == 1 }
                try await Task.sleep(for: .milliseconds(200))
                #expect(try await rig.onClient { $0.pool.load.streams } == 1)
            }
        }

        @Test func unansweredPingEndsTheTunnel() async throws {
            try await RawServer.with { server in
                try await withRig {
                    $0.node = server.address
                    $0.limits.pingInterval = .milliseconds(20)
                    $0.limits.pingTimeout = .seconds(1)
                } _: { rig in
                    let opened = try await open(1, on: rig)
                    let peer = try await server.greeted()
                    try await peer.expectClosed()
                    #expect(peer.frames.filter { $0.kind == .ping }.count == 1)
                    try await eventually("failure") { try await opened.counts().failures == [.pingTimeout] }
                }
            }
        }

        @Test func nodeThatIsGoneLosesItsTunnels() async throws {
            try await withRig { rig in
                let opened = try await open(2, on: rig)
                try await eventually("two streams") { try await opened.counts().successes == 2 }
                try await rig.onClient { $0.pool.close(to: .v4(0x0a00_0001)) }
                #expect(try await rig.onClient { $0.pool.load.streams } == 2)
                try await rig.onClient { $0.pool.close(to: rig.node.ip) }
                #expect(try await rig.onClient { $0.pool.load.tunnels } == 0)
                #expect(try await opened.streamFailures() == [.cancelled(.nodeGone), .cancelled(.nodeGone)])
            }
        }

        @Test func peerThatDoesNotPassAgainLosesItsTunnels() async throws {
            try await withRig { rig in
                let opened = try await open(1, on: rig)
                try await eventually("one stream") { try await opened.counts().successes == 1 }
                try await rig.onClient { $0.pool.recheck { $0.identity.account == "server" ? .good : .refused } }
                #expect(try await rig.onClient { $0.pool.load.streams } == 1)
                try await rig.onServer { $0.server.recheck { $0.identity.account != "client" ? .good : .refused } }
                try await eventually("no tunnel") { try await rig.onClient { $0.pool.load.tunnels } == 0 }
            }
        }

        @Test func waitersAreBounded() async throws {
            let (listener, silent) = try TestSocket.listener()
            try await withRig {
                $0.node = silent
                $0.limits.waitersMax = 2
                $0.limits.openTimeout = .milliseconds(300)
            } _: { rig in
                let opened = try await open(3, on: rig)
                #expect(try await opened.counts().failures.first == .overLimit)
                try await eventually("the others") { try await opened.counts().failures.count == 3 }
            }
            _ = listener
        }

        @Test func abandonedAttemptsHearNothing() async throws {
            try await RawServer.with { server in
                try await withRig {
                    $0.node = server.address
                } _: { rig in
                    let opened = try await open(2, on: rig)
                    try await opened.cancel(0)
                    let peer = try await server.greeted()
                    let asked = try await peer.expect { $0.kind == .headers }
                    try await opened.cancel(1)
                    let reset = try await peer.expect { $0.kind == .reset }
                    #expect(reset.stream == asked.stream)
                    #expect(reset.code == 8)
                    #expect(peer.frames.filter { $0.kind == .headers }.count == 1)
                    let counts = try await opened.counts()
                    #expect(counts.successes == 0 && counts.failures.isEmpty)
                }
            }
        }

        @Test func unansweredRequestIsGivenUp() async throws {
            try await RawServer.with { server in
                try await withRig {
                    $0.node = server.address
                    $0.limits.answerTimeout = .milliseconds(30)
                } _: { rig in
                    let opened = try await open(1, on: rig)
                    let peer = try await server.greeted()
                    try await peer.expect { $0.kind == .reset }
                    try await eventually("failure") { try await opened.counts().failures == [.timedOut(.answer)] }
                }
            }
        }

        // MARK: Refusals

        @Test func refusedStreamIsTriedOnceMoreElsewhere() async throws {
            try await RawServer.with { server in
                try await withRig {
                    $0.node = server.address
                } _: { rig in
                    let opened = try await open(1, on: rig)
                    let first = try await server.greeted()
                    try await first.expect { $0.kind == .headers }
                    try await first.send(.reset(1, 7))
                    let second = try await server.greeted(1)
                    try await second.expect { $0.kind == .headers }
                    try await second.send(.headers(1, [(":status", "200")]))
                    try await eventually("success") { try await opened.counts().successes == 1 }
                    #expect(try await rig.onClient { $0.pool.counters.retries } == 1)
                }
            }
        }

        @Test func firstBytesGoWithTheRequestAndOnceMoreElsewhere() async throws {
            try await RawServer.with { server in
                try await withRig {
                    $0.node = server.address
                    $0.listens = true
                } _: { rig in
                    let client = try TestSocket.connected(to: rig.entry)
                    let hello = [0] + Array("is no HTTP".utf8)
                    try client.write(hello)
                    let first = try await server.greeted()
                    #expect(try await first.expect { $0.kind == .data && $0.stream == 1 }.payload == hello)
                    try await first.send(.reset(1, 7))
                    let second = try await server.greeted(1)
                    #expect(try await second.expect { $0.kind == .data && $0.stream == 1 }.payload == hello)
                    try await second.send(.headers(1, [(":status", "200")]))
                    try client.write([1, 2, 3])
                    try await second.expect { $0.payload == [1, 2, 3] }
                    #expect(second.frames.filter { $0.kind == .data }.flatMap(\.payload) == hello + [1, 2, 3])
                    try await second.send(.data(1, [4]))
                    #expect(client.read(count: 1) == [4])
                }
            }
        }

        @Test func secondRefusalIsFinal() async throws {
            try await RawServer.with { server in
                try await withRig {
                    $0.node = server.address
                } _: { rig in
                    let opened = try await open(1, on: rig)
                    for index in 0..<2 {
                        let peer = try await server.greeted(index)
                        try await peer.expect { $0.kind == .headers }
                        try await peer.send(.reset(1, 7))
                    }
                    try await eventually("failure") { try await opened.counts().failures == [.notServed] }
                    #expect(server.count == 2)
                }
            }
        }

        @Test func farewellKeepsOldStreamsAndMovesNewOnes() async throws {
            try await RawServer.with { server in
                try await withRig {
                    $0.node = server.address
                } _: { rig in
                    let opened = try await open(2, on: rig)
                    let first = try await server.greeted()
                    try await first.expect { $0.kind == .headers && $0.stream == 3 }
                    try await first.send(.headers(1, [(":status", "200")]), .goAway(last: 1))
                    // The second was not looked at.
                    let second = try await server.greeted(1)
                    try await second.expect { $0.kind == .headers }
                    try await second.send(.headers(1, [(":status", "200")]))
                    try await eventually("both") { try await opened.counts().successes == 2 }
                    #expect(try await rig.onClient { $0.pool.load.tunnels } == 2)
                    try await opened.write([1, 2, 3], to: 0)
                    #expect(try await first.expect { $0.kind == .data && $0.stream == 1 }.payload == [1, 2, 3])
                    // The last stream takes the old tunnel with it.
                    try await first.send(.reset(1, 0))
                    try await first.expectClosed()
                    #expect(!second.isClosed)
                }
            }
        }

        @Test(arguments: [
            (["200"], true, TunnelFailure.refused(status: 200, because: "the stream ended with the answer")),
            (["201"], false, .refused(status: 201, because: nil)), (["204"], true, .refused(status: 204, because: nil)),
            (["206"], false, .refused(status: 206, because: nil)),
            (["101"], false, .refused(status: 101, because: nil)),
            (["503", "weft-reason", "refused"], true, .refused(status: 503, because: "refused")),
            (["403"], true, .denied(rule: nil, node: nil)),
            (["401", "weft-denied-by", "allow", "weft-node", "b"], true, .denied(rule: "allow", node: "b")),
        ])
        func onlyTwoHundredIsSuccess(answer: [String], isEnd: Bool, failure: TunnelFailure) async throws {
            try await RawServer.with { server in
                try await withRig {
                    $0.node = server.address
                } _: { rig in
                    let opened = try await open(1, on: rig)
                    let peer = try await server.greeted()
                    try await peer.expect { $0.kind == .headers }
                    var headers = [(":status", answer[0])]
                    for index in stride(from: 1, to: answer.count, by: 2) {
                        headers.append((answer[index], answer[index + 1]))
                    }
                    try await peer.send(.headers(1, headers, flags: RawFrame.endHeaders | (isEnd ? RawFrame.end : 0)))
                    try await eventually("failure") { try await opened.counts().failures == [failure] }
                    #expect(!peer.frames.contains { $0.kind == .data })
                }
            }
        }

        @Test func bodyOfAnErrorIsIgnored() async throws {
            try await RawServer.with { server in
                try await withRig {
                    $0.node = server.address
                } _: { rig in
                    let opened = try await open(1, on: rig)
                    let peer = try await server.greeted()
                    try await peer.expect { $0.kind == .headers }
                    try await peer.send(
                        .headers(1, [(":status", "503")]),
                        .data(1, Array("sorry".utf8), end: true),
                        .reset(1, 0)
                    )
                    try await eventually("failure") {
                        try await opened.counts().failures == [.refused(status: 503, because: nil)]
                    }
                    let again = try await open(1, on: rig)
                    try await peer.expect { $0.kind == .headers && $0.stream == 3 }
                    try await peer.send(.headers(3, [(":status", "200")]))
                    try await eventually("success") { try await again.counts().successes == 1 }
                }
            }
        }
    }
}

/// Streams that were asked for directly, and what became of them.
final class OpenedStreams: Sendable {
    private let rig: TunnelRig
    private let state: NIOLoopBound<State>

    final class State {
        let keeps: Bool
        var attempts: [TunnelAttempt] = []
        var streams: [TunnelStream] = []
        var successes = 0
        var failures: [TunnelFailure] = []

        init(keeps: Bool) { self.keeps = keeps }
    }

    /// Without `keeping`, a stream is given up as soon as it is answered.
    init(_ rig: TunnelRig, keeping: Bool = true) async throws {
        self.rig = rig
        state = try await rig.onClient { NIOLoopBound(State(keeps: keeping), eventLoop: $0.eventLoop) }
    }

    func ask(_ count: Int) async throws {
        let state = self.state
        try await rig.onClient { node in
            let state = state.value
            for _ in 0..<count {
                let target = node.options.application ?? NetworkAddress(.loopbackV4, port: 1)
                let attempt = node.pool.open(.address(target), along: node.key) { result in
                    switch result {
                    case .success(let stream):
                        state.successes += 1
                        if state.keeps { state.streams.append(stream) } else { stream.abandon() }
                    case .failure(let failure):
                        state.failures.append(failure)
                    }
                }
                state.attempts.append(attempt)
            }
        }
    }

    func counts() async throws -> (successes: Int, failures: [TunnelFailure]) {
        let state = self.state
        return try await rig.onClient { _ in (state.value.successes, state.value.failures) }
    }

    func streamFailures() async throws -> [TunnelFailure?] {
        let state = self.state
        return try await rig.onClient { _ in state.value.streams.map(\.failure) }
    }

    func closeAll() async throws {
        let state = self.state
        try await rig.onClient { _ in
            for stream in state.value.streams { stream.close() }
            state.value.streams = []
        }
    }

    func cancel(_ index: Int) async throws {
        let state = self.state
        try await rig.onClient { _ in state.value.attempts[index].cancel() }
    }

    func write(_ bytes: [UInt8], to index: Int) async throws {
        let state = self.state
        try await rig.onClient { _ in
            state.value.streams[index].write(ByteBuffer(bytes: bytes))
            state.value.streams[index].flush()
        }
    }
}

import NIOCore
import NIOPosix
import Testing
import WeftCore
import WeftTransport

/// Posts to collectors that answer well, badly, or not at all.
@Suite(.blocking) struct CollectorClientTests {
    /// What a collector saw of one post.
    private struct Seen: Sendable {
        var request = ""
        var end = TestSocket.ReadResult.timeout
    }

    private func withClient(_ body: (CollectorClient) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            try await body(CollectorClient(group: group, dialMark: nil))
        } catch {
            try? await group.shutdownGracefully()  // The error that matters is the first one.
            throw error
        }
        try await group.shutdownGracefully()
    }

    /// Tasks that wait for a thread of Swift's can be late beside tests that block them.
    private static func accept(_ listener: TestSocket) -> TestSocket? {
        for _ in 0..<6 { if let socket = try? listener.accept() { return socket } }
        return nil
    }

    /// Takes one post of `{}`, answers, and waits for the client's end.
    private static func serve(_ listener: TestSocket, answer: String?, ends: Bool) -> Blocking<Seen> {
        Blocking.start {
            guard let socket = accept(listener) else { return Seen() }
            let request = socket.readHead() + socket.readText(2)
            if let answer { try? socket.write(answer) }
            if ends { socket.endOutput() }
            return Seen(request: request, end: socket.read())
        }
    }

    private func post(
        answer: String?,
        ends: Bool = true,
        timeout: Duration = .seconds(20)
    ) async throws -> (seen: Seen, result: Result<Int, any Error>) {
        let (listener, address) = try TestSocket.listener()
        var result: Result<Int, any Error> = .success(0)
        let server = Self.serve(listener, answer: answer, ends: ends)
        try await withClient { client in
            let collector = PeerAddress(.ip(address.ip), port: address.port)
            do {
                let status = try await client.post(Array("{}".utf8), to: "/v1/traces", at: collector, timeout: timeout)
                result = .success(status)
            } catch {
                result = .failure(error)
            }
        }
        var seen = await server.value
        seen.request = seen.request.replacing("\(address)", with: "ADDRESS")
        return (seen, result)
    }

    @Test func aPostIsAWholeRequest() async throws {
        let (seen, result) = try await post(answer: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", ends: false)
        #expect(try result.get() == 200)
        #expect(seen.end == .end, "the client closes")
        #expect(
            seen.request.components == [
                "POST /v1/traces HTTP/1.1", "host: ADDRESS", "content-type: application/json", "content-length: 2",
                "user-agent: weft/\(weftVersion)", "connection: close", "{}",
            ]
        )
    }

    @Test(arguments: [("HTTP/1.1 503 No\r\n\r\n", 503), ("HTTP/1.1 404 No\r\ncontent-length: 9\r\n\r\nhalf", 404)])
    func aStatusCountsWhateverFollows(_ answer: String, _ status: Int) async throws {
        #expect(try await post(answer: answer).result.get() == status)
    }

    @Test(arguments: ["", "HTTP/1.1", "SMTP\r\n\r\n"])
    func whatIsNoAnswerIsAnError(_ answer: String) async throws {
        let result = try await post(answer: answer).result
        #expect(throws: (any Error).self) { try result.get() }
    }

    @Test func aLongBodyIsNotWaitedFor() async throws {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"
        let answer = head + String(repeating: "x", count: 70_000)
        #expect(try await post(answer: answer, ends: false).result.get() == 200)
    }

    @Test func silenceEndsAtTheTimeout() async throws {
        let (seen, result) = try await post(answer: nil, ends: false, timeout: .seconds(2))
        #expect(throws: CollectorError.timeout) { try result.get() }
        #expect(seen.request.hasSuffix("{}") && seen.end == .end)
    }

    @Test func aClosedPortIsAnError() async throws {
        let address = try TestSocket.listener().1
        try await withClient { client in
            let collector = PeerAddress(.ip(address.ip), port: address.port)
            await #expect(throws: (any Error).self) {
                try await client.post([], to: "/", at: collector, timeout: .seconds(20))
            }
        }
    }

    @Test func cancellingGivesUp() async throws {
        let (listener, address) = try TestSocket.listener()
        let asked = Blocking.start { () -> TestSocket? in
            let socket = Self.accept(listener)
            _ = socket?.readHead()
            return socket
        }
        try await withClient { client in
            let collector = PeerAddress(.ip(address.ip), port: address.port)
            let post = Task { try await client.post([], to: "/", at: collector, timeout: .seconds(60)) }
            let accepted = await asked.value
            let server = try #require(accepted)
            post.cancel()
            await #expect(throws: CancellationError.self) { try await post.value }
            let end = await Blocking.start { server.read() }.value
            #expect(end == .end)
        }
    }
}

import Glibc
import NIOHTTP1
import Testing
import WeftAPI

@testable import WeftCLI

/// The real transport against real sockets: what it asks, and what it makes of a daemon that is away, slow or strange.
@Suite(.timeLimit(.minutes(1))) struct UnixSocketTransportTests {
    @Test("A GET and a POST arrive with method, target and host, and the answer comes back whole")
    func exchange() async throws {
        let seen: @Sendable (HTTPRequestHead, String) -> (HTTPResponseStatus, String) = { head, _ in
            (.ok, "\(head.method) \(head.uri) \(head.headers["host"]) \(head.version)")
        }
        try await TestServer.with(.http(seen)) { server in
            let transport = UnixSocketTransport()
            let get = try await transport.exchange(DaemonRequest(.decisions, query: "last=7"), at: server.socket)
            #expect(get.status == 200)
            #expect(String(decoding: get.body, as: UTF8.self) == #"GET /v1/decisions?last=7 ["weftd"] HTTP/1.1"#)
            let post = try await transport.exchange(DaemonRequest(.captureOff), at: server.socket)
            #expect(String(decoding: post.body, as: UTF8.self) == #"POST /v1/capture/off ["weftd"] HTTP/1.1"#)
        }
    }

    @Test("A body goes as JSON with its length; without one there is neither type nor body")
    func requestBody() async throws {
        let seen: @Sendable (HTTPRequestHead, String) -> (HTTPResponseStatus, String) = { head, body in
            (.ok, "\(head.headers["content-type"]) \(head.headers["content-length"]) \(body)")
        }
        try await TestServer.with(.http(seen)) { server in
            let transport = UnixSocketTransport()
            let request = DaemonRequest(.join, body: Array(#"{"addresses":["ü"]}"#.utf8))
            let with = try await transport.exchange(request, at: server.socket)
            #expect(String(decoding: with.body, as: UTF8.self) == #"["application/json"] ["20"] {"addresses":["ü"]}"#)
            let without = try await transport.exchange(DaemonRequest(.captureOn), at: server.socket)
            #expect(String(decoding: without.body, as: UTF8.self) == #"[] ["0"] "#)
        }
    }

    @Test("A request's own limit of time counts instead of the transport's, be it shorter or longer")
    func ownTimeout() async throws {
        let short = DaemonRequest(.events, timeout: .milliseconds(150))
        try await TestServer.with(.raw("", thenCloses: false)) { server in
            let late = DaemonError.timedOut(server.socket, target: "/v1/events", after: .milliseconds(150))
            #expect(await ask(server.socket, short) == .failure(late))
        }
        let long = DaemonRequest(.events, timeout: .seconds(20))
        try await TestServer.with(.http { _, _ in (.ok, "{}") }) { server in
            let answer = await ask(server.socket, long, timeout: .zero)
            #expect(answer == .success(DaemonAnswer(status: 200, body: Array("{}".utf8))))
        }
    }

    @Test(
        "A whole command works over a socket whose path has odd characters",
        arguments: ["w s.sock", "ü%2F:@?#.sock"]
    )
    func oddPath(_ name: String) async throws {
        try await TestServer.with(.http { _, _ in (.ok, Answers.statusGood) }, name: name) { server in
            let session = Session(
                transport: UnixSocketTransport(),
                live: RecordedOutput(),
                style: .plain,
                environment: ["WEFT_SOCKET": server.socket.path],
                isRoot: true
            )
            let run = await CommandLineRun.run(["status"], in: session)
            #expect(run.status == .good)
            #expect(run.output.hasPrefix("weft 0.1.0 on web-1, up 3d4h\n"))
        }
    }

    @Test("A status that means failure is an answer, and a redirect is not followed", arguments: [302, 403, 404, 503])
    func failures(_ code: Int) async throws {
        let text = "HTTP/1.1 \(code) X\r\nlocation: http://192.0.2.1/\r\ncontent-length: 2\r\n\r\n{}"
        let answer = try await exchange(with: .raw(text, thenCloses: false))
        #expect(answer == .success(DaemonAnswer(status: code, body: Array("{}".utf8))))
    }

    @Test("An answer without a length ends with the connection")
    func closeDelimited() async throws {
        let answer = try await exchange(with: .raw("HTTP/1.1 200 OK\r\n\r\n[]", thenCloses: true))
        #expect(answer == .success(DaemonAnswer(status: 200, body: Array("[]".utf8))))
    }

    @Test("No socket, no listener and no socket at all are told apart")
    func unreachable() async throws {
        try await withTemporaryFolder { folder in
            let missing = try SocketPath("\(folder)/none")
            #expect(await ask(missing) == .failure(.noSocket(missing)))
            let inNoFolder = try SocketPath("\(folder)/none/weft.sock")
            #expect(await ask(inNoFolder) == .failure(.noSocket(inNoFolder)))
            let itself = try SocketPath(folder)
            #expect(await ask(itself) == .failure(.notListening(itself)))
            let stale = try SocketPath("\(folder)/stale")
            let descriptor = try boundSocket(stale)
            #expect(await ask(stale) == .failure(.notListening(stale)))
            close(descriptor)
            #expect(await ask(stale) == .failure(.notListening(stale)))
        }
    }

    @Test(
        "Each error number of connect has its meaning",
        arguments: [
            (ENOENT, .noSocket(socket)), (ECONNREFUSED, .notListening(socket)),
            (EACCES, .notPermitted(socket, uid: geteuid())), (EPERM, .notPermitted(socket, uid: geteuid())),
            (EAGAIN, .busy(socket)), (ECONNRESET, .closedUnanswered(socket)), (EPIPE, .closedUnanswered(socket)),
            (EMFILE, .cannotConnect(socket, reason: "Too many open files")),
        ] as [(CInt, DaemonError)]
    )
    func connectErrors(_ number: CInt, _ error: DaemonError) {
        #expect(DaemonError(connectErrno: number, at: socket) == error)
    }

    @Test("A daemon that closes without a word is not reachable")
    func closedUnanswered() async throws {
        try await TestServer.with(.raw("", thenCloses: true)) { server in
            #expect(await ask(server.socket) == .failure(.closedUnanswered(server.socket)))
        }
    }

    @Test(
        "An answer that breaks off in its head or its body is not taken for whole",
        arguments: [
            "HTTP/1.1 200 OK\r\ncontent-le", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[1,2,\r\n",
        ]
    )
    func truncated(_ text: String) async throws {
        try await TestServer.with(.raw(text, thenCloses: true)) { server in
            let answer = await ask(server.socket)
            #expect(answer == .failure(.truncated(server.socket)))
        }
    }

    @Test(
        "What does not speak HTTP is not taken for weftd",
        arguments: ["SSH-2.0-OpenSSH_9.2\r\n\r\n", "\0\u{1}\u{2}\u{3}garbage", "HTTP/1.1 abc\r\n\r\n"]
    )
    func garbage(_ text: String) async throws {
        try await TestServer.with(.raw(text, thenCloses: false)) { server in
            guard case .failure(.notHTTP(server.socket, _)) = await ask(server.socket) else {
                Issue.record("\(text) was taken for HTTP")
                return
            }
        }
    }

    @Test("A daemon that says nothing, stops in the middle or drips is given up on in time")
    func slow() async throws {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n\r\n"
        let behaviours: [TestServer.Behaviour] = [
            .raw("", thenCloses: false), .raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[", thenCloses: false),
            .drip(head: "HTTP/1.1 200 OK\r\n\r\n"), .drip(head: head),
        ]
        for behaviour in behaviours {
            try await TestServer.with(behaviour) { server in
                let answer = await ask(server.socket, timeout: .milliseconds(150))
                let late = DaemonError.timedOut(server.socket, target: "/v1/status", after: .milliseconds(150))
                #expect(answer == .failure(late), "\(behaviour)")
            }
        }
    }

    @Test(
        "A body past the limit is refused, with a length and without",
        arguments: [
            "HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n" + String(repeating: " ", count: 101),
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\n[",
            "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: " ", count: 5000),
        ]
    )
    func tooLarge(_ text: String) async throws {
        try await TestServer.with(.raw(text, thenCloses: true)) { server in
            let answer = await ask(server.socket, bodyLimit: 100)
            #expect(answer == .failure(.tooLarge(target: "/v1/status", limit: 100)))
        }
    }

    @Test("A body of exactly the limit is read")
    func atLimit() async throws {
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n" + String(repeating: " ", count: 100)
        try await TestServer.with(.raw(text, thenCloses: false)) { server in
            let whole = DaemonAnswer(status: 200, body: Array(repeating: UInt8(ascii: " "), count: 100))
            #expect(await ask(server.socket, bodyLimit: 100) == .success(whole))
        }
    }

    @Test("Exchanges leave no descriptor behind")
    func descriptors() async throws {
        let exchanges = 50
        try await TestServer.with(.http { _, _ in (.ok, "[]") }) { server in
            // Other tests open and close some of their own meanwhile, but an exchange that leaks leaves at least one.
            let limit = try openSockets() + exchanges
            for _ in 0..<exchanges { _ = await ask(server.socket) }
            let deadline = ContinuousClock.now + .seconds(20)
            while try openSockets() >= limit, ContinuousClock.now < deadline {
                await Task.yield()
            }
            #expect(try openSockets() < limit)
        }
    }

    private func ask(
        _ socket: SocketPath,
        _ request: DaemonRequest = DaemonRequest(.status),
        timeout: Duration = .seconds(20),
        bodyLimit: Int = 1 << 20
    ) async -> Result<DaemonAnswer, DaemonError> {
        do throws(DaemonError) {
            let transport = UnixSocketTransport(timeout: timeout, bodyLimit: bodyLimit)
            return .success(try await transport.exchange(request, at: socket))
        } catch {
            return .failure(error)
        }
    }

    private func exchange(with behaviour: TestServer.Behaviour) async throws -> Result<DaemonAnswer, DaemonError> {
        try await TestServer.with(behaviour) { await ask($0.socket) }
    }
}

import Glibc
import ServiceLifecycle
import Testing
import WeftTestRig

@testable import WeftDaemon

extension APITests {
    @Suite("The socket")
    struct SocketTests {
        @Test("Everybody may connect, once requests are answered")
        func permissions() async throws {
            try await RunningServer.with { server in
                let status = try #require(fileStatus(server.path))
                #expect(status.type == S_IFSOCK)
                #expect(status.permissions == 0o666)
            }
        }

        @Test("A socket that a killed process left behind is replaced")
        func staleSocket() async throws {
            let leaveBehind = { @Sendable (path: String) in
                let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
                let result = withSocketAddress(path) { bind(descriptor, $0, $1) }
                close(descriptor)
                guard result == 0 else { throw TestFailure("bind \(path): errno \(errno)") }
            }
            try await RunningServer.with(prepare: leaveBehind) { server in
                let answer = try await server.ask("GET", "/v1/version")
                #expect(answer.status == 200)
            }
        }

        @Test("What is no socket is left alone, and said to be in the way")
        func fileInTheWay() async throws {
            try await withTemporaryFolder { folder in
                let path = folder + "/precious"
                let descriptor = open(path, O_CREAT | O_WRONLY, 0o600)
                #expect(write(descriptor, "data", 4) == 4)
                close(descriptor)
                let error = await failure(at: path)
                #expect(
                    error
                        == .apiSocket(path: path, reason: "something that is no socket has this name")
                )
                #expect(fileStatus(path)?.size == 4)
            }
        }

        @Test("A place where no socket can be is refused with the path and the reason")
        func noPlace() async throws {
            try await withTemporaryFolder { folder in
                let cases = [
                    (folder + "/none/weft.sock", "No such file or directory"),
                    ("/proc/weft.sock", ""),
                    (folder, "something that is no socket has this name"),
                    (
                        folder + "/" + String(repeating: "x", count: 120),
                        "the path is longer than the 107 bytes allowed"
                    ),
                ]
                for (path, reason) in cases {
                    guard case .apiSocket(path, let given) = await failure(at: path) else {
                        Issue.record("no DaemonError for \(path)")
                        continue
                    }
                    #expect(given.contains(reason), "\(path): \(given)")
                }
            }
        }

        /// How a server at this path fails to start; nil when it fails otherwise than by a `DaemonError`, or runs.
        private func failure(at path: String) async -> DaemonError? {
            do {
                try await withEventLoopGroup { group in
                    try await withThrowingTaskGroup(of: Void.self) { tasks in
                        let server = APIServer(
                            socketPath: path,
                            connectionsMax: 10,
                            reports: FixedReports(),
                            logger: RecordedLog().logger
                        )
                        let (ready, readiness) = AsyncStream<Void>.makeStream()
                        tasks.addTask {
                            defer { readiness.finish() }
                            try await server.run(on: group) { readiness.yield() }
                        }
                        for await _ in ready { tasks.cancelAll() }
                        try await tasks.waitForAll()
                    }
                }
                return nil
            } catch {
                return error as? DaemonError
            }
        }

        @Test("Further connections wait for one of the allowed number to end")
        func connectionLimit() async throws {
            try await RunningServer.with(connectionsMax: 2) { server in
                let path = server.path
                let clients = try await blocking {
                    // More than the limit and than what one turn of the event loop accepts.
                    try (0..<40).map { _ in
                        let client = try UnixClient(path)
                        try client.send("GET /v1/version HTTP/1.1\r\nHost: weft\r\n\r\n".utf8)
                        return client
                    }
                }
                try await waitUntil("the first ones are answered") { server.reports.calls.count >= 2 }
                try await Task.sleep(for: .milliseconds(200))
                #expect(server.reports.calls.count < 10)
                // Each that ends makes room for another.
                let statuses = try await blocking {
                    try clients.map { client in
                        let status = try client.answer()?.status
                        client.hangUp()
                        return status
                    }
                }
                #expect(statuses == [Int?](repeating: 200, count: 40))
            }
        }

        @Test("When weftd stops, idle and stalled clients do not hold it up")
        func stopping() async throws {
            try await withTemporaryFolder { folder in
                let path = folder + "/weft.sock"
                let reports = FixedReports(metricsText: String(repeating: "x", count: 4 << 20))
                let log = RecordedLog()
                try await withEventLoopGroup { group in
                    let (ready, readiness) = AsyncStream<Void>.makeStream()
                    let service = APIService(
                        server: APIServer(socketPath: path, connectionsMax: 10, reports: reports, logger: log.logger),
                        group: group
                    ) { readiness.finish() }
                    let services = ServiceGroup(configuration: .init(services: [service], logger: log.logger))
                    async let running: Void = services.run()
                    for await _ in ready {}
                    let clients = try await blocking {
                        let idle = try UnixClient(path)
                        try idle.send("GET /v1/version HTTP/1.1\r\nHost: weft\r\n\r\n".utf8)
                        guard try idle.answer() != nil else { throw TestFailure("no answer") }
                        // Asks for more than any socket buffer holds, and takes none of it.
                        let stalled = try UnixClient(path)
                        for _ in 0..<20 { try stalled.send("GET /metrics HTTP/1.1\r\nHost: weft\r\n\r\n".utf8) }
                        return [idle, stalled]
                    }
                    try await waitUntil("the stalled client's first request arrives") {
                        reports.calls.contains(.metrics)
                    }
                    let began = ContinuousClock.now
                    await services.triggerGracefulShutdown()
                    try await running
                    // systemd's patience is 90 s; the limit for slow clients is 30 s.
                    #expect(ContinuousClock.now - began < .seconds(20))
                    withExtendedLifetime(clients) {}
                }
            }
        }
    }
}

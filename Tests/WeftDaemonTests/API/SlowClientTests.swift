import Glibc
import NIOCore
import Testing
import WeftTestRig

@testable import WeftDaemon

extension APITests {
    /// Clients that say nothing, too little, or do not listen. The idle limit is short here; it is 30 s in weftd.
    @Suite("Slow clients")
    struct SlowClientTests {
        @Test(
            "A client that stops in the middle of a request is closed",
            arguments: [
                "", "G", "GET /v1/status", "GET /v1/status HTTP/1.1\r\nHos",
                "GET /v1/status HTTP/1.1\r\nHost: weft\r\n",
            ]
        )
        func silence(_ text: String) async throws {
            try await RunningServer.with(idleTimeout: .seconds(2)) { server in
                let path = server.path
                let bytes = try await blocking {
                    let client = try UnixClient(path)
                    try client.send(text.utf8)
                    return try client.readToEnd()
                }
                #expect(HTTPAnswer.all(in: bytes).answers.allSatisfy { $0.status == 400 })
                #expect(server.reports.calls == [])
            }
        }

        @Test("A client that keeps a connection after its answer is closed")
        func idleAfterAnswer() async throws {
            try await RunningServer.with(idleTimeout: .seconds(2)) { server in
                let path = server.path
                let (status, rest) = try await blocking {
                    let client = try UnixClient(path)
                    try client.send("GET /v1/version HTTP/1.1\r\nHost: weft\r\n\r\n".utf8)
                    return (try client.answer()?.status, try client.readToEnd())
                }
                #expect(status == 200)
                #expect(rest == [])
            }
        }

        @Test("A client that sends its request a byte at a time, for ever, is closed")
        func drippingHead() async throws {
            try await RunningServer.with(idleTimeout: .seconds(2)) { server in
                let path = server.path
                let sent = try await blocking {
                    let client = try UnixClient(path)
                    try client.send("GET /v1/status HTTP/1.1\r\nX: ".utf8)
                    // Gives up after 60 s.
                    for count in 0..<6000 {
                        do { try client.send("y".utf8) } catch { return count }
                        usleep(10_000)
                    }
                    throw TestFailure("still open")
                }
                #expect(sent > 0)
                #expect(server.reports.calls == [])
            }
        }

        @Test("A client that asks and asks and never reads is closed")
        func neverReads() async throws {
            let large = FixedReports(metricsText: String(repeating: "x", count: 1 << 20))
            try await RunningServer.with(large, idleTimeout: .seconds(2)) { server in
                let path = server.path
                let client = try await blocking {
                    let client = try UnixClient(path)
                    for _ in 0..<100 { try client.send("GET /metrics HTTP/1.1\r\nHost: weft\r\n\r\n".utf8) }
                    return client
                }
                try await waitUntil("the server has closed the connection", within: .seconds(30)) {
                    var entry = pollfd(fd: client.descriptor, events: 0, revents: 0)
                    return poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLHUP) != 0
                }
                // It was not answered all the same: what is held for one client has a bound.
                #expect(server.reports.calls.count < 100)
            }
        }

        @Test("A client that reads slowly, but reads, gets everything")
        func readsSlowly() async throws {
            let size = 2 << 20
            let large = FixedReports(metricsText: String(repeating: "x", count: size))
            try await RunningServer.with(large, idleTimeout: .seconds(60)) { server in
                let path = server.path
                let body = try await blocking {
                    let client = try UnixClient(path)
                    try client.send("GET /metrics HTTP/1.1\r\nHost: weft\r\n\r\n".utf8)
                    usleep(200_000)
                    return try client.answer()?.body.utf8.count
                }
                #expect(body == size)
            }
        }

        @Test("Clients that vanish leave nothing behind and do not fill the log")
        func vanishing() async throws {
            try await RunningServer.with { server in
                let path = server.path
                try await blocking {
                    for _ in 0..<200 {
                        let client = try UnixClient(path)
                        try client.send("GET /v1/status HTTP/1.1\r\nHost: weft\r\n\r\n".utf8)
                    }
                }
                #expect(try await server.ask("GET", "/v1/version").status == 200)
                #expect(server.log.messages.filter { $0.hasPrefix("error") } == [])
            }
        }
    }
}

import NIOCore
import Testing
import WeftAPI

@testable import WeftDaemon

extension APITests {
    /// What no client would send. Root sends it, so that only the parser stands between it and the host.
    @Suite("Malformed requests")
    struct MalformedRequestTests {
        struct Request: Sendable, CustomTestStringConvertible {
            let name: String
            let bytes: [UInt8]

            init(_ name: String, _ text: String) {
                self.name = name
                self.bytes = Array(text.utf8)
            }

            init(_ name: String, bytes: [UInt8]) {
                self.name = name
                self.bytes = bytes
            }

            var testDescription: String { name }
        }

        private static func off(_ headers: String, body: String = "") -> String {
            "POST /v1/capture/off HTTP/1.1\r\nHost: weft\r\n\(headers)\r\n\(body)"
        }

        private static func noise(_ seed: UInt64) -> [UInt8] {
            var state = seed
            return (0..<100_000).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 33)
            }
        }

        static let requests = [
            Request("nothing", ""),
            Request("zeros", bytes: [UInt8](repeating: 0, count: 100_000)),
            Request("noise 1", bytes: noise(1)),
            Request("noise 2", bytes: noise(2)),
            Request("line ends only", String(repeating: "\r\n", count: 50_000)),
            Request(
                "TLS client hello",
                bytes: [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3] + [UInt8](repeating: 7, count: 507)
            ),
            Request("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            Request("version of the future", "POST /v1/capture/off HTTP/9.9\r\nHost: weft\r\n\r\n"),
            Request("no version", "POST /v1/capture/off\r\n\r\n"),
            Request("half a request line", "POST /v1/capture/o"),
            Request("half a header", "POST /v1/capture/off HTTP/1.1\r\nHost: we"),
            Request("no end of headers", "POST /v1/capture/off HTTP/1.1\r\nHost: weft\r\n"),
            Request("space before the colon", off("Content-Length : 0\r\n")),
            Request("folded header", off("X: y\r\n folded\r\n")),
            Request("header without a name", off(": x\r\n")),
            Request("zero in a header", off("X: a\0b\r\n")),
            Request("zero in the path", "POST /v1/capture/off\0 HTTP/1.1\r\nHost: weft\r\n\r\n"),
            Request("negative length", off("Content-Length: -1\r\n")),
            Request("length that is no number", off("Content-Length: 1x\r\n")),
            Request("length past 64 bits", off("Content-Length: 99999999999999999999999\r\n")),
            Request("two lengths", off("Content-Length: 0\r\nContent-Length: 5\r\n", body: "GET /")),
            Request("length and chunks", off("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", body: "0\r\n\r\n")),
            Request("chunks by another name", off("Transfer-Encoding: xchunked\r\n", body: "0\r\n\r\n")),
            Request("chunked twice", off("Transfer-Encoding: chunked, chunked\r\n", body: "0\r\n\r\n")),
            Request("bad chunk size", off("Transfer-Encoding: chunked\r\n", body: "zz\r\n\r\n")),
            Request("huge chunk size", off("Transfer-Encoding: chunked\r\n", body: "ffffffffffffffff1\r\n\r\n")),
            Request("method of another protocol", "BREW /v1/capture/off HTTP/1.1\r\nHost: weft\r\n\r\n"),
            Request("header of 1 MB", off("X: " + String(repeating: "y", count: 1 << 20) + "\r\n")),
            Request("100 000 headers", off(String(repeating: "X: y\r\n", count: 100_000))),
            Request("path of 1 MB", "POST /" + String(repeating: "a", count: 1 << 20) + " HTTP/1.1\r\n\r\n"),
            Request("method of 1 MB", String(repeating: "A", count: 1 << 20) + " / HTTP/1.1\r\n\r\n"),
        ]

        @Test("It is refused or closed, reaches nothing, and the next request is answered", arguments: requests)
        func refused(_ request: Request) async throws {
            // Some say too little, and wait to be cut off.
            try await RunningServer.with(idleTimeout: .seconds(2)) { server in
                let (answers, rest) = try await server.exchange(request.bytes)
                #expect(rest == [])
                #expect(answers.allSatisfy { $0.status >= 400 }, "\(answers)")
                #expect(server.reports.calls == [])
                #expect(try await server.ask("GET", "/v1/version").status == 200)
            }
        }

        @Test(
            "A request with a body is refused, and its body is no request",
            arguments: [
                "Content-Length: 51\r\n\r\n" + hidden,
                "Transfer-Encoding: chunked\r\n\r\n33\r\n" + hidden + "\r\n0\r\n\r\n",
                "Expect: 100-continue\r\nContent-Length: 51\r\n\r\n" + hidden,
            ]
        )
        func hiddenRequest(_ rest: String) async throws {
            #expect(Self.hidden.utf8.count == 51)
            try await RunningServer.with { server in
                for line in ["GET /v1/status", "POST /v1/capture/on", "GET /v1/none"] {
                    let (answers, rest) = try await server.exchange("\(line) HTTP/1.1\r\nHost: weft\r\n\(rest)")
                    #expect(rest == [])
                    #expect(answers.map(\.status) == [413])
                    #expect(
                        answers.first?.error
                            == ErrorResponse(
                                code: "body-not-expected",
                                text: "\(line): this request has no body",
                                next: "weft help"
                            )
                    )
                }
                #expect(server.reports.calls == [])
            }
        }

        private static let hidden = "POST /v1/capture/off HTTP/1.1\r\nHost: weft.local\r\n\r\n"

        @Test("A body of 100 MB is refused before it comes, is never held, and hinders nobody")
        func hugeBody() async throws {
            try await RunningServer.with { server in
                let path = server.path
                let size = 100_000_000
                let answer = try await blocking {
                    let client = try UnixClient(path)
                    try client.send(Self.off("Content-Length: \(size)\r\n").utf8)
                    let answer = try client.answer()
                    let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
                    // The server may read on or close; it must not wait for ever.
                    for _ in 0..<size >> 20 { try? client.send(chunk) }
                    return answer
                }
                #expect(answer?.status == 413)
                #expect(server.reports.calls == [])
                #expect(try await server.ask("GET", "/v1/version").status == 200)
            }
        }

        @Test("An empty body that is announced is none")
        func emptyBody() async throws {
            try await RunningServer.with { server in
                let answer = try await server.ask("POST", "/v1/capture/on", headers: "Content-Length: 0\r\n")
                #expect(answer.status == 200)
                #expect(server.reports.calls == [.setCapture(true)])
            }
        }
    }
}

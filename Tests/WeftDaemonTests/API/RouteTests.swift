import Testing
import WeftAPI
import WeftCore

@testable import WeftDaemon

extension APITests {
    @Suite("Routes")
    struct RouteTests {
        struct Route: Sendable, CustomTestStringConvertible {
            let route: APIRoute
            let call: FixedReports.Call
            let body: String
            /// What a request carries.
            var sent: String?

            var testDescription: String { route.rawValue }
        }

        @Test("Every route of the API is in the table below")
        func allRoutes() {
            #expect(Self.routes.map(\.route) == APIRoute.allCases)
        }

        @Test("A route answers root with what the daemon reports, JSON with sorted keys", arguments: routes)
        func answers(_ route: Route) async throws {
            try await RunningServer.with { server in
                let answer = try await server.ask(route.route.method, route.route.rawValue, body: route.sent)
                #expect(answer.status == 200)
                #expect(
                    answer.contentType
                        == (route.route == .metrics ? "text/plain; version=0.0.4; charset=utf-8" : "application/json")
                )
                #expect(answer.body == route.body)
                #expect(server.reports.calls == [route.call])
            }
        }

        @Test(
            "A method that a route does not have is refused in JSON and reaches nothing",
            arguments: APIRoute.allCases
        )
        func wrongMethod(_ route: APIRoute) async throws {
            try await RunningServer.with { server in
                for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] where method != route.method
                {
                    let answer = try await server.ask(method, route.rawValue)
                    #expect(answer.status == 404, "\(method)")
                    #expect(
                        answer.error
                            == ErrorResponse(
                                code: "not-found",
                                text: "\(method) \(route.rawValue): Not Found",
                                next: "weft help"
                            )
                    )
                }
                #expect(server.reports.calls == [])
            }
        }

        @Test(
            "A path that the API does not have is refused in JSON",
            arguments: [
                "/", "/v1", "/v1/", "/v1/none", "/v2/status", "/v1/status/more", "/v1//../metrics", "/v1/%6detrics",
                "/v1/capture", "/V1/STATUS", "/v1/\u{1f4a5}", "/v1/%00", "/*", "/v1/*", "//", "?", "/?last=1",
            ]
        )
        func unknownPath(_ path: String) async throws {
            try await RunningServer.with { server in
                for method in ["GET", "POST"] {
                    let (answers, rest) = try await server.exchange("\(method) \(path) HTTP/1.1\r\nHost: weft\r\n\r\n")
                    #expect(answers.count == 1 && rest.isEmpty)
                    let answer = try #require(answers.first)
                    // What is no target at all is refused by the HTTP parser, which has no words for it.
                    if answer.status != 400 {
                        #expect(answer.status == 404)
                        #expect(answer.error?.code == "not-found")
                    }
                }
                #expect(server.reports.calls == [])
            }
        }

        @Test("A long path is cut in the answer that refuses it")
        func longPath() async throws {
            try await RunningServer.with { server in
                let answer = try await server.ask("GET", "/" + String(repeating: "a", count: 5000))
                #expect(answer.error?.text == "GET /" + String(repeating: "a", count: 199) + ": Not Found")
            }
        }

        @Test("HEAD is answered without a body, so that the next answer on the connection is read right")
        func head() async throws {
            try await RunningServer.with { server in
                let requests = ["/v1/status", "/v1/none"].map { "HEAD \($0) HTTP/1.1\r\nHost: weft\r\n\r\n" }
                for request in requests {
                    let path = server.path
                    let (head, next) = try await blocking {
                        let client = try UnixClient(path)
                        try client.send((request + "GET /v1/version HTTP/1.1\r\nHost: weft\r\n\r\n").utf8)
                        client.endOutput()
                        var bytes = try client.readToEnd()
                        return (HTTPAnswer.first(in: &bytes, toHead: true), HTTPAnswer.first(in: &bytes))
                    }
                    #expect(head?.status == 404)
                    #expect(next?.body == #"{"version":"9.8.7"}"#)
                }
            }
        }

        @Test("`last` is passed on", arguments: [("", 20), ("?last=1", 1), ("?last=4096", 4096), ("?x=y&last=7", 7)])
        func goodCount(_ query: String, _ count: Int) async throws {
            try await RunningServer.with { server in
                let answer = try await server.ask("GET", "/v1/decisions\(query)")
                #expect(answer.status == 200)
                #expect(server.reports.calls == [.decisions(count, Self.root)])
            }
        }

        @Test(
            "A bad `last` is refused with its value",
            arguments: [
                ("", ""), ("0", "0"), ("-1", "-1"), ("4097", "4097"), ("x", "x"), ("1.5", "1.5"), ("0x10", "0x10"),
                ("99999999999999999999", "99999999999999999999"), ("%31%20", "1 "), ("%00", "\0"), ("%ff", "\u{fffd}"),
                (String(repeating: "9", count: 100), String(repeating: "9", count: 32)),
            ]
        )
        func badCount(_ text: String, _ shown: String) async throws {
            try await RunningServer.with { server in
                let answer = try await server.ask("GET", "/v1/decisions?last=\(text)")
                #expect(answer.status == 400)
                #expect(
                    answer.error
                        == ErrorResponse(
                            code: "bad-parameter",
                            text: "last=\(shown) is not a number from 1 to 4096",
                            next: "weft decisions --last 20"
                        )
                )
                #expect(server.reports.calls == [])
            }
        }

        @Test(
            "`after` and `wait` are passed on, and refused with their values",
            arguments: [
                ("?after=0&wait=30", 200, nil), ("?after=-1", 400, "after=-1 is not the number of an event"),
                ("?wait=31", 400, "wait=31 is not a number of seconds from 0 to 30"),
                ("?wait=1.5", 400, "wait=1.5 is not a number of seconds from 0 to 30"),
            ] as [(String, Int, String?)]
        )
        func events(_ query: String, _ status: Int, _ text: String?) async throws {
            try await RunningServer.with { server in
                let answer = try await server.ask("GET", "/v1/events\(query)")
                #expect(answer.status == status)
                #expect(answer.error?.text == text)
                #expect(server.reports.calls == (status == 200 ? [.events(0, .seconds(30))] : []))
            }
        }

        @Test(
            "A body that is not what belongs there is refused, and reaches nothing",
            arguments: ["", "{", "[]", #"{"addresses":"a"}"#, #"{"addresses":[1]}"#, "\0\0\0\0"]
        )
        func badBody(_ body: String) async throws {
            try await RunningServer.with { server in
                let answer = try await server.ask("POST", "/v1/peers/join", body: body)
                #expect(answer.status == 400)
                #expect(answer.error?.code == "bad-body")
                let long = String(repeating: " ", count: 70_000) + #"{"addresses":["a"]}"#
                #expect(try await server.ask("POST", "/v1/peers/join", body: long).error?.code == "body-too-large")
                #expect(server.reports.calls == [])
            }
        }

        /// What cannot fail is left out.
        @Test(
            "A failure inside is logged with its cause and answered without it",
            arguments: routes.filter { $0.route != .version && $0.route != .events }
        )
        func failing(_ failing: Route) async throws {
            let route = failing.route
            try await RunningServer.with(FixedReports(failure: TestFailure("the secret cause"))) { server in
                let answer = try await server.ask(route.method, route.rawValue, body: failing.sent)
                #expect(answer.status == 500)
                #expect(
                    answer.error
                        == ErrorResponse(
                            code: "internal",
                            text: "weftd could not answer",
                            next: "journalctl -u weftd -n 50"
                        )
                )
                #expect(server.log.messages.contains { $0.hasPrefix("error") && $0.contains("the secret cause") })
            }
        }

        @Test("Requests on one connection are answered in order, pipelined or not")
        func keepAlive() async throws {
            try await RunningServer.with { server in
                let path = server.path
                let first = "GET /v1/version HTTP/1.1\r\nHost: weft\r\n\r\n"
                let second = "GET /v1/check HTTP/1.1\r\nHost: weft\r\n\r\n"
                let bodies = try await blocking {
                    let client = try UnixClient(path)
                    var bodies: [String?] = []
                    for request in [first, second, first] {
                        try client.send(request.utf8)
                        bodies.append(try client.answer()?.body)
                    }
                    return bodies
                }
                #expect(bodies == [Self.routes[0].body, Self.routes[8].body, Self.routes[0].body])
                let (answers, rest) = try await server.exchange(first + second + first)
                #expect(answers.map(\.body) == [Self.routes[0].body, Self.routes[8].body, Self.routes[0].body])
                #expect(rest == [])
            }
        }
    }
}

import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// Requests of programs that know nothing of weft: forwarded, explained, counted the same everywhere.
    @Suite struct RequestTests {
        @Test func whatProgramsSayIsForwardedAndWhatWeftSaysIsExplained() async throws {
            try await withIdentities { hosts in
                let (client, server) = (hosts[0], hosts[1])
                try await server.serveWeb()
                _ = try await client.virtualAddress(of: "web", endpoints: ["h2 8080"])
                let place = "\(server.address4) 8080"
                try await client.waitForTunnel(toWebOn: server)
                let first = try await client.once("\(place) /")
                #expect(
                    first.status == 200 && first.body == "h2" && first.headers["server"]?.hasPrefix("BaseHTTP") == true
                )
                #expect(try await client.once("\(place) /bytes/3000000").length == 3_000_000)
                #expect(try await client.once("\(place) /echo POST").length == 100)
                #expect(try await client.once("\(place) / HEAD").length == 0)
                #expect(try await client.once("\(place) /status/404").status == 404)
                let socket = try await client.run(as: .init("ws.service", web("socket \(place)"), user: "nobody"))
                #expect(socket.text == #"{"status": 101, "same": true}"#)
                let row = try await client.decision("a connection that spoke HTTP") {
                    $0.source.unit == "client.service" && $0.request == nil && $0.security == .mtls
                }
                #expect(row.service == "web" && row.protocol == "http/1.1", "\(row)")

                // An application that is gone: whoever asks is told, and where to read more.
                try await server.stop("web.service")
                // Who asks late is reset instead.
                let gone = try await waitFor("an answer") { try? await client.once("\(place) /gone?secret=1") }
                #expect(gone.status == 503 && gone.headers["server"] == "weft", "\(gone)")
                let id = try #require(gone.headers["weft-decision"])
                let flag = try #require(gone.headers["weft-flags"])
                #expect(gone.body.contains(flag) && gone.body.contains(id), "\(gone)")
                let decision = try await client.decision("the decision that the answer names") { $0.id == id }
                #expect(decision.request?.flag == flag && decision.request?.line == "GET /gone", "\(decision)")
                #expect(decision.request?.status == 503 && decision.service == "web", "\(decision)")
            }
        }

        @Test func everybodyCountsTheSame() async throws {
            try await withIdentities { hosts in
                let (client, server) = (hosts[0], hosts[1])
                try await server.startNginx()
                _ = try await client.virtualAddress(of: "nginx", endpoints: ["h2 80"])
                _ = try await client.load("\(server.address4) 80 100 4 /", as: "warm.service")
                try await waitUntil("everything goes by tunnel") {
                    _ = try await client.load("\(server.address4) 80 1 1 /", as: "warm.service")
                    return try await client.decision(of: "warm.service").security == .mtls
                }
                let before = try await Counts.settled(client, server)
                // Faults in between: the application restarts, and some pages are not there.
                async let restart: Void = {
                    for _ in 0..<3 {
                        try await Task.sleep(for: .seconds(4))
                        try await server.run("systemctl", "restart", "nginx.service")
                    }
                }()
                let found = try await client.load("\(server.address4) 80 50000 16 /")
                try await restart
                let missing = try await client.load("\(server.address4) 80 50000 16 /not-there")
                let answered = found.answered + missing.answered
                #expect(missing.statuses == ["404": 50000], "\(missing)")
                // nginx writes its log behind its answer.
                var counted = try await Counts(client, server) - before
                try await waitUntil("the counts agree: \(counted), \(answered) answered, \(found)") {
                    counted = try await Counts(client, server) - before
                    return counted.caller == answered && counted.calleeAnswered == counted.nginx
                }
                print("measured: \(found.statuses) \(found.errors) \(missing.statuses); \(counted)")
                #expect(found.errors.isEmpty && answered == 100_000, "\(found)")
                #expect(counted.caller == answered, "\(counted), \(found)")
                #expect(counted.callee == answered - counted.unreached, "\(counted)")
                #expect(counted.calleeAnswered == counted.nginx, "\(counted)")
            }
        }

        /// Requests as each of the three counts them.
        private struct Counts: Equatable, CustomStringConvertible {
            var caller: Int
            var callee: Int
            /// Without those to which the application gave no answer.
            var calleeAnswered: Int
            var nginx: Int
            /// Requests whose connection the callee's host could not make: it has never seen them.
            var unreached: Int

            init(_ client: TestHost, _ server: TestHost) async throws {
                caller = try await client.requestCount(to: "nginx", perspective: "caller")
                callee = try await server.requestCount(to: "nginx", perspective: "callee")
                let flagged = try await server.metrics("weft_requests_total{").filter {
                    $0.key.contains("perspective=\"callee\"") && !$0.key.contains("flag=\"\"")
                }
                calleeAnswered = callee - Int(flagged.values.reduce(0, +))
                unreached = try await client.requestCount(to: "nginx", perspective: "caller", where: "connect-failed")
                nginx = try #require(Int(try await server.shell("wc -l < /var/log/nginx/access.log").text))
            }

            /// Once nothing has been counted for a while: each of the three counts behind its answer.
            static func settled(_ client: TestHost, _ server: TestHost) async throws -> Counts {
                var last = try await Counts(client, server)
                try await waitUntil("nobody counts any more", every: .milliseconds(500)) {
                    let now = try await Counts(client, server)
                    defer { last = now }
                    return now == last
                }
                return last
            }

            static func - (left: Counts, right: Counts) -> Counts {
                var difference = left
                difference.caller -= right.caller
                difference.callee -= right.callee
                difference.calleeAnswered -= right.calleeAnswered
                difference.nginx -= right.nginx
                difference.unreached -= right.unreached
                return difference
            }

            var description: String {
                "caller \(caller) (\(unreached) not connected), callee \(callee) (\(calleeAnswered) answered), nginx \(nginx)"
            }
        }
    }
}

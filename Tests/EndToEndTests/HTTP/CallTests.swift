import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// gRPC by programs that know nothing of weft: every kind of call, and each call to an endpoint of its own.
    @Suite struct CallTests {
        private struct Check: Decodable {
            var who: String
            var large: Bool
            var collected: Int
            var expanded: Int
            var chatted: Bool
            var late: String
            var missing: String
            /// Statuses that arrived as the server gave them.
            var statuses: [String]
            var details: [String]
            var trailers: [String]
        }

        private struct Spread: Decodable {
            var servers: [String: Int]
            var errors: [String: Int]
            var seconds: Double
        }

        private struct Talk: Decodable {
            var sent: Int
            var same: Bool
            var beside: Int
        }

        private func calls(_ arguments: String) -> String {
            "/usr/bin/python3 \(TestHost.repositoryPath)/Tests/EndToEndTests/Programs/calls.py \(arguments)"
        }

        private func serve(on host: TestHost) async throws {
            try await host.start(
                .init("calls.service", calls("serve 50051 \(host.name)"), user: "daemon"),
                listeningOn: 50051
            )
        }

        private func call<Report: Decodable>(
            _ arguments: String,
            on host: TestHost,
            as unit: String = "caller.service"
        ) async throws -> Report {
            try host.decoded(
                try await host.run(as: .init(unit, calls(arguments), user: "nobody"), timeout: .seconds(600))
            )
        }

        @Test func everyKindOfCallArrivesAsItWasMade() async throws {
            try await withIdentities { hosts in
                let (client, server) = (hosts[0], hosts[1])
                try await serve(on: server)
                let address = try await client.virtualAddress(of: "calls", endpoints: ["h2 50051"])
                for place in [address, server.address4] {
                    let check: Check = try await call("check \(place) 50051", on: client)
                    #expect(check.who == "h2" && check.large && check.chatted, "\(check)")
                    #expect(check.collected == 7_000_000 && check.expanded == 499_500, "\(check)")
                    #expect(check.late == "DEADLINE_EXCEEDED" && check.missing == "UNIMPLEMENTED", "\(check)")
                    #expect(check.statuses.count == 16 && check.details == ["told to fail: 100 %"], "\(check)")
                    #expect(check.trailers == ["h2"], "\(check)")
                }
                let talk: Talk = try await call("talk \(address) 50051 15", on: client)
                print("measured: a gRPC conversation of 15 s: \(talk.sent) messages, \(talk.beside) calls beside it")
                #expect(talk.same && talk.sent > 20 && talk.beside > 20, "\(talk)")
                let row = try await client.decision("a connection that spoke HTTP/2") {
                    $0.source.unit == "caller.service" && $0.request == nil && $0.security == .mtls
                }
                #expect(row.service == "calls" && row.protocol == "http/2", "\(row)")
            }
        }

        @Test func callsOfOneChannelAreSpreadAndSurviveTheirServers() async throws {
            try await withIdentities(4) { hosts in
                let (client, servers) = (hosts[0], Array(hosts.dropFirst()))
                for server in servers { try await serve(on: server) }
                let address = try await client.virtualAddress(
                    of: "calls",
                    endpoints: Set(servers.map { "\($0.name) 50051" })
                )
                let _: Spread = try await call("spread \(address) 50051 100", on: client)
                let before = try await client.requestCount(
                    to: "calls",
                    perspective: "caller",
                    where: "protocol=\"grpc\""
                )
                let even: Spread = try await call("spread \(address) 50051 6000", on: client)
                print(
                    "measured: 6000 calls on one gRPC channel, three endpoints: \(even.servers), \(rounded(even.seconds)) s"
                )
                #expect(even.errors.isEmpty && even.servers.values.reduce(0, +) == 6000, "\(even)")
                for server in servers { #expect(even.servers[server.name, default: 0] > 60, "\(even)") }
                let after = try await client.requestCount(
                    to: "calls",
                    perspective: "caller",
                    where: "protocol=\"grpc\""
                )
                #expect(after - before == 6000)

                // What may be tried again is: calls that a server has not begun with.
                async let load: Spread = call("spread \(address) 50051 20000", on: client, as: "many.service")
                try await Task.sleep(for: .seconds(2))
                try await servers[0].run("systemctl", "stop", "calls.service")
                let reduced = try await load
                print("measured: 20000 calls while a server of three stops: \(reduced.servers), \(reduced.errors)")
                // A call that its server had begun with is not repeated, as nobody knows what it has done.
                #expect(reduced.errors.keys.allSatisfy { $0.hasPrefix("UNAVAILABLE") || $0.hasPrefix("CANCELLED") })
                #expect(reduced.errors.keys.allSatisfy { !$0.contains("no endpoint") }, "nobody began with these")
                #expect(reduced.errors.values.reduce(0, +) <= 8, "\(reduced)")
            }
        }
    }
}

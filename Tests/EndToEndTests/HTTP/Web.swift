import Testing
import WeftAPI
import WeftTestRig

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

/// `Programs/web.py` as a host sees it; its first argument is what it does.
func web(_ arguments: String) -> String {
    "/usr/bin/python3 \(TestHost.repositoryPath)/Tests/EndToEndTests/Programs/web.py \(arguments)"
}

/// What `web.py load` says at its end.
struct LoadReport: Decodable {
    var statuses: [String: Int]
    /// Answers by the server's name.
    var servers: [String: Int]
    /// Requests without an answer, by the exception.
    var errors: [String: Int]
    /// Answers of weft's own, by response flag.
    var flags: [String: Int]
    /// Milliseconds.
    var p50: Double
    var p99: Double
    var seconds: Double
    /// Requests begun 2 s after the beginning or later, and those of them that failed.
    var lateTotal: Int
    var lateFailures: Int

    var answered: Int { statuses.values.reduce(0, +) }

    /// The part of all answers that came from one server.
    func share(of server: String) -> Double { Double(servers[server, default: 0]) / Double(max(1, answered)) }
}

/// What `web.py once` says.
struct OnceReport: Decodable {
    var status: Int
    var headers: [String: String]
    var body: String
    var length: Int
}

extension TestHost {
    /// Starts a server of HTTP/1.1 on port 8080 as `web.service`, with the host's name in its answers.
    func serveWeb() async throws {
        try await run("install", "-d", "-m", "777", "/run/web")
        try await start(.init("web.service", web("serve 8080 \(name)"), user: "daemon"), listeningOn: 8080)
    }

    /// Sends requests as a unit of its own and says what came of them.
    func load(_ arguments: String, as unit: String = "client.service", slice: String? = nil) async throws -> LoadReport
    {
        let settings = ["LimitNOFILE=65536"]
        let unit = Unit(unit, web("load \(arguments)"), user: "nobody", slice: slice, settings: settings)
        return try decoded(try await run(as: unit, timeout: .seconds(600)))
    }

    /// Sends one request.
    func once(_ arguments: String, as unit: String = "client.service") async throws -> OnceReport {
        try decoded(try await run(as: .init(unit, web("once \(arguments)"), user: "nobody"), timeout: .seconds(120)))
    }

    func decoded<Report: Decodable>(_ output: Output) throws -> Report {
        guard output.succeeded else { throw RigFailure("a client failed: \(output.standardError)") }
        return try JSONDecoder().decode(Report.self, from: Data(output.standardOutput.utf8))
    }

    /// The virtual address of a service, once this host knows all of its endpoints.
    func virtualAddress(of service: String, endpoints: Set<String>) async throws -> String {
        try await waitUntil("\(service) is known on \(name)") {
            try await self.endpoints(of: service) == endpoints
        }
        let row = try #require(try await services().first { $0.name == service && !$0.virtualAddresses.isEmpty })
        return row.virtualAddresses[0]
    }

    /// Waits until somebody's request to `serveWeb` on another host goes by tunnel; those of others do from then on.
    func waitForTunnel(toWebOn host: TestHost) async throws {
        try await waitUntil("\(name) reaches \(host.name) by tunnel") {
            _ = try? await once("\(host.address4) 8080 /", as: "scout.service")
            return try await decision(of: "scout.service").security == .mtls
        }
    }

    /// Requests to a service that this host has counted since weftd started, as their clients saw them.
    func requestCount(to service: String, perspective: String, where label: String = "") async throws -> Int {
        let rows = try await metrics("weft_requests_total{").filter {
            $0.key.contains("service=\"\(service)\"") && $0.key.contains("perspective=\"\(perspective)\"")
                && (label.isEmpty || $0.key.contains(label))
        }
        return Int(rows.values.reduce(0, +))
    }
}

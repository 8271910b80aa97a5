import Testing
import WeftAPI
import WeftTestRig

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

/// Boots `count` hosts with weft in one mesh: the first founds it, the others join it with its token.
///
/// - Parameter configuration: `/etc/weft/weft.toml` by the host's name; hosts that are not in it have the shipped one.
/// - Parameter members: how many of the hosts have weft; the last ones are plain.
func withIdentities<Result>(
    _ count: Int = 2,
    members: Int? = nil,
    configuration: [String: String] = [:],
    _ body: ([TestHost]) async throws -> Result
) async throws -> Result {
    try await withHosts(count) { hosts in
        let members = hosts.prefix(members ?? count)
        for host in members {
            guard let text = configuration[host.name] else { continue }
            try await host.write(text, to: "/etc/weft/weft.toml")
        }
        var token = try joinToken(in: try await hosts[0].installWeft())
        if members.count > 2 { token = try await hosts[0].newToken(uses: members.count - 1).token }
        for host in members.dropFirst() { try await host.installWeft(join: token) }
        let everybody = Dictionary(uniqueKeysWithValues: members.map { ($0.name, "alive") })
        try await expectPool(everybody, seenBy: members.map { .weft($0) })
        return try await body(hosts)
    }
}

/// The token in the join line that a first installation ends with.
func joinToken(in output: Output) throws -> String {
    guard let line = output.standardOutput.firstMatch(of: /--join (weft1_[A-Za-z0-9_-]+)/) else {
        throw RigFailure("no join line in:\n\(output.standardOutput)")
    }
    return String(line.1)
}

extension TestHost {
    /// Waits until this host knows a service of another one, and has a tunnel's answer from there: from now on nothing
    /// goes there in clear.
    func waitForTunnel(to host: TestHost, port: Int = 9000, as unit: String = "first.service") async throws {
        try await waitUntil("\(name) reaches \(host.name) by tunnel", every: .milliseconds(200)) {
            // Until its service is known here, some hosts refuse what comes in clear.
            _ = try await ending(of: "echo \(host.address4) \(port) hello", as: unit)
            // Others may make many at the same time.
            return try await decisions(last: 1000).contains {
                $0.source.unit == unit && $0.destination == "\(host.address4):\(port)" && $0.security == .mtls
            }
        }
    }

    /// The newest finished connection of a unit.
    func decision(of unit: String) async throws -> DecisionRow {
        try await decision("a decision about \(unit)") { $0.source.unit == unit }
    }

    /// A live connection of a unit; asks until there is one.
    func connection(of unit: String) async throws -> ConnectionRow {
        try await waitFor("a connection of \(unit)") { try await connections().first { $0.source.unit == unit } }
    }

    /// Tries a connection that is not to come about, and says how it ended for the client.
    func ending(of command: String, as unit: String = "client.service") async throws -> String {
        let output = try await run(
            as: .init(unit, traffic(command), user: "nobody", settings: ["LimitNOFILE=65536"]),
            timeout: .seconds(60)
        )
        guard !output.succeeded else { return "answered \(output.text)" }
        // The name of the exception in Python's last line.
        return String(output.standardError.split(whereSeparator: \.isNewline).last?.prefix { $0 != ":" } ?? "")
    }

    // MARK: Metrics

    /// Tunnels that this host dialled and that came to stand.
    func handshakes() async throws -> Double {
        try await metric("weft_tunnel_handshakes_total{direction=\"out\"}") ?? 0
    }

    /// Tunnels that failed or were refused, by the reason's name.
    func tunnelFailures() async throws -> [String: Double] {
        var failures: [String: Double] = [:]
        for (name, value) in try await metrics("weft_tunnel_failures_total{") {
            guard let reason = name.firstMatch(of: /reason="([a-z-]+)"/)?.1 else { continue }
            failures[String(reason), default: 0] += value
        }
        return failures
    }

    /// Connections that are in tunnels now, in both directions.
    func openStreams() async throws -> Double {
        try await metrics("weft_tunnel_streams_open{").values.reduce(0, +)
    }
}

/// What somebody hears who listens between two hosts; see `Programs/wire.py`.
struct Wire: Sendable {
    struct Report: Decodable {
        var frames: Int
        var lost: Int
        /// Frames with payload, by TCP port.
        var ports: [String: Int]
        /// Frames that a text stood in.
        var found: [String: Int]
    }

    private let host: TestHost

    private static let unit = "wire.service"
    private static let listening = "/run/wire.listening"
    private static let report = "/run/wire.report"

    /// Begins to listen on a host's only cable.
    static func listen(on host: TestHost, for texts: [String]) async throws -> Wire {
        let program = "/usr/bin/python3 \(TestHost.repositoryPath)/Tests/EndToEndTests/Programs/wire.py"
        try await host.run("rm", "-f", report)
        try await host.start(
            .init(
                unit,
                "\(program) eth0 \(listening) \(texts.joined(separator: " "))",
                settings: ["StandardOutput=file:\(report)"]
            )
        )
        try await waitUntil("somebody listens on \(host.name)") { try await host.exists(listening) }
        return Wire(host: host)
    }

    func end() async throws -> Report {
        try await host.run("rm", Self.listening)
        try await waitUntil("the listener of \(host.name) has ended") {
            try await !["active", "activating"].contains(host.property("ActiveState", of: Self.unit))
        }
        let text = try await host.read(Self.report)
        guard !text.isEmpty else { throw RigFailure("the listener said nothing: \(try await host.journal(Self.unit))") }
        return try JSONDecoder().decode(Report.self, from: Data(text.utf8))
    }
}

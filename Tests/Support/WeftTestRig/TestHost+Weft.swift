package import WeftAPI

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

extension TestHost {
    /// The clone and the release binaries, as the host sees them (read-only).
    package static let repositoryPath = "/srv/weft"
    package static let binariesPath = "/srv/weft-binaries"

    /// Programs of others that speak weft's protocols, read-only too: a path for Python, with Envoy in it.
    package static let peersPath = "/srv/weft-peers"
    package static let envoyPath = "\(peersPath)/envoy/_bin/envoy"

    /// Runs systemd/install with the release binaries of this run, as a user would, and returns what it printed.
    ///
    /// - Parameter token: of the mesh to join.
    @discardableResult
    package func installWeft(join token: String? = nil) async throws -> Output {
        guard try await exists("\(Self.binariesPath)/weftd") else {
            throw RigFailure("no release binaries in \(Machine.binaries): run systemd/install --build-only first")
        }
        let command = ["\(Self.repositoryPath)/systemd/install", "--binaries", Self.binariesPath]
        let output = try await attempt(command + (token.map { ["--join", $0] } ?? []))
        guard output.succeeded else {
            throw CommandFailure(command: command, reason: "exit code \(output.exitCode) on \(name)", output: output)
        }
        return output
    }

    @discardableResult
    package func uninstallWeft() async throws -> Output {
        try await run("\(Self.repositoryPath)/systemd/uninstall")
    }

    package func status() async throws -> StatusResponse { try await decode(StatusResponse.self, "status") }
    package func services() async throws -> [ServiceRow] { try await decode([ServiceRow].self, "services") }
    package func workloads() async throws -> [WorkloadRow] { try await decode([WorkloadRow].self, "workloads") }
    package func connections() async throws -> [ConnectionRow] { try await decode([ConnectionRow].self, "connections") }
    package func peers() async throws -> [PeerRow] { try await decode([PeerRow].self, "peers") }
    /// Of all hosts, as they answered; root only, as the rig is.
    package func gossipKeys() async throws -> KeysResponse {
        try await decode(KeysResponse.self, "gossip", "keys", "list")
    }
    package func certificates() async throws -> [CertificateRow] { try await decode([CertificateRow].self, "cert") }
    package func authority() async throws -> CAStatus { try await decode(CAStatus.self, "ca") }

    /// A token that lets `uses` hosts in.
    package func newToken(uses: Int = 1) async throws -> TokenResponse {
        try await decode(TokenResponse.self, "token", "--uses", "\(uses)")
    }

    package func ping(_ source: String, _ destination: String) async throws -> PingResponse {
        try await decode(PingResponse.self, "ping", source, destination)
    }

    package func check() async throws -> [CheckRow] { try await decode([CheckRow].self, "check") }

    /// The last finished connections, newest first.
    package func decisions(last count: Int = 100) async throws -> [DecisionRow] {
        try await decode([DecisionRow].self, "decisions", "--last", "\(count)")
    }

    /// Everything that happened in the mesh since weftd started, as far as it is remembered, oldest first.
    package func events() async throws -> [EventRow] {
        try await run("weft", "events", "--no-follow", "-o", "json").lines.map {
            try JSONDecoder().decode(EventRow.self, from: Data($0.utf8))
        }
    }

    /// A Prometheus sample of `/metrics` by its whole name with labels; nil when there is none.
    package func metric(_ name: String) async throws -> Double? { try await metrics(name + " ")[name] }

    /// The samples of `/metrics` whose lines begin with a prefix, by their whole names with labels.
    package func metrics(_ prefix: String) async throws -> [String: Double] {
        let text = try await run(
            "curl",
            "-sS",
            "--fail",
            "--unix-socket",
            APIRoute.defaultSocketPath,
            "http://weft/metrics"
        )
        var samples: [String: Double] = [:]
        for line in text.lines where line.hasPrefix(prefix) {
            guard let space = line.lastIndex(of: " ") else { continue }
            samples[String(line[..<space])] = Double(line[line.index(after: space)...])
        }
        return samples
    }

    /// `weft COMMAND -o json`. Exit code 1 means that a problem was found, and the answer is there all the same.
    private func decode<Answer: Decodable>(_ type: Answer.Type, _ command: String...) async throws -> Answer {
        let output = try await attempt(["weft"] + command + ["-o", "json"])
        guard output.exitCode <= 1 else {
            throw CommandFailure(command: output.command, reason: "exit code \(output.exitCode)", output: output)
        }
        do {
            return try JSONDecoder().decode(type, from: Data(output.standardOutput.utf8))
        } catch {
            throw CommandFailure(
                command: output.command,
                reason: "its answer is not what WeftAPI says: \(error)",
                output: output
            )
        }
    }
}

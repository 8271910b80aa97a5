import Glibc
import Testing
import WeftAPI
import WeftTestRig

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

/// The helper program of the tests of the mesh, as a host sees it; its first argument is what it does.
func meshProgram(_ arguments: String) -> String {
    "/usr/bin/python3 -S \(TestHost.repositoryPath)/Tests/EndToEndTests/Programs/mesh.py \(arguments)"
}

/// The time of the one clock that all test hosts share, in seconds.
func wallSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// "median 0.61 s, worst 0.84 s of 10": times in seconds, for a line that begins with `measured:`.
func summary(_ seconds: [Double]) -> String {
    "median \(rounded(median(seconds))) s, worst \(rounded(seconds.max() ?? 0)) s of \(seconds.count)"
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return 0 }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

/// With two digits.
func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

/// Boots hosts and installs weft on the first `weft` of them, one in the mesh of another when `joined`.
///
/// - Parameter configuration: added to `/etc/weft/weft.toml`, which is empty otherwise.
/// - Parameter key: of gossip, in base64; without one it is not encrypted.
func withMesh<Result>(
    _ count: Int,
    weft: Int? = nil,
    configuration: String = "",
    key: String? = nil,
    joined: Bool = true,
    _ body: ([TestHost]) async throws -> Result
) async throws -> Result {
    try await withHosts(count) { hosts in
        let members = hosts.prefix(weft ?? count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for host in members {
                group.addTask {
                    try await host.configureWeft(configuration, key: key)
                    try await host.installWeft()
                }
            }
            try await group.waitForAll()
        }
        if joined {
            for host in members.dropFirst() { try await host.run("weft", "join", hosts[0].address4) }
            let everybody = Dictionary(uniqueKeysWithValues: members.map { ($0.name, "alive") })
            try await expectPool(everybody, seenBy: members.map { .weft($0) })
        }
        return try await body(hosts)
    }
}

extension TestHost {
    /// Writes what weftd reads at its start.
    func configureWeft(_ configuration: String = "", key: String? = nil) async throws {
        var text = configuration
        if let key {
            // Read by the user weft, which there may not be yet.
            try await write(key + "\n", to: "/etc/weft/gossip.key", mode: "644")
            text += "\n[gossip]\nkey-file = \"/etc/weft/gossip.key\"\n"
        }
        try await write(text, to: "/etc/weft/weft.toml")
    }

    /// Starts services that do nothing but listen: `svc1.service` on port 9101, and so on.
    func startServices(_ numbers: ClosedRange<Int>) async throws {
        for number in numbers {
            let text = "[Service]\nExecStart=\(meshProgram("listen \(9100 + number)"))\nUser=daemon\n"
            try await write(text, to: "/etc/systemd/system/svc\(number).service")
        }
        try await run("systemctl", "daemon-reload")
        try await run("bash", "-c", "systemctl start " + numbers.map { "svc\($0)" }.joined(separator: " "))
    }

    /// The endpoints of a service of the mesh, as this host knows them: "h2 9000".
    func endpoints(of service: String) async throws -> Set<String> {
        let rows = try await services().filter { $0.name == service }
        return Set(rows.flatMap(\.endpoints).filter(\.healthy).map { "\($0.node) \($0.port)" })
    }

    /// The events of one kind about one host, oldest first.
    func events(_ kind: String, of node: String) async throws -> [EventRow] {
        try await events().filter { $0.kind == kind && $0.node == node }
    }

    /// What was received and not used, by reason.
    func drops() async throws -> [String: Double] {
        var drops: [String: Double] = [:]
        for (name, value) in try await metrics("weft_gossip_drops_total{") where value > 0 {
            drops[String(name.split(separator: "\"")[1])] = value
        }
        return drops
    }
}

// MARK: Stock agents

/// A stock serf agent, as a unit of a host.
struct SerfAgent: Sendable {
    let host: TestHost
    let name: String
    let unit: String
    /// Where it answers its own command line.
    let rpc: String

    private static let eventsPath = "/var/lib/serf-events"

    /// Starts an agent and returns once it answers.
    ///
    /// - Parameter options: of `serf agent`.
    /// - Parameter port: of gossip; the command line's is 573 below, as 7373 is below 7946.
    static func start(
        on host: TestHost,
        unit: String = "serf.service",
        port: Int = 7946,
        options: [String] = []
    ) async throws -> SerfAgent {
        let rpc = "127.0.0.1:\(port - 573)"
        let handler = """
            #!/bin/sh
            printf '%s %s %s\\n' "$SERF_EVENT" "$SERF_USER_EVENT" "$(cat)" >>\(eventsPath)
            """
        try await host.write(handler, to: "/usr/local/bin/on-serf-event", mode: "755")
        var command = "/usr/bin/serf agent -node=\(host.name) -bind=\(host.address4):\(port) -rpc-addr=\(rpc)"
        command += " -log-level=debug -event-handler=user=/usr/local/bin/on-serf-event"
        for option in options { command += " \(option)" }
        try await host.start(.init(unit, command), listeningOn: port - 573)
        return SerfAgent(host: host, name: host.name, unit: unit, rpc: rpc)
    }

    /// Runs one of serf's commands and returns however it ended.
    func attempt(_ command: String, _ arguments: String...) async throws -> Output {
        try await host.attempt(["serf", command, "-rpc-addr=\(rpc)"] + arguments)
    }

    @discardableResult
    func run(_ command: String, _ arguments: String...) async throws -> Output {
        let output = try await host.attempt(["serf", command, "-rpc-addr=\(rpc)"] + arguments)
        guard output.succeeded else {
            throw CommandFailure(command: output.command, reason: "exit code \(output.exitCode)", output: output)
        }
        return output
    }

    func members() async throws -> [SerfMember] {
        struct Answer: Decodable { var members: [SerfMember] }
        let output = try await run("members", "-format=json")
        return try JSONDecoder().decode(Answer.self, from: Data(output.standardOutput.utf8)).members
    }

    /// User events that its handler was given: "user NAME PAYLOAD".
    func userEvents() async throws -> [Substring] {
        try await host.attempt("cat", Self.eventsPath).lines
    }

    /// On how many members each key is.
    func keys() async throws -> [String: Int] {
        let output = try await run("keys", "-list")
        var keys: [String: Int] = [:]
        // "  KEY [n/m]"
        for match in output.standardOutput.matches(of: /([A-Za-z0-9+\/=]{24,})\s+\[([0-9]+)\/[0-9]+\]/) {
            keys[String(match.1)] = Int(match.2)
        }
        return keys
    }

    /// When it said a line that contains `text`, of those since a moment; nil when it has not. In seconds.
    func said(_ text: String, since: Double) async throws -> Double? {
        let journal = try await host.shell("journalctl --sync; journalctl -q --no-pager -o short-unix -u \(unit)")
        for line in journal.lines where line.contains(text) {
            guard let time = Double(line.prefix { $0 != " " }), time >= since else { continue }
            return time
        }
        return nil
    }
}

/// One of `serf members -format=json`.
struct SerfMember: Decodable {
    var name: String
    var addr: String
    var tags: [String: String]
    var status: String
}

// MARK: Agreement

/// Somebody who can be asked who is in the pool.
enum PoolView: Sendable {
    case weft(TestHost)
    case serf(SerfAgent)

    var name: String {
        switch self {
        case .weft(let host): host.name
        case .serf(let agent): agent.name
        }
    }

    /// State by name, in serf's words: who is under suspicion is alive to it.
    func states() async throws -> [String: String] {
        let pairs =
            switch self {
            case .weft(let host):
                try await host.peers().map { ($0.name, $0.state == .suspect ? "alive" : $0.state.rawValue) }
            case .serf(let agent): try await agent.members().map { ($0.name, $0.status) }
            }
        return Dictionary(pairs, uniquingKeysWith: { "\($0) and \($1)" })
    }

    func addresses() async throws -> [String: String] {
        switch self {
        case .weft(let host):
            Dictionary(uniqueKeysWithValues: try await host.peers().map { ($0.name, $0.address) })
        case .serf(let agent):
            Dictionary(uniqueKeysWithValues: try await agent.members().map { ($0.name, $0.addr) })
        }
    }
}

/// Waits until all of them see exactly these members in these states.
func expectPool(
    _ states: [String: String],
    seenBy views: [PoolView],
    within limit: Duration = .seconds(30),
    _ step: String = "the pool is complete"
) async throws {
    var seen: [String: [String: String]] = [:]
    do {
        try await waitUntil(step, within: limit, every: .milliseconds(200)) {
            for view in views {
                seen[view.name] = try await view.states()
                guard seen[view.name] == states else { return false }
            }
            return true
        }
    } catch let failure as RigFailure {
        let lines = seen.sorted { $0.key < $1.key }.map { name, states in
            "  \(name) sees \(states.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))"
        }
        throw RigFailure("\(failure)\n\(lines.joined(separator: "\n"))")
    }
}

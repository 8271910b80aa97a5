import WeftAPI
import WeftTestRig

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

/// The helper program of the tests, as a host sees it; its first argument is what it does.
func traffic(_ arguments: String) -> String {
    "/usr/bin/python3 \(TestHost.repositoryPath)/Tests/EndToEndTests/Programs/traffic.py \(arguments)"
}

/// What a client of `Programs/traffic.py` says at its end; each kind of client fills in its own part.
struct TrafficReport: Decodable {
    var answer: String?
    var bytes: Int?
    var same: Bool?
    var milliseconds: Double?
    var received: Int?
    var lines: Int?
    var result: String?
    var opened: Int?
    var connections: Int?
    var failed: Int?
    var failures: [String]?
    var total: Int?
    var counts: [String: Int]?
    var slowestSeconds: Double?
}

extension TestHost {
    /// Starts `serve` and listens on port 9000: `unit` names it.
    func serveTraffic(as unit: String = "echo.service", user: String = "daemon", slice: String? = nil) async throws {
        try await start(.init(unit, traffic("serve 9000"), user: user, slice: slice), listeningOn: 9000)
    }

    /// Starts nginx on port 80 with one small page, and room for many connections.
    ///
    /// - Parameter second: a port on which it takes HTTP/2 with prior knowledge only.
    func startNginx(andHTTP2On second: Int? = nil) async throws {
        let http2 = second.map { "server { listen \($0) http2; root /srv/page; }" } ?? ""
        try await write(
            """
            user www-data;
            error_log /var/log/nginx/error.log;
            events { worker_connections 8192; }
            http {
                access_log /var/log/nginx/access.log;
                keepalive_requests 100000;
                server { listen 80; listen [::]:80; root /srv/page; }
                \(http2)
            }
            """,
            to: "/etc/nginx/nginx.conf"
        )
        try await write("woven\n", to: "/srv/page/index.html")
        try await run("mkdir", "-p", "/var/log/nginx")
        // Not worker_rlimit_nofile: systemd takes as much of this as the machine allows, nginx takes all or nothing.
        try await write("[Service]\nLimitNOFILE=65536\n", to: "/etc/systemd/system/nginx.service.d/limit.conf")
        try await run("systemctl", "daemon-reload")
        try await start("nginx.service", listeningOn: 80)
    }

    /// Starts PostgreSQL on port 5544, where everybody on the same network is its user `mesh`.
    func startPostgreSQL() async throws {
        try await shell(
            """
            pg_createcluster 15 mesh --port 5544 -- --auth-local=trust --auth-host=trust
            echo 'host all all samenet trust' >>/etc/postgresql/15/mesh/pg_hba.conf
            printf "listen_addresses = '*'\\nfsync = off\\n" >>/etc/postgresql/15/mesh/postgresql.conf
            """,
            timeout: .seconds(120)
        )
        try await start("postgresql@15-mesh.service", listeningOn: 5544)
        try await run("runuser", "-u", "postgres", "--", "psql", "-p", "5544", "-c", "create role mesh login")
    }

    /// Runs a client as a unit of its own and returns its report.
    func client(
        _ arguments: String,
        as unit: String = "client.service",
        user: String = "nobody",
        slice: String? = nil,
        timeout: Duration = .seconds(90)
    ) async throws -> TrafficReport {
        let output = try await run(
            as: .init(unit, traffic(arguments), user: user, slice: slice, settings: ["LimitNOFILE=65536"]),
            timeout: timeout
        )
        guard output.succeeded else {
            throw CommandFailure(command: output.command, reason: "exit code \(output.exitCode)", output: output)
        }
        return try JSONDecoder().decode(TrafficReport.self, from: Data(output.standardOutput.utf8))
    }

    /// Starts a client that works until it is told to end, and returns once it is under way.
    func startClient(_ arguments: String, as unit: String) async throws -> BackgroundClient {
        let client = try await startBackgroundCommand(traffic("\(arguments) /var/lib/\(unit)/going"), as: unit)
        try await waitUntil("\(unit) is under way", within: .seconds(180)) {
            if try await exists(client.goingPath) { return true }
            return try await client.hasEnded()
        }
        return client
    }

    /// Starts a command as a unit whose standard output is its report.
    func startBackgroundCommand(_ command: String, as unit: String) async throws -> BackgroundClient {
        // A directory that the unit's own user may write in, and everybody may read.
        let directory = "/var/lib/\(unit)"
        try await run("install", "-d", "-m", "777", directory)
        // Of an earlier client of this name.
        try await run("rm", "-f", "\(directory)/going", "\(directory)/report")
        try await start(
            .init(unit, command, user: "nobody", settings: ["StandardOutput=file:\(directory)/report"])
        )
        return BackgroundClient(
            host: self,
            unit: unit,
            goingPath: "\(directory)/going",
            reportPath: "\(directory)/report"
        )
    }

    /// The newest finished connection that satisfies a condition. It is recorded after its end, so this waits a little.
    func decision(
        _ what: String = "a decision",
        where condition: (DecisionRow) -> Bool
    ) async throws -> DecisionRow {
        try await waitFor(what) { try await decisions(last: 200).first(where: condition) }
    }
}

/// A client that runs in the background until it is ended.
struct BackgroundClient {
    let host: TestHost
    let unit: String
    /// It works as long as this file is there.
    let goingPath: String
    let reportPath: String

    func hasEnded() async throws -> Bool {
        try await !["active", "activating"].contains(host.property("ActiveState", of: unit))
    }

    /// Tells it to end and returns its report.
    func end() async throws -> TrafficReport {
        try await host.run("rm", "-f", goingPath)
        return try await report()
    }

    /// Waits until it ends of its own accord and returns its report.
    func report(within limit: Duration = .seconds(60)) async throws -> TrafficReport {
        try await waitUntil("\(unit) has ended", within: limit) { try await hasEnded() }
        let text = try await host.read(reportPath)
        guard !text.isEmpty else { throw RigFailure("\(unit) said nothing:\n\(try await host.journal(unit))") }
        return try JSONDecoder().decode(TrafficReport.self, from: Data(text.utf8))
    }
}

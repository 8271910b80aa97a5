extension TestHost {
    /// A program to run as a systemd service.
    package struct Unit: Sendable {
        /// With its suffix, such as `web.service`.
        package var name: String
        package var command: String
        package var user: String?
        /// A slice that the unit lives in; system.slice when nil.
        package var slice: String?
        package var type: String
        /// More lines for `[Service]`.
        package var settings: [String]

        package init(
            _ name: String,
            _ command: String,
            user: String? = nil,
            slice: String? = nil,
            type: String = "simple",
            settings: [String] = []
        ) {
            self.name = name
            self.command = command
            self.user = user
            self.slice = slice
            self.type = type
            self.settings = settings
        }

        fileprivate var text: String {
            var lines = ["[Service]", "Type=\(type)", "ExecStart=\(command)", "LimitNOFILE=65536"]
            if let user { lines.append("User=\(user)") }
            if let slice { lines.append("Slice=\(slice)") }
            return (lines + settings).joined(separator: "\n") + "\n"
        }
    }

    /// Writes the unit's file and starts it. With `port`, returns once something listens there.
    package func start(_ unit: Unit, listeningOn port: Int? = nil) async throws {
        try await write(unit.text, to: "/etc/systemd/system/\(unit.name)")
        try await run("systemctl", "daemon-reload")
        try await start(unit.name, listeningOn: port)
    }

    /// Starts a unit that is there already.
    package func start(_ unit: String, listeningOn port: Int? = nil) async throws {
        let started = try await attempt("systemctl", "start", unit)
        guard started.succeeded else {
            throw CommandFailure(
                command: started.command,
                reason: "\(unit) did not start: \(try await journal(unit))",
                output: started
            )
        }
        guard let port else { return }
        do {
            try await waitUntil("\(unit) listens on port \(port)") { try await isListening(on: port) }
        } catch let failure as RigFailure {
            throw RigFailure("\(failure)\n\(try await journal(unit))")
        }
    }

    /// Runs a command to its end as a transient service of that name, so that its connections are that unit's.
    package func run(
        as unit: Unit,
        input: String = "",
        timeout: Duration = .seconds(60)
    ) async throws -> Output {
        var command = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--unit=\(unit.name)"]
        if let user = unit.user { command.append("--uid=\(user)") }
        if let slice = unit.slice { command.append("--slice=\(slice)") }
        command += unit.settings.map { "--property=\($0)" }
        return try await attempt(command + ["bash", "-c", unit.command], input: input, timeout: timeout)
    }

    package func isListening(on port: Int) async throws -> Bool {
        try await !run("ss", "-Hltn", "sport = :\(port)").lines.isEmpty
    }

    package func stop(_ unit: String) async throws { try await run("systemctl", "stop", unit) }

    /// A property of a unit, as `systemctl show` prints it.
    package func property(_ property: String, of unit: String) async throws -> String {
        try await run("systemctl", "show", "--property", property, "--value", unit).text
    }

    package func mainProcess(of unit: String) async throws -> Int {
        Int(try await property("MainPID", of: unit)) ?? 0
    }

    /// The last log lines of a unit.
    package func journal(_ unit: String, lines: Int = 40) async throws -> String {
        try await shell(
            "journalctl --sync; journalctl --no-pager --quiet -o short-monotonic -n \(lines) -u '\(unit)'"
        ).standardOutput
    }

    /// All rules of the host, without counters' values and handles, so that two listings can be compared.
    package func rules() async throws -> String {
        try await run("nft", "--stateless", "list", "ruleset").standardOutput
    }

    /// Names of nftables tables, such as `inet weft`, in the kernel's order.
    package func tables() async throws -> [String] {
        try await run("nft", "list", "tables").lines.map { String($0.dropFirst("table ".count)) }
    }
}

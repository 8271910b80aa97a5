/// What can happen to a host that its own programs have no part in.
extension TestHost {
    /// Where a host's only cable goes.
    package enum Segment: Sendable {
        /// The bridge that every host begins on.
        case lan
        /// A second bridge with no way to the first. Hosts on it reach each other.
        case island
        /// Nowhere: what is sent vanishes without a word, and the link stays up.
        case nowhere
    }

    /// Plugs the host in elsewhere. It notices nothing of it but that others are out of reach, or back.
    package func connect(to segment: Segment) async throws {
        let plug =
            switch segment {
            case .lan: ["master", "lan"]
            case .island: ["master", "island"]
            case .nowhere: ["nomaster"]
            }
        let command = ["nsenter", "--net=/proc/\(lab.kept.identifier)/ns/net", "ip", "link", "set", name] + plug
        let output = try await ShellCommand.run(command)
        guard output.succeeded else {
            throw CommandFailure(command: command, reason: "exit code \(output.exitCode)", output: output)
        }
    }

    /// Kills everything that runs on the host at once. Its network goes with it, and it does not come back.
    package func killWhole() async throws {
        let killed = try await ShellCommand.run(["bash", "-c", "echo 1 >'\(cgroup)/cgroup.kill'"])
        guard killed.succeeded else {
            throw CommandFailure(command: killed.command, reason: "exit code \(killed.exitCode)", output: killed)
        }
    }

    /// Kills the main process of a unit with SIGKILL, and sees to it that systemd starts no other.
    package func killForGood(_ unit: String) async throws {
        try await write("[Service]\nRestart=no\n", to: "/run/systemd/system/\(unit).d/rig-stays-dead.conf")
        try await run("systemctl", "daemon-reload")
        try await run("systemctl", "kill", "--signal=KILL", unit)
        try await waitUntil("\(unit) is dead") { try await mainProcess(of: unit) == 0 }
    }

    /// Starts a unit again that `killForGood` ended.
    package func revive(_ unit: String) async throws {
        try await run("rm", "-f", "/run/systemd/system/\(unit).d/rig-stays-dead.conf")
        try await run("systemctl", "daemon-reload")
        try await run("systemctl", "reset-failed", unit)
        try await run("systemctl", "start", unit)
    }

    /// Stops the main process of a unit where it is, runs `body`, and lets the process go on, however `body` ends.
    package func whilePaused<Result>(_ unit: String, _ body: () async throws -> Result) async throws -> Result {
        let process = try await mainProcess(of: unit)
        guard process != 0 else { throw RigFailure("\(unit) of \(name) does not run") }
        try await run("kill", "-STOP", "\(process)")
        do {
            let result = try await body()
            try await run("kill", "-CONT", "\(process)")
            return result
        } catch {
            _ = try? await attempt("kill", "-CONT", "\(process)")  // The first error is the one to tell.
            throw error
        }
    }

    /// Nanoseconds that the processes of a unit have spent on a processor, threads that have ended included.
    package func processorNanoseconds(of unit: String) async throws -> UInt64 {
        let group = try await shell("systemctl show -p ControlGroup --value \(unit)").lines.first ?? ""
        let books = try await read("/sys/fs/cgroup\(group)/cpu.stat")
        let usage = books.split(separator: "\n").first { $0.hasPrefix("usage_usec ") }
        guard let microseconds = usage.flatMap({ UInt64($0.dropFirst("usage_usec ".count)) }) else {
            throw RigFailure("\(unit) of \(name) has no control group")
        }
        return microseconds * 1000
    }

    /// Descriptors that a unit's main process has open.
    package func descriptors(of unit: String) async throws -> Int {
        try await run("ls", "/proc/\(try await mainProcess(of: unit))/fd").lines.count
    }

    /// Resident memory of a unit's main process.
    package func residentBytes(of unit: String) async throws -> Int {
        let process = try await mainProcess(of: unit)
        let status = try await read("/proc/\(process)/status")
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let kibibytes = line.flatMap { Int($0.split(whereSeparator: { $0 == " " || $0 == "\t" })[1]) }
        guard let kibibytes else { throw RigFailure("\(unit) of \(name) does not run") }
        return kibibytes * 1024
    }
}

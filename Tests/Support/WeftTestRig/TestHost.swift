import Glibc

/// A throwaway Debian host: real systemd as process 1, on an overlay of this machine's root, with its own network,
/// processes, cgroups and host name. Up to five share a bridge.
///
/// Made by `withHosts`, which takes it down again. Its root is a tmpfs, so nothing it writes outlives it.
package final class TestHost: Sendable {
    /// `h1` to `h5`, also its host name; the others can resolve it.
    package let name: String
    /// 1 to 5.
    package let number: Int
    /// On the bridge; every host reaches every other.
    package let address4: String
    package let address6: String

    let lab: Lab
    let cgroup: String
    private let kept: KeptProcess
    /// Its process 1, as this machine numbers it.
    private let systemd: pid_t

    private init(number: Int, lab: Lab, cgroup: String, kept: KeptProcess, systemd: pid_t) {
        name = "h\(number)"
        self.number = number
        address4 = "10.77.0.\(number)"
        address6 = "fd77::\(number)"
        self.lab = lab
        self.cgroup = cgroup
        self.kept = kept
        self.systemd = systemd
    }

    /// Boots a host and returns when systemd has reached its target: half a second on an idle machine.
    static func boot(number: Int, in lab: Lab) async throws -> TestHost {
        let cgroup = "\(lab.cgroupRoot)/\(lab.name)-h\(number)"
        let kept = try KeptProcess([
            "env", "WEFT_RIG_NETWORK=\(HostScripts.network)", "WEFT_RIG_INIT=\(HostScripts.initialProcess)",
            "nsenter", "--target", "\(lab.kept.identifier)", "--net", "--mount",
            "bash", "-c", HostScripts.keeper, "keeper",
            "h\(number)", "\(number)", cgroup, "\(lab.kept.identifier)", Machine.repository, Machine.binaries,
            lab.peerPrograms,
        ])
        do {
            let systemd = try await waitFor("systemd of h\(number) runs; \(kept.printed())", within: .seconds(30)) {
                // systemd moves itself there first of all.
                (try? Machine.readText("\(cgroup)/init.scope/cgroup.procs")).flatMap {
                    pid_t($0.prefix { $0.isNumber })
                }
            }
            let host = TestHost(number: number, lab: lab, cgroup: cgroup, kept: kept, systemd: systemd)
            try await host.waitUntilBooted()
            return host
        } catch {
            try await kept.end()
            throw error
        }
    }

    func takeDown() async throws {
        try await kept.end()
        if access(cgroup, F_OK) == 0 { throw RigFailure("the cgroup of \(name) is still there: \(cgroup)") }
    }

    private func waitUntilBooted() async throws {
        var state = ""
        do {
            try await waitUntil("\(name) has booted", within: .seconds(60)) {
                state = try await attempt("systemctl", "is-system-running").text
                if state == "degraded" {
                    let failed = try await attempt("systemctl", "--failed", "--no-pager")
                    throw RigFailure("\(name) booted with failed units:\n\(failed.text)")
                }
                return state == "running"
            }
        } catch let failure as RigFailure {
            throw RigFailure("\(failure) (state \(state)): \(kept.printed())")
        }
    }

    // MARK: Running commands

    /// Runs a command as root in the host, outside of any unit, and returns its output. Throws `CommandFailure` unless it
    /// exits with 0.
    @discardableResult
    package func run(_ command: String..., input: String = "", timeout: Duration = .seconds(60)) async throws -> Output
    {
        let output = try await attempt(command, input: input, timeout: timeout)
        guard output.succeeded else {
            throw CommandFailure(
                command: ["\(name):"] + command,
                reason: "exit code \(output.exitCode)",
                output: output
            )
        }
        return output
    }

    /// Runs a command like `run`, whatever its exit code is.
    package func attempt(_ command: String..., input: String = "", timeout: Duration = .seconds(60)) async throws
        -> Output
    {
        try await attempt(command, input: input, timeout: timeout)
    }

    /// Runs a bash script like `run`; a failing command or pipe in it ends it.
    @discardableResult
    package func shell(_ script: String, input: String = "", timeout: Duration = .seconds(60)) async throws -> Output {
        try await run("bash", "-euo", "pipefail", "-c", script, input: input, timeout: timeout)
    }

    /// The same for a command that was put together.
    package func attempt(_ command: [String], input: String = "", timeout: Duration = .seconds(60)) async throws
        -> Output
    {
        // Into the host's own cgroup before its cgroup namespace is entered: its sockets are the host's, not this machine's.
        let enter = #"echo $$ >"$1/rig/cgroup.procs"; exec nsenter --target "$2" --all -- "${@:3}""#
        return try await ShellCommand.run(
            ["bash", "-c", enter, "enter", cgroup, "\(systemd)"] + command,
            input: input,
            timeout: timeout
        )
    }

    // MARK: Files

    /// Writes a file whole, with its directories. Mode in the manner of chmod.
    package func write(_ text: String, to path: String, mode: String = "644") async throws {
        try await run("install", "-D", "-m", mode, "/dev/stdin", path, input: text)
    }

    package func read(_ path: String) async throws -> String { try await run("cat", path).standardOutput }

    package func exists(_ path: String) async throws -> Bool { try await attempt("test", "-e", path).succeeded }
}

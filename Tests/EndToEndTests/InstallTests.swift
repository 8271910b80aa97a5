import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// systemd/install and systemd/uninstall, as a user runs them.
    @Suite struct InstallTests {
        @Test func installThenUninstallPutsTheHostBackExactly() async throws {
            try await withHost { host in
                let before = try await HostSnapshot(of: host)
                let installed = try await host.installWeft()
                #expect(installed.standardOutput.contains("weft connections"))
                #expect(installed.standardOutput.contains("sudo systemd/install --join weft1_"))
                #expect(try await host.property("ActiveState", of: "weftd.service") == "active")
                #expect(try await host.property("UnitFileState", of: "weftd.service") == "enabled")
                #expect(try await host.tables().contains("inet weft"))
                try await host.uninstallWeft()
                let differences = try await HostSnapshot(of: host).differences(from: before)
                #expect(differences == [])
            }
        }

        @Test func installingAgainKeepsTheRulesAndAnEditedConfiguration() async throws {
            try await withHost { host in
                try await host.installWeft()
                try await host.shell("printf '\\n# mine\\n' >>/etc/weft/weft.toml")
                let edited = try await host.read("/etc/weft/weft.toml")
                let rules = try await host.rules()
                try await host.installWeft()
                #expect(try await host.read("/etc/weft/weft.toml") == edited)
                #expect(try await host.rules() == rules)
                #expect(try await host.status().capture.state == .on)

                let removed = try await host.uninstallWeft()
                #expect(removed.standardOutput.contains("kept /etc/weft/weft.toml"))
                #expect(try await host.read("/etc/weft/weft.toml") == edited)
                try await host.run("\(TestHost.repositoryPath)/systemd/uninstall", "--purge")
                #expect(try await !host.exists("/etc/weft"))
            }
        }

        @Test func aConfigurationThatNoLongerFitsStopsTheInstallBeforeItChangesAnything() async throws {
            try await withHost { host in
                try await host.write("[capture]\nbad = 1\n", to: "/etc/weft/weft.toml")
                let output = try await host.attempt(
                    "\(TestHost.repositoryPath)/systemd/install",
                    "--binaries",
                    TestHost.binariesPath
                )
                #expect(output.exitCode == 1)
                #expect(output.standardError.contains("/etc/weft/weft.toml does not suit this version"))
                #expect(try await !host.exists("/usr/local/bin/weftd"))
                #expect(try await !host.exists("/etc/systemd/system/weftd.service"))
                #expect(try await !host.attempt("getent", "passwd", "weft").succeeded)
            }
        }

        @Test func uninstallTakesHalfAnInstallationAwayToo() async throws {
            try await withHost { host in
                let before = try await HostSnapshot(of: host)
                try await host.installWeft()
                try await host.run("systemctl", "stop", "weftd.service")
                try await host.run("rm", "/usr/local/bin/weftd", "/etc/systemd/system/weftd.service")
                try await host.uninstallWeft()
                let differences = try await HostSnapshot(of: host).differences(from: before)
                #expect(differences == [])
                // Nothing is left to remove, and that is fine.
                try await host.uninstallWeft()
            }
        }

        @Test func aDaemonThatCannotStartIsToldWithItsLog() async throws {
            try await withHost { host in
                try await host.shell(
                    """
                    mkdir /tmp/broken
                    cp \(TestHost.binariesPath)/weft /tmp/broken/
                    printf '#!/bin/sh\\necho a most particular reason >&2\\nexit 1\\n' >/tmp/broken/weftd
                    chmod 755 /tmp/broken/weftd
                    """
                )
                let output = try await host.attempt(
                    "\(TestHost.repositoryPath)/systemd/install",
                    "--binaries",
                    "/tmp/broken"
                )
                #expect(output.exitCode == 1)
                #expect(output.standardError.contains("a most particular reason"))
                #expect(output.standardError.contains("weftd did not start"))
            }
        }

        @Test(arguments: [["--frobnicate"], ["--binaries"], ["--join"], ["--join", ""], ["--join", "10.0.0.12"]])
        func aWrongArgumentIsAUsageError(_ arguments: [String]) async throws {
            let output = try await ShellCommand.run(["\(Machine.repository)/systemd/install"] + arguments)
            #expect(output.exitCode == 2)
            #expect(output.standardError.contains("usage:"))
        }

        @Test func theUnitsAreSoundAndTightlySandboxed() async throws {
            try await withHost { host in
                try await host.installWeft()
                try await host.run("systemd-analyze", "verify", "weftd.service", "weft-cleanup.service")
                for unit in ["weftd.service", "weft-cleanup.service"] {
                    let report = try await host.run("systemd-analyze", "security", "--no-pager", unit).standardOutput
                    let line = try #require(
                        report.split(separator: "\n").last { $0.contains("Overall exposure level") }
                    )
                    let words = line.split(whereSeparator: { $0 == ":" || $0 == " " })
                    let score = try #require(words.compactMap { Double($0) }.first)
                    print("measured: systemd-analyze security \(unit): \(score)")
                    #expect(score <= 2.5)
                }
                let process = try await host.mainProcess(of: "weftd.service")
                let state = try await host.read("/proc/\(process)/status")
                #expect(!state.contains("Uid:\t0\t"))
                #expect(state.contains("CapEff:\t0000000000001000\n"), "CAP_NET_ADMIN and no other")
                #expect(state.contains("NoNewPrivs:\t1\n"))
                #expect(state.contains("Seccomp:\t2\n"))
            }
        }
    }
}

import Testing
import WeftTestRig

/// The rig's own promises: hosts are real, apart from each other and from this machine, and leave nothing behind.
@Suite(.serialized)
struct TestHostTests {
    @Test func fiveHostsReachEachOtherOverBothFamilies() async throws {
        try await withHosts(5) { hosts in
            for host in hosts {
                for other in hosts where other.number != host.number {
                    try await host.run("ping", "-c1", "-W2", "-q", other.address4)
                    try await host.run("ping", "-c1", "-W2", "-q", other.address6)
                }
            }
        }
    }

    @Test func aServiceRunsInItsOwnCgroupAndACommandOutsideOfAnyUnit() async throws {
        try await withHost { host in
            try await host.start(
                .init("web.service", "/usr/bin/python3 -m http.server 8080", user: "nobody"),
                listeningOn: 8080
            )
            let process = try await host.mainProcess(of: "web.service")
            #expect(try await host.run("cat", "/proc/\(process)/cgroup").lines.last == "0::/system.slice/web.service")
            #expect(try await host.run("cat", "/proc/self/cgroup").lines.last == "0::/rig")
            let output = try await host.run(
                as: .init("job.service", "cat /proc/self/cgroup; id -u", user: "nobody", slice: "shop.slice")
            )
            #expect(output.lines.suffix(2) == ["0::/shop.slice/job.service", "65534"])
        }
    }

    @Test func theHostSeesOnlyItself() async throws {
        try await withHost { host in
            #expect(try await host.run("hostname").text == "h1")
            #expect(try await host.run("cat", "/proc/1/comm").text == "systemd")
            #expect(try await !host.attempt("bash", "-c", "echo 1 >/proc/sys/kernel/panic").succeeded)
            try await host.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
            try await host.run("nft", "add", "table", "inet", "mine")
            #expect(try await host.tables() == ["inet mine"])
        }
    }

    @Test func aCommandThatTakesTooLongIsKilledWithItsChildren() async throws {
        try await withHost { host in
            await #expect(throws: CommandFailure.self) {
                try await host.run("bash", "-c", "sleep 4711 & sleep 4711", timeout: .milliseconds(300))
            }
            try await waitUntil("the children are gone") {
                try await !host.attempt("pgrep", "-f", "sleep 4711").succeeded
            }
        }
    }

    @Test func aFailingTestLeavesNothingBehind() async throws {
        struct Deliberate: Error {}
        let failure = await #expect(throws: RigFailure.self) {
            try await withHosts(2) { hosts in
                try await hosts[0].run("systemctl", "start", "dbus")
                throw Deliberate()
            }
        }
        #expect(failure?.description.hasPrefix("Deliberate()") == true)
    }

    @Test func aCommandIsFedAndHeardInFull() async throws {
        let text = String(repeating: "0123456789abcdef", count: 1 << 16)
        let output = try await ShellCommand.run(["bash", "-c", "tee /dev/stderr; exit 3"], input: text)
        #expect(output.exitCode == 3)
        #expect(output.standardOutput == text)
        #expect(output.standardError == text)
    }
}

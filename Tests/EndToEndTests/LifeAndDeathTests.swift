import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// However weftd ends, the host's network goes on.
    @Suite struct LifeAndDeathTests {
        @Test func aKilledDaemonIsFollowedByAnotherAndNoNewConnectionFails() async throws {
            try await withWeft { hosts in
                try await hosts[1].serveTraffic()
                let watch = try await hosts[0].startClient("watch \(hosts[1].address4) 9000", as: "watch.service")
                let loop = try await hosts[0].startClient("loop \(hosts[1].address4) 9000", as: "loop.service")
                try await killWeft(on: hosts[0])
                #expect(try await watch.report().result == "reset", "a relay that dies is no clean end")
                try await waitUntilServing(hosts[0], by: "loop.service")
                let report = try await loop.end()
                // The conversation that was under way when the process died may be reset; none may fail to connect.
                let counts = try #require(report.counts)
                #expect(counts.keys.allSatisfy { $0 == "ok" || $0 == "reset" }, "\(counts)")
                #expect(counts["reset", default: 0] <= 1)
                print("measured: the slowest of its conversations took \(rounded(report.slowestSeconds ?? 0)) s")
                #expect(try await hosts[0].property("NRestarts", of: "weftd.service") == "1")
            }
        }

        @Test func inboundConnectionsAlsoSurviveAKill() async throws {
            try await withWeft { hosts in
                try await hosts[0].serveTraffic()
                try await waitUntil("echo is seen") { try await hosts[0].services().contains { $0.name == "echo" } }
                let loop = try await hosts[1].startClient("loop \(hosts[0].address4) 9000", as: "loop.service")
                try await waitUntil("it is carried") {
                    try await hosts[0].decisions().contains { $0.path == "inbound" }
                }
                try await killWeft(on: hosts[0])
                try await waitUntil("the next one carries it") {
                    // Until it serves its API there is no answer.
                    guard let rows = try? await hosts[0].decisions() else { return false }
                    return rows.contains { $0.path == "inbound" }
                }
                let report = try await loop.end()
                let counts = try #require(report.counts)
                #expect(counts.keys.allSatisfy { $0 == "ok" || $0 == "reset" }, "\(counts)")
                print("measured: the slowest of its conversations took \(rounded(report.slowestSeconds ?? 0)) s")
            }
        }

        /// Killed again and again until systemd gives up, and stopped: within a second nothing of weft is left.
        @Test(arguments: ["kill", "stop"])
        func aDaemonThatIsGoneForGoodLeavesNothing(_ way: String) async throws {
            try await withHosts(2) { hosts in
                try await hosts[1].serveTraffic()
                try await hosts[0].serveTraffic()
                let before = try await NetworkState(of: hosts[0])
                try await hosts[0].installWeft()
                let watch = try await hosts[0].startClient("watch \(hosts[1].address4) 9000", as: "watch.service")
                let loop = try await hosts[0].startClient("loop \(hosts[1].address4) 9000", as: "loop.service")
                if way == "stop" {
                    try await hosts[0].stop("weftd.service")
                } else {
                    try await killUntilSystemdGivesUp(on: hosts[0])
                }
                try await waitUntil("nothing of weft is left in the kernel") {
                    try await NetworkState(of: hosts[0]) == before
                }
                #expect(
                    try await ["reset", "ended"].contains(watch.report().result),
                    "no client hangs"
                )
                let direct = try await hosts[0].client("echo \(hosts[1].address4) 9000 hello", as: "after.service")
                #expect(direct.answer == "hello")
                let inbound = try await hosts[1].client("echo \(hosts[0].address4) 9000 hello", as: "after.service")
                #expect(inbound.answer == "hello")
                let report = try await loop.end()
                let counts = try #require(report.counts)
                #expect(counts.keys.allSatisfy { ["ok", "reset", "ended"].contains($0) }, "\(counts)")
                print("measured: the slowest of its conversations took \(rounded(report.slowestSeconds ?? 0)) s")
                #expect(
                    try await hosts[0].attempt("weft", "status").exitCode == 3,
                    "the CLI says that no daemon is there"
                )
            }
        }

        @Test func connectionsOlderThanWeftGoOnThroughItsWholeLife() async throws {
            try await withHosts(2) { hosts in
                for host in hosts { try await host.serveTraffic() }
                let outbound = try await hosts[0].startClient(
                    "watch \(hosts[1].address4) 9000",
                    as: "older-out.service"
                )
                let inbound = try await hosts[1].startClient("watch \(hosts[0].address4) 9000", as: "older-in.service")
                let local = try await hosts[0].startClient("watch 127.0.0.1 9000", as: "older-local.service")
                try await hosts[0].installWeft()
                try await killWeft(on: hosts[0])
                try await waitUntil("weftd is back") { try await hosts[0].attempt("weft", "status").exitCode <= 1 }
                try await hosts[0].run("weft", "off")
                try await hosts[0].run("weft", "on")
                try await hosts[0].stop("weftd.service")
                for client in [outbound, inbound, local] {
                    #expect(try await client.end().result == "removed", "\(client.unit) was cut")
                }
            }
        }

        @Test func aRestartFailsNoNewConnectionAndKeepsTheRules() async throws {
            try await withWeft { hosts in
                try await hosts[1].serveTraffic()
                let loop = try await hosts[0].startClient("loop \(hosts[1].address4) 9000", as: "loop.service")
                let rules = try await hosts[0].rules()
                for _ in 1...3 { try await hosts[0].run("systemctl", "restart", "weftd.service") }
                #expect(try await hosts[0].rules() == rules)
                try await waitUntilServing(hosts[0], by: "loop.service")
                let counts = try #require(try await loop.end().counts)
                #expect(counts.keys.allSatisfy { $0 == "ok" }, "a drained daemon cuts nothing short: \(counts)")
            }
        }

        @Test func aStopLetsConnectionsFinishWithinTheDeadline() async throws {
            try await withWeft { hosts in
                try await hosts[1].serveTraffic()
                let host = hosts[0]
                let client = try await host.startBackgroundCommand(
                    traffic("slow \(hosts[1].address4) 9000"),
                    as: "slow.service"
                )
                try await waitUntil("it is carried") {
                    try await host.connections().contains { $0.source.unit == "slow.service" && $0.bytesIn > 0 }
                }
                try await host.stop("weftd.service")
                #expect(try await client.report().lines == 30)
            }
        }

        @Test func aDaemonThatNoLongerMovesIsReplaced() async throws {
            try await withWeft { hosts in
                try await hosts[1].serveTraffic()
                let process = try await hosts[0].mainProcess(of: "weftd.service")
                try await hosts[0].run("kill", "-STOP", "\(process)")
                try await waitUntil("the watchdog has it replaced", every: .milliseconds(200)) {
                    let now = try await hosts[0].mainProcess(of: "weftd.service")
                    return now != process && now != 0
                }
                let report = try await hosts[0].client("echo \(hosts[1].address4) 9000 hello")
                #expect(report.answer == "hello")
            }
        }

        /// Sends SIGKILL and returns when systemd has started the next one.
        private func killWeft(on host: TestHost) async throws {
            let process = try await host.mainProcess(of: "weftd.service")
            try #require(process != 0)
            try await host.run("kill", "-KILL", "\(process)")
            try await waitUntil("systemd has started another weftd") {
                let now = try await host.mainProcess(of: "weftd.service")
                return now != 0 && now != process
            }
        }

        private func killUntilSystemdGivesUp(on host: TestHost) async throws {
            try await host.shell(
                """
                while [ "$(systemctl is-failed weftd.service)" != failed ]; do
                    process=$(systemctl show --property MainPID --value weftd.service)
                    if [ "$process" != 0 ]; then kill -KILL "$process" 2>/dev/null || true; fi
                    sleep 0.05
                done
                """,
                timeout: .seconds(30)
            )
        }

        private func waitUntilServing(_ host: TestHost, by unit: String) async throws {
            try await waitUntil("\(unit) is carried again") {
                guard let rows = try? await host.decisions(last: 5) else { return false }
                return rows.contains { $0.source.unit == unit }
            }
        }
    }
}

/// What weft adds to a host's network: all of it has to be gone when weft is.
private struct NetworkState: Equatable {
    let rules: String
    let policies: String
    let routes: String
    let addresses: String

    init(of host: TestHost) async throws {
        rules = try await host.rules()
        policies = try await host.shell("ip rule; ip -6 rule").standardOutput
        routes = try await host.shell("ip route show table all; ip -6 route show table all").standardOutput
        addresses = try await host.shell("ip -o addr show dev lo").standardOutput
    }
}

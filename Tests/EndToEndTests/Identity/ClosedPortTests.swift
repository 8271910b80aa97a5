import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// A firewall in front of the tunnels' port: before the first tunnel all is as it was, after it nothing goes in clear.
    @Suite struct ClosedPortTests {
        private static let secret = "never-in-clear-again"

        @Test func closedFromTheStartEverythingWorksAsBeforeAndStatusSaysWhatToOpen() async throws {
            try await withHosts(2) { hosts in
                try await hosts[1].serveTraffic()
                try await hosts[1].closeTunnelPort("drop")
                let first = try await hosts[0].installWeft()
                let joined = try await hosts[1].installWeft(join: joinToken(in: first))
                let said = joined.standardOutput + joined.standardError
                #expect(said.contains("15008"), "join tests both ways and says what is missing: \(said)")
                try await waitUntil("echo is known") {
                    try await hosts[0].endpoints(of: "echo") == ["h2 9000"]
                }
                let loop = try await hosts[0].startClient("loop \(hosts[1].address4) 9000", as: "loop.service")
                try await waitUntil("it is carried as dialled") {
                    try await hosts[0].decisions().contains { $0.source.unit == "loop.service" && $0.path == "peer" }
                }
                let problem = try await waitFor("status says what to open") {
                    try await hosts[0].status().problems.first { ($0.text + $0.next).contains("15008") }
                }
                #expect((problem.text + problem.next).contains("h2"), "\(problem)")
                let report = try await loop.end()
                #expect(report.counts?.keys.allSatisfy { $0 == "ok" } == true, "\(report)")
                print("measured: the first waits for a tunnel for \(rounded(report.slowestSeconds ?? 0)) s")
                #expect(try await hosts[0].decision(of: "loop.service").security == .plaintext)

                // Once it is open, security rises by itself.
                try await hosts[1].openTunnelPort()
                try await hosts[0].waitForTunnel(to: hosts[1])
                try await waitUntil("the problem is gone") {
                    try await !hosts[0].status().problems.contains { ($0.text + $0.next).contains("15008") }
                }
            }
        }

        /// By a firewall that answers, and by one that is silent.
        @Test(arguments: ["reject with tcp reset", "drop"])
        func closedAfterTheFirstTunnelNothingGoesInClear(_ verdict: String) async throws {
            try await withIdentities { hosts in
                try await hosts[1].serveTraffic()
                try await hosts[0].waitForTunnel(to: hosts[1])
                let watch = try await hosts[0].startClient("watch \(hosts[1].address4) 9000", as: "watch.service")
                let wire = try await Wire.listen(on: hosts[0], for: [Self.secret])
                try await hosts[1].closeTunnelPort(verdict)
                try await expectRefused(hosts)
                #expect(try await ["reset", "ended"].contains(watch.report().result))
                // What it knows outlives it.
                try await hosts[0].run("systemctl", "restart", "weftd.service")
                try await waitUntil("echo is known again") {
                    try await hosts[0].endpoints(of: "echo") == ["h2 9000"]
                }
                try await expectRefused(hosts)
                let heard = try await wire.end()
                #expect(heard.lost == 0 && heard.frames > 0)
                #expect(heard.found[Self.secret] == 0, "\(heard)")
                #expect(heard.ports["9000", default: 0] == 0, "\(heard)")

                try await hosts[1].openTunnelPort()
                try await hosts[0].waitForTunnel(to: hosts[1], as: "again.service")
            }
        }

        private func expectRefused(_ hosts: [TestHost]) async throws {
            let ending = try await hosts[0].ending(
                of: "echo \(hosts[1].address4) 9000 \(Self.secret)",
                as: "refused.service"
            )
            #expect(["ConnectionResetError", "ConnectionRefusedError", "TimeoutError"].contains(ending), "\(ending)")
            let decision = try await hosts[0].decision(of: "refused.service")
            #expect(decision.security == .mtls || decision.detail != nil, "it says why: \(decision)")
            #expect(decision.bytesIn == 0)
        }
    }
}

extension TestHost {
    func closeTunnelPort(_ verdict: String) async throws {
        try await shell(
            """
            nft add table inet closed
            nft 'add chain inet closed input { type filter hook input priority 0; }'
            nft add rule inet closed input tcp dport 15008 \(verdict)
            """
        )
    }

    func openTunnelPort() async throws { try await run("nft", "delete", "table", "inet", "closed") }
}

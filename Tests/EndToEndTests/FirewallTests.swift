import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// Beside other users of netfilter: what was open stays open, what was closed stays closed, and capture goes on.
    @Suite struct FirewallTests {
        /// Port 9000 is allowed and port 9001 is not; `lo` as a user's rule set has it, and without.
        @Test(arguments: ["iif lo accept", ""])
        func aDefaultDropInputChainJudgesTheRealPort(_ loopback: String) async throws {
            try await withWeft { hosts in
                try await serveTwoPorts(on: hosts[0])
                try await hosts[1].serveTraffic()
                try await hosts[0].shell(
                    """
                    nft -f - <<'RULES'
                    table inet filter {
                        chain input {
                            type filter hook input priority 0; policy drop;
                            \(loopback)
                            ct state established,related accept
                            meta l4proto { icmp, ipv6-icmp } accept
                            tcp dport 9000 accept
                        }
                    }
                    RULES
                    """
                )
                try await expectOpenAndClosed(hosts, closed: .silent)
                if loopback.isEmpty {
                    // The redirected packet arrives on lo, and that is closed: only the user can open it.
                    try await expectFirewallRow(on: hosts[0])
                } else {
                    try await expectCaptured(from: hosts[0], to: hosts[1])
                }
            }
        }

        @Test func aDefaultDropOutputChainIsNamedWithItsRemedy() async throws {
            try await withWeft { hosts in
                try await hosts[1].serveTraffic()
                try await hosts[0].shell(
                    """
                    nft -f - <<'RULES'
                    table inet filter {
                        chain output {
                            type filter hook output priority 0; policy drop;
                            ct state established,related accept
                            ip daddr \(hosts[1].address4) tcp dport 9000 accept
                        }
                    }
                    RULES
                    """
                )
                try await expectFirewallRow(on: hosts[0])
                try await hosts[0].run(
                    "nft",
                    "insert",
                    "rule",
                    "inet",
                    "filter",
                    "output",
                    "ct",
                    "status",
                    "dnat",
                    "accept"
                )
                // weftd's own connection is the one that the user had allowed.
                try await expectCaptured(from: hosts[0], to: hosts[1], overIPv6: false)
            }
        }

        @Test func ufwKeepsItsClosedPortsClosedAndItsReloadChangesNothing() async throws {
            try await withWeft { hosts in
                try await serveTwoPorts(on: hosts[0])
                try await hosts[1].serveTraffic()
                try await hosts[0].shell("ufw allow 9000/tcp; ufw --force enable", timeout: .seconds(60))
                try await expectOpenAndClosed(hosts, closed: .silent)
                try await expectCaptured(from: hosts[0], to: hosts[1])
                try await hosts[0].run("ufw", "reload")
                try await expectOpenAndClosed(hosts, closed: .silent)
                try await expectCaptured(from: hosts[0], to: hosts[1])
                try await hosts[0].run("ufw", "disable")
                try await expectCaptured(from: hosts[0], to: hosts[1])
            }
        }

        @Test func firewalldKeepsItsClosedPortsClosedAndItsReloadChangesNothing() async throws {
            try await withWeft { hosts in
                try await serveTwoPorts(on: hosts[0])
                try await hosts[1].serveTraffic()
                try await hosts[0].start("firewalld.service")
                try await hosts[0].run("firewall-cmd", "--quiet", "--permanent", "--add-port=9000/tcp")
                for reload in ["--reload", "--complete-reload"] {
                    try await hosts[0].run("firewall-cmd", "--quiet", reload)
                    try await expectOpenAndClosed(hosts, closed: .refused)
                    // IPv6 too, though firewalld refuses what goes to ::1.
                    try await expectCaptured(from: hosts[0], to: hosts[1])
                }
                try await hosts[0].run("systemctl", "restart", "firewalld.service")
                // systemd counts it as started before its rules stand.
                try await waitUntil("firewalld's rules stand") {
                    try await hosts[0].attempt("firewall-cmd", "--state").exitCode == 0
                }
                try await expectOpenAndClosed(hosts, closed: .refused)
                try await expectCaptured(from: hosts[0], to: hosts[1])
            }
        }

        @Test func flushingTheRulesetLeavesCaptureAlone() async throws {
            try await withWeft { hosts in
                try await hosts[1].serveTraffic()
                try await hosts[0].run("nft", "add", "table", "inet", "mine")
                try await hosts[0].run("nft", "flush", "ruleset")
                #expect(try await !hosts[0].tables().contains("inet mine"))
                try await expectCaptured(from: hosts[0], to: hosts[1])
                #expect(try await hosts[0].status().problems == [])
            }
        }

        @Test func aSecondDaemonIsRefusedAndTheFirstGoesOn() async throws {
            try await withWeft { hosts in
                try await hosts[1].serveTraffic()
                let second = try await hosts[0].attempt(
                    "systemd-run",
                    "--quiet",
                    "--pipe",
                    "--wait",
                    "--collect",
                    "/usr/local/bin/weftd",
                    timeout: .seconds(30)
                )
                #expect(second.exitCode != 0)
                #expect(!second.standardError.isEmpty, "it says why")
                try await expectCaptured(from: hosts[0], to: hosts[1])
            }
        }

        /// A bridge with a container behind it, published by DNAT and masqueraded, as Docker's rules have it.
        @Test func aPublishedContainerPortStaysReachable() async throws {
            try await withWeft { hosts in
                try await hosts[1].serveTraffic()
                try await startContainer(on: hosts[0])
                let published = try await hosts[1].client("echo \(hosts[0].address4) 8080 hello")
                #expect(published.answer == "hello")
                let fromHere = try await hosts[0].client("echo 172.18.0.2 9000 hello", as: "near.service")
                #expect(fromHere.answer == "hello")
                let decision = try await hosts[0].decision { $0.source.unit == "near.service" }
                #expect(decision.destination == "172.18.0.2:9000")
                let fromInside = try await hosts[0].shell(
                    "ip netns exec box " + traffic("echo \(hosts[1].address4) 9000 hello")
                )
                #expect(fromInside.standardOutput.contains("hello"))
            }
        }

        // MARK: -

        /// How a firewall turns a packet away.
        private enum Closing { case refused, silent }

        /// Port 9000 and port 9001, both as services.
        private func serveTwoPorts(on host: TestHost) async throws {
            try await host.serveTraffic()
            try await host.start(.init("hidden.service", traffic("serve 9001"), user: "daemon"), listeningOn: 9001)
            try await waitUntil("both are seen") {
                Set(try await host.services().map(\.port)).isSuperset(of: [9000, 9001])
            }
        }

        /// From the second host: port 9000 answers and is carried, port 9001 and weft's own do not.
        private func expectOpenAndClosed(_ hosts: [TestHost], closed: Closing) async throws {
            for address in [hosts[0].address4, hosts[0].address6] {
                let report = try await hosts[1].client("echo \(address) 9000 hello")
                #expect(report.answer == "hello")
                for port in [9001, 15001, 15006] {
                    let shown = address.contains(":") ? "[\(address)]" : address
                    let attempt = try await hosts[1].attempt(
                        "curl",
                        "-sS",
                        "--max-time",
                        "2",
                        "http://\(shown):\(port)/"
                    )
                    #expect(
                        attempt.exitCode == (closed == .silent ? 28 : 7),
                        "\(shown) port \(port): \(attempt.standardError)"
                    )
                }
            }
            _ = try await hosts[0].decision("the open port's") {
                $0.path == "inbound" && $0.destination.hasSuffix(":9000")
            }
        }

        private func expectCaptured(from client: TestHost, to server: TestHost, overIPv6: Bool = true) async throws {
            for address in overIPv6 ? [server.address4, server.address6] : [server.address4] {
                let before = try await client.status().connections.total
                let report = try await client.client("echo \(address) 9000 hello", as: "captured.service")
                #expect(report.answer == "hello")
                try await waitUntil("the connection to \(address) passed through weft") {
                    try await client.status().connections.total > before
                }
            }
        }

        private func expectFirewallRow(on host: TestHost) async throws {
            let row = try await waitFor(
                "weft check names the firewall",
                within: .seconds(10),
                every: .milliseconds(200)
            ) {
                try await host.check().first { $0.section == "firewall" && $0.verdict != .good }
            }
            #expect(row.remedy?.isEmpty == false)
        }

        private func startContainer(on host: TestHost) async throws {
            try await host.shell(
                """
                sysctl -q -w net.ipv4.ip_forward=1
                ip netns add box
                ip link add docker9 type bridge
                ip link add boxed type veth peer name eth0 netns box
                ip link set boxed master docker9 up
                ip addr add 172.18.0.1/16 dev docker9
                ip link set docker9 up
                ip -n box link set lo up
                ip -n box addr add 172.18.0.2/16 dev eth0
                ip -n box link set eth0 up
                ip -n box route add default via 172.18.0.1
                iptables -P FORWARD DROP
                iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
                iptables -A FORWARD -i docker9 -j ACCEPT
                iptables -A FORWARD -o docker9 -p tcp -d 172.18.0.2 --dport 9000 -j ACCEPT
                iptables -t nat -A POSTROUTING -s 172.18.0.0/16 ! -o docker9 -j MASQUERADE
                iptables -t nat -A PREROUTING ! -i docker9 -p tcp --dport 8080 -j DNAT --to-destination 172.18.0.2:9000
                """
            )
            try await host.start(
                .init(
                    "container.service",
                    traffic("serve 9000"),
                    settings: ["NetworkNamespacePath=/run/netns/box"]
                )
            )
            try await waitUntil("the container listens") {
                try await host.run("ip", "netns", "exec", "box", "ss", "-Hltn", "sport = :9000").lines.isEmpty == false
            }
        }
    }
}

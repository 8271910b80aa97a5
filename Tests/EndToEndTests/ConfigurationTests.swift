import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// The host configuration, read at start and on SIGHUP, and the two switches.
    @Suite struct ConfigurationTests {
        @Test func aReloadAppliesAGoodConfigurationAndCutsNothing() async throws {
            try await withWeft { hosts in
                try await hosts[1].serveTraffic()
                let watch = try await hosts[0].startClient("watch \(hosts[1].address4) 9000", as: "watch.service")
                let process = try await hosts[0].mainProcess(of: "weftd.service")
                try await hosts[0].write("[capture.exclude]\nports = [9000]\n", to: "/etc/weft/weft.toml")
                try await hosts[0].run("systemctl", "reload", "weftd.service")
                try await waitUntil("port 9000 goes direct") {
                    let before = try await hosts[0].status().connections.total
                    _ = try await hosts[0].client("echo \(hosts[1].address4) 9000 hello")
                    return try await hosts[0].status().connections.total == before
                }
                #expect(try await hosts[0].mainProcess(of: "weftd.service") == process)
                #expect(try await watch.end().result == "removed")
            }
        }

        @Test func aReloadOfABrokenConfigurationKeepsTheOldOneAndSaysWhere() async throws {
            try await withWeft { hosts in
                try await hosts[1].serveTraffic()
                let rules = try await hosts[0].rules()
                try await hosts[0].write("[capture]\nenabled = true\nscoop = \"mesh\"\n", to: "/etc/weft/weft.toml")
                let checked = try await hosts[0].attempt("weftd", "--check", "/etc/weft/weft.toml")
                #expect(checked.exitCode != 0)
                #expect((checked.standardOutput + checked.standardError).contains("line 3"))
                #expect((checked.standardOutput + checked.standardError).contains("scope"), "a suggestion")
                _ = try await hosts[0].attempt("systemctl", "reload", "weftd.service")
                let problem = try await waitFor("status tells it") {
                    try await hosts[0].status().problems.first {
                        $0.text.contains("line 3") || $0.text.contains("scoop")
                    }
                }
                #expect(!problem.next.isEmpty)
                #expect(try await hosts[0].rules() == rules)
                let report = try await hosts[0].client("echo \(hosts[1].address4) 9000 hello")
                #expect(report.answer == "hello")
                _ = try await hosts[0].decision { $0.source.unit == "client.service" }

                try await hosts[0].write("", to: "/etc/weft/weft.toml")
                try await hosts[0].run("systemctl", "reload", "weftd.service")
                try await waitUntil("the problem is gone") { try await hosts[0].status().problems == [] }
            }
        }

        @Test func theShippedConfigurationIsGood() async throws {
            try await withWeft(1) { hosts in
                try await hosts[0].run("weftd", "--check", "\(TestHost.repositoryPath)/config/weft.toml")
                #expect(try await hosts[0].status().problems == [])
            }
        }

        /// What listens on loopback only is reachable from other hosts once the configuration says so, and not before.
        @Test(arguments: [false, true])
        func aPrivateServiceIsReachableOnceItIsExposed(overIPv6: Bool) async throws {
            try await withWeft { hosts in
                let (weft, plain) = (hosts[0], hosts[1])
                let private8123 = "/usr/bin/python3 -m http.server --directory /srv/page --bind 127.0.0.1 8123"
                try await weft.write("woven\n", to: "/srv/page/index.html")
                try await weft.start(.init("private.service", private8123), listeningOn: 8123)
                let page = "http://\(overIPv6 ? "[\(weft.address6)]" : weft.address4):8123/"
                #expect(try await plain.attempt("curl", "-sS", "--max-time", "10", page).exitCode == 7, "refused")

                try await weft.write("[service.private]\nexpose = true\n", to: "/etc/weft/weft.toml")
                try await weft.run("systemctl", "reload", "weftd.service")
                try await waitUntil("it is exposed") {
                    try await weft.services().contains { $0.name == "private" && $0.exposed }
                }
                let answer = try await waitFor("the page") {
                    let fetched = try await plain.attempt("curl", "-sS", "--max-time", "10", page)
                    return fetched.succeeded ? fetched.standardOutput : nil
                }
                #expect(answer == "woven\n")
                #expect(try await weft.decision { $0.service == "private" }.path == "inbound")
            }
        }

        @Test func offTakesCaptureAwayAtOnceAndOnBringsItBack() async throws {
            try await withWeft { hosts in
                try await hosts[1].serveTraffic()
                let watch = try await hosts[0].startClient("watch \(hosts[1].address4) 9000", as: "watch.service")
                try await hosts[0].run("weft", "off")
                #expect(try await !hosts[0].tables().contains("inet weft"))
                #expect(try await hosts[0].status().capture.state == .off)
                let before = try await hosts[0].status().connections.total
                #expect(try await hosts[0].client("echo \(hosts[1].address4) 9000 hello").answer == "hello")
                #expect(try await hosts[0].status().connections.total == before)
                try await hosts[0].run("weft", "on")
                #expect(try await hosts[0].status().capture.state == .on)
                #expect(try await hosts[0].client("echo \(hosts[1].address4) 9000 hello").answer == "hello")
                _ = try await hosts[0].decision { $0.source.unit == "client.service" }
                #expect(try await watch.end().result == "removed", "a carried connection goes on through both")
            }
        }

        @Test func excludedUsersUnitsAddressesAndPortsGoDirect() async throws {
            let configuration = """
                [capture.exclude]
                ports = [9005]
                addresses = ["10.77.0.3"]
                units = ["backup.service"]
                users = ["games"]
                """
            try await withHosts(3) { hosts in
                try await hosts[0].write(configuration, to: "/etc/weft/weft.toml")
                try await hosts[0].installWeft()
                for host in hosts.dropFirst() {
                    try await host.serveTraffic()
                    try await host.start(.init("other.service", traffic("serve 9005")), listeningOn: 9005)
                }
                let address = hosts[1].address4
                _ = try await hosts[0].client("echo \(address) 9005 hello", as: "port.service")
                _ = try await hosts[0].client("echo \(hosts[2].address4) 9000 hello", as: "address.service")
                _ = try await hosts[0].client("echo \(address) 9000 hello", as: "games.service", user: "games")
                _ = try await hosts[0].client("echo \(address) 9000 hello", as: "carried.service")
                _ = try await hosts[0].decision { $0.source.unit == "carried.service" }
                // A unit is excluded by its cgroup, which exists once it runs.
                let backup = try await hosts[0].startClient("loop \(address) 9000", as: "backup.service")
                try await waitUntil("backup.service goes direct", every: .milliseconds(300)) {
                    let before = try await hosts[0].status().connections.total
                    try await Task.sleep(for: .milliseconds(300))
                    return try await hosts[0].status().connections.total == before
                }
                #expect(try await backup.end().counts?.keys.sorted() == ["ok"])
                let units = Set(try await hosts[0].decisions(last: 500).map(\.source.unit))
                #expect(units.isDisjoint(with: ["port.service", "address.service", "games.service"]))
            }
        }

        @Test func failClosedRefusesItsUsersWhileWeftIsAway() async throws {
            let configuration = "[capture]\nfail = \"closed\"\nfail-users = [\"games\"]\n"
            try await withWeft(configuration: configuration) { hosts in
                try await hosts[1].serveTraffic()
                #expect(try await hosts[0].client("echo \(hosts[1].address4) 9000 hi", user: "games").answer == "hi")
                try await hosts[0].stop("weftd.service")
                let refused = try await hosts[0].run(
                    as: .init("refused.service", traffic("echo \(hosts[1].address4) 9000 hi"), user: "games")
                )
                #expect(refused.standardError.contains("ConnectionRefusedError"))
                #expect(try await hosts[0].client("echo \(hosts[1].address4) 9000 hi").answer == "hi")
                try await hosts[0].start("weftd.service")
                #expect(try await hosts[0].client("echo \(hosts[1].address4) 9000 hi", user: "games").answer == "hi")
            }
        }

        @Test func meshScopeLeavesOtherTrafficAlone() async throws {
            try await withWeft(configuration: "[capture]\nscope = \"mesh\"\n") { hosts in
                try await hosts[1].serveTraffic()
                #expect(try await hosts[0].status().capture.scope == "mesh")
                #expect(try await hosts[0].client("echo \(hosts[1].address4) 9000 hi").answer == "hi")
                #expect(try await hosts[0].decisions().allSatisfy { $0.source.unit != "client.service" })
            }
        }
    }
}

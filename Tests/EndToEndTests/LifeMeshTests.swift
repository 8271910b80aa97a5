import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// Joining, leaving, starting again, and what it costs to be there.
    @Suite struct LifeMeshTests {
        @Test func aRestartedDaemonRejoinsByItselfAndOneThatLeftStaysOut() async throws {
            try await withMesh(3) { hosts in
                let all = ["h1": "alive", "h2": "alive", "h3": "alive"]
                try await hosts[1].run("systemctl", "restart", "weftd.service")
                try await expectPool(all, seenBy: hosts.map { .weft($0) }, "after a restart")
                try await hosts[1].killForGood("weftd.service")
                try await hosts[1].revive("weftd.service")
                try await expectPool(all, seenBy: hosts.map { .weft($0) }, "after a kill")

                try await hosts[1].run("weft", "leave")
                try await hosts[1].run("systemctl", "restart", "weftd.service")
                try await expectPool(
                    ["h1": "alive", "h2": "left", "h3": "alive"],
                    seenBy: [.weft(hosts[0]), .weft(hosts[2])],
                    "after a leave"
                )
                try await expectPool(["h2": "alive"], seenBy: [.weft(hosts[1])], "out of the mesh")
                // Exchanges of states would bring it back within half a minute, were there any.
                let exchanges = try await hosts[0].metric("weft_gossip_exchanges_started_total") ?? 0
                try await waitUntil("states were exchanged", within: .seconds(100), every: .seconds(1)) {
                    try await hosts[0].metric("weft_gossip_exchanges_started_total") ?? 0 > exchanges
                }
                #expect(try await PoolView.weft(hosts[1]).states() == ["h2": "alive"])
                try await hosts[1].run("weft", "join", hosts[0].name)
                try await expectPool(all, seenBy: hosts.map { .weft($0) }, "after a join")
            }
        }

        @Test func theConfigurationJoinsToo() async throws {
            try await withMesh(2, joined: false) { hosts in
                try await hosts[1].configureWeft("[gossip]\njoin = [\"\(hosts[0].name)\", \"10.77.0.99\"]\n")
                try await hosts[1].run("systemctl", "restart", "weftd.service")
                let both = ["h1": "alive", "h2": "alive"]
                try await expectPool(both, seenBy: hosts.map { .weft($0) }, "by the configuration")
            }
        }

        @Test func joiningNobodyIsAnErrorThatHelps() async throws {
            try await withMesh(2, weft: 1) { hosts in
                for address in ["10.77.0.99", hosts[1].address4, "nowhere.invalid"] {
                    let output = try await hosts[0].attempt("weft", "join", address)
                    #expect(output.exitCode == 1, "\(address)")
                    let said = output.standardOutput + output.standardError
                    #expect(said.contains(address) && said.contains("7946"), "\(said)")
                }
                // One that answers is enough.
                let agent = try await SerfAgent.start(on: hosts[1])
                try await hosts[0].run("weft", "join", "10.77.0.99", hosts[1].address4)
                let both = ["h1": "alive", "h2": "alive"]
                try await expectPool(both, seenBy: [.weft(hosts[0]), .serf(agent)])
                #expect(try await hosts[0].attempt("weft", "join", "not an address").exitCode == 2)
            }
        }

        /// A key that the pool does not have, and none at all.
        @Test(arguments: [SerfMeshTests.keys[1], nil])
        func aHostWithoutTheKeyIsRefused(_ key: String?) async throws {
            try await withMesh(2, key: SerfMeshTests.keys[0], joined: false) { hosts in
                try await hosts[1].configureWeft(key: key)
                try await hosts[1].run("systemctl", "restart", "weftd.service")
                let output = try await hosts[1].attempt("weft", "join", hosts[0].address4)
                #expect(output.exitCode == 1)
                #expect((output.standardOutput + output.standardError).contains("key"), "\(output)")
                let drops = try await hosts[0].drops()
                print("measured: drops after a join with \(key == nil ? "no" : "another") key: \(drops)")
                #expect(!drops.isEmpty)
                #expect(try await PoolView.weft(hosts[0]).states() == ["h1": "alive"])
                #expect(try await PoolView.weft(hosts[1]).states() == ["h2": "alive"])
            }
        }

        /// Three weftd and two agents that have nothing to tell each other.
        @Test func anIdleDaemonCostsNoMoreThanAnAgent() async throws {
            try await withMesh(5, weft: 3) { hosts in
                var agents: [SerfAgent] = []
                for host in hosts[3...] {
                    let join = "-join=\(hosts[0].address4)"
                    agents.append(try await SerfAgent.start(on: host, options: [join]))
                }
                let all = Dictionary(uniqueKeysWithValues: hosts.map { ($0.name, "alive") })
                try await expectPool(all, seenBy: agents.map { .serf($0) } + hosts[..<3].map { .weft($0) })
                // What a join sets in motion has settled when nothing is left to spread.
                try await waitUntil("nothing waits to be spread", every: .milliseconds(500)) {
                    for host in hosts[..<3] {
                        let queues = try await host.metrics("weft_gossip_queue_depth{")
                        guard queues.values.allSatisfy({ $0 == 0 }) else { return false }
                    }
                    return true
                }
                let begun = ContinuousClock.now
                let before = try await spent(hosts)
                // This one is about time itself.
                try await Task.sleep(for: .seconds(30))
                let after = try await spent(hosts)
                let seconds = (ContinuousClock.now - begun) / .seconds(1)
                let shares = zip(after, before).map { Double($0 - $1) / 1e9 / seconds * 100 }
                let weft = shares[..<3].reduce(0, +) / 3
                let serf = shares[3...].reduce(0, +) / 2
                print(
                    "measured: idle in a pool of 5: weftd \(rounded(weft)) % of a core, serf \(rounded(serf)) %,"
                        + " ratio \(rounded(weft / serf))"
                )
                #expect(weft <= serf)
            }
        }

        /// Hosts that one exchange of states tells of, and that nobody can reach.
        @Test func tenThousandMembersStayWithinABound() async throws {
            try await withMesh(2, weft: 1, joined: false) { hosts in
                let count = 10_000
                let process = try await hosts[0].mainProcess(of: "weftd.service")
                let before = try await hosts[0].residentBytes(of: "weftd.service")
                try await hosts[1].run("bash", "-c", meshProgram("crowd \(count) \(hosts[0].address4)"))
                try await waitUntil("all are members", within: .seconds(180), every: .milliseconds(500)) {
                    try await hosts[0].status().peersAlive > count
                }
                let spentBefore = try await hosts[0].processorNanoseconds(of: "weftd.service")
                let begun = ContinuousClock.now
                // Probes, suspicions and their spreading are part of it.
                try await Task.sleep(for: .seconds(15))
                try #require(await hosts[0].mainProcess(of: "weftd.service") == process, "it died of it")
                let spent = try await hosts[0].processorNanoseconds(of: "weftd.service") - spentBefore
                let share = Double(spent) / 1e9 / ((ContinuousClock.now - begun) / .seconds(1)) * 100
                let growth = try await hosts[0].residentBytes(of: "weftd.service") - before
                print(
                    "measured: \(count) members cost \(growth >> 10) KiB of resident memory, and probing them "
                        + "\(rounded(share)) % of a core"
                )
                #expect(growth < 64 << 20)
                // The list of them is an answer like any other.
                #expect(try await hosts[0].peers().count == count + 1)
            }
        }

        private func spent(_ hosts: [TestHost]) async throws -> [UInt64] {
            var spent: [UInt64] = []
            for (number, host) in hosts.enumerated() {
                spent.append(try await host.processorNanoseconds(of: number < 3 ? "weftd.service" : "serf.service"))
            }
            return spent
        }
    }
}

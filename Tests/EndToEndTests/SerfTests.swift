import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// Hosts with weft and hosts with stock serf agents on one bridge, in one pool. Whatever happens, all of them agree
    /// on who is there and how they do.
    @Suite struct SerfMeshTests {
        /// Keys of 32 bytes, in the order of their use.
        static let keys = [
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=",
            "gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp8=",
        ]

        @Test(arguments: ["plain", "encrypted"])
        func weftAndStockAgentsAreOnePool(_ kind: String) async throws {
            let key = kind == "encrypted" ? Self.keys[0] : nil
            try await withMesh(5, weft: 3, key: key, joined: false) { hosts in
                var options = ["-tag=role=database", "-tag=rack=r4"]
                var other = ["-tag=role=cache"]
                if let key {
                    try await hosts[3].write("[\"\(key)\"]\n", to: "/etc/serf/keyring.json", mode: "600")
                    options.append("-keyring-file=/etc/serf/keyring.json")
                    other.append("-encrypt=\(key)")
                }
                let pool = MixedPool(
                    weft: Array(hosts[..<3]),
                    serf: [
                        try await .start(on: hosts[3], options: options),
                        try await .start(on: hosts[4], options: other),
                    ]
                )
                try await pool.joinInBothDirections()
                try await pool.checkTags()
                try await pool.sendEventsBothWays()
                try await pool.pauseWeft()
                try await pool.pauseSerf()
                try await pool.leaveAndReturn()
                try await pool.dieAndReturn()
                try await pool.partitionAndHeal()
                if key != nil {
                    try await pool.rotateKeys(Self.keys)
                } else {
                    try await pool.checkThatThereAreNoKeys()
                }
            }
        }
    }
}

/// h1 to h3 with weft, h4 and h5 with stock agents; and what happens to them, one after the other.
private struct MixedPool {
    let weft: [TestHost]
    let serf: [SerfAgent]

    var everybody: [PoolView] { weft.map { .weft($0) } + serf.map { .serf($0) } }

    /// All but these, seen by all but these.
    private func expectAll(
        _ step: String,
        _ exceptions: [String: String] = [:],
        within limit: Duration = .seconds(30)
    ) async throws {
        var states = Dictionary(uniqueKeysWithValues: everybody.map { ($0.name, "alive") })
        states.merge(exceptions) { $1 }
        let begun = ContinuousClock.now
        let views = everybody.filter { exceptions[$0.name] == nil }
        try await expectPool(states, seenBy: views, within: limit, step)
        print("measured: \(step): all agree after \(ContinuousClock.now - begun)")
    }

    // MARK: Coming together

    func joinInBothDirections() async throws {
        // weft to serf, weft to weft by name, serf to weft, weft to serf again.
        try await weft[0].run("weft", "join", serf[0].host.address4)
        try await weft[1].run("weft", "join", weft[0].name)
        try await serf[1].run("join", weft[1].address4)
        try await weft[2].run("weft", "join", "\(serf[1].host.address4):7946")
        try await expectAll("join in both directions")
        let addresses = try await everybody[0].addresses()
        for view in everybody { #expect(try await view.addresses() == addresses, "\(view.name)") }
    }

    func checkTags() async throws {
        for host in weft {
            let peers = Dictionary(uniqueKeysWithValues: try await host.peers().map { ($0.name, $0) })
            #expect(peers["h4"]?.tags == ["role": "database", "rack": "r4"], "\(host.name)")
            #expect(peers["h5"]?.tags == ["role": "cache"], "\(host.name)")
            #expect(peers["h4"]?.kind == .serf && peers["h4"]?.version == nil)
            #expect(peers["h1"]?.kind == .weft && peers["h1"]?.version != nil)
        }
        for agent in serf {
            for member in try await agent.members() where member.name < "h4" {
                #expect(member.tags["weft"] == "1", "\(agent.name): \(member)")
            }
        }
        // Agents change theirs while they run.
        try await serf[1].run("tags", "-set", "role=queue", "-set", "zone=b")
        try await waitUntil("the new tags are seen") {
            for host in weft {
                let tags = try await host.peers().first { $0.name == "h5" }?.tags
                guard tags == ["role": "queue", "zone": "b"] else { return false }
            }
            return true
        }
        // Measured by probes, or estimated from coordinates.
        try await waitUntil("round trips are known", every: .milliseconds(200)) {
            for host in weft where try await host.peers().contains(where: { !$0.isSelf && $0.rttMilliseconds == nil }) {
                return false
            }
            return true
        }
    }

    // MARK: News

    func sendEventsBothWays() async throws {
        try await serf[0].run("event", "-coalesce=false", "deploy", "api-2.1")
        try await weft[0].run("weft", "event", "release", "web 3", "--no-coalesce")
        for host in weft {
            for (name, payload) in [("deploy", "api-2.1"), ("release", "web 3")] {
                try await waitUntil("\(host.name) is told of \(name)", every: .milliseconds(100)) {
                    try await host.events().contains { $0.kind == "user" && $0.name == name && $0.payload == payload }
                }
            }
        }
        for agent in serf {
            for line in ["user deploy api-2.1", "user release web 3"] {
                try await waitUntil("the handler of \(agent.name) is given \(line)", every: .milliseconds(100)) {
                    try await agent.userEvents().contains { $0 == line }
                }
            }
        }
    }

    func checkThatThereAreNoKeys() async throws {
        let output = try await weft[0].attempt("weft", "gossip", "keys", "list")
        #expect(output.exitCode == 1)
        #expect(output.standardError.contains("not encrypted"), "\(output.standardError)")
    }

    /// By serf's command from the first to the second, by weft's from there to the third.
    func rotateKeys(_ keys: [String]) async throws {
        try await expectKeys([keys[0]: 5], primary: keys[0])
        try await serf[0].run("keys", "-install=\(keys[1])")
        try await expectKeys([keys[0]: 5, keys[1]: 5], primary: keys[0])
        try await serf[1].run("keys", "-use=\(keys[1])")
        try await expectKeys([keys[0]: 5, keys[1]: 5], primary: keys[1])
        try await serf[0].run("keys", "-remove=\(keys[0])")
        try await expectKeys([keys[1]: 5], primary: keys[1])

        try await weft[0].run("weft", "gossip", "keys", "install", keys[2])
        try await expectKeys([keys[1]: 5, keys[2]: 5], primary: keys[1])
        try await weft[1].run("weft", "gossip", "keys", "use", keys[2])
        try await expectKeys([keys[1]: 5, keys[2]: 5], primary: keys[2])
        let refused = try await weft[2].attempt("weft", "gossip", "keys", "remove", keys[2])
        #expect(refused.exitCode == 1, "the key in use cannot be removed")
        try await weft[2].run("weft", "gossip", "keys", "remove", keys[1])
        try await expectKeys([keys[2]: 5], primary: keys[2])

        // What was changed outlives a restart, at the agent with a keyring file as well as here.
        #expect(try await serf[0].host.read("/etc/serf/keyring.json").contains(keys[2]))
        try await weft[1].run("systemctl", "restart", "weftd.service")
        try await expectAll("rotate keys and restart")
        try await expectKeys([keys[2]: 5], primary: keys[2])
    }

    /// Lists on both sides say the same: on how many hosts each key is, and which is sent with.
    private func expectKeys(_ keys: [String: Int], primary: String) async throws {
        #expect(try await serf[0].keys() == keys)
        let answer = try await weft[0].gossipKeys()
        #expect(answer.hostsAnswered == 5 && answer.failures.isEmpty, "\(answer)")
        #expect(Dictionary(uniqueKeysWithValues: answer.keys.map { ($0.key, $0.hosts) }) == keys)
        // Stock agents of this version do not say with which they send.
        #expect(answer.keys.first { $0.key == primary }?.primaryOn ?? 0 >= weft.count, "\(answer)")
        #expect(answer.keys.filter { $0.key != primary }.allSatisfy { $0.primaryOn == 0 }, "\(answer)")
    }
}

extension MixedPool {
    // MARK: Silence and its end

    /// A weftd that does not move for some seconds comes under suspicion, and refutes it.
    func pauseWeft() async throws {
        // Its watchdog would be the first to act.
        try await weft[0].write(
            "[Service]\nWatchdogSec=5min\n",
            to: "/etc/systemd/system/weftd.service.d/patient.conf"
        )
        try await weft[0].run("systemctl", "daemon-reload")
        try await weft[0].run("systemctl", "restart", "weftd.service")
        try await expectAll("restart with another watchdog")
        let refutations = try await weft[0].metric("weft_gossip_refutations_total") ?? 0
        try await weft[0].whilePaused("weftd.service") { try await waitUntilSuspected("h1", by: weft[1]) }
        try await waitUntil("h1 defends itself") {
            try await weft[0].metric("weft_gossip_refutations_total") ?? 0 > refutations
        }
        try await waitUntilAlive("h1", to: weft[1])
        try await expectAll("pause and resume weftd")
        #expect(try await weft[1].events("peer-failed", of: "h1").isEmpty, "it never was declared dead")
    }

    func pauseSerf() async throws {
        let since = wallSeconds()
        try await serf[0].host.whilePaused(serf[0].unit) { try await waitUntilSuspected("h4", by: weft[1]) }
        try await waitUntil("h4 defends itself", every: .milliseconds(200)) {
            try await serf[0].said("Refuting", since: since) != nil
        }
        try await waitUntilAlive("h4", to: weft[1])
        try await expectAll("pause and resume serf")
        #expect(try await weft[1].events("peer-failed", of: "h4").isEmpty, "it never was declared dead")
    }

    private func waitUntilSuspected(_ name: String, by host: TestHost) async throws {
        try await waitUntil("\(name) is suspected", every: .milliseconds(50)) {
            try await host.peers().contains { $0.name == name && $0.state == .suspect }
        }
    }

    private func waitUntilAlive(_ name: String, to host: TestHost) async throws {
        try await waitUntil("\(name) is alive again", every: .milliseconds(50)) {
            try await host.peers().contains { $0.name == name && $0.state == .alive }
        }
    }

    // MARK: Going and coming back

    func leaveAndReturn() async throws {
        try await serf[1].run("leave")
        try await expectAll("serf leave", ["h5": "left"])
        try await serf[1].host.start(serf[1].unit, listeningOn: 7373)
        try await serf[1].run("join", weft[0].address4)
        try await expectAll("an agent that left returns")

        try await weft[2].run("weft", "leave")
        try await expectAll("weft leave", ["h3": "left"])
        try await weft[2].run("weft", "join", serf[0].host.address4)
        try await expectAll("a host that left returns")
    }

    func dieAndReturn() async throws {
        try await serf[0].host.killForGood(serf[0].unit)
        try await expectAll("kill -9 of serf", ["h4": "failed"], within: .seconds(60))
        try await serf[0].host.revive(serf[0].unit)
        try await serf[0].host.start(serf[0].unit, listeningOn: 7373)
        try await serf[0].run("join", weft[1].address4)
        try await expectAll("a killed agent returns")

        try await weft[1].killForGood("weftd.service")
        try await expectAll("kill -9 of weftd", ["h2": "failed"], within: .seconds(60))
        try await weft[1].revive("weftd.service")
        try await expectAll("a killed weftd returns by itself")
    }

    /// A weft host and an agent are cut off from the others, together.
    func partitionAndHeal() async throws {
        let away = [weft[2], serf[1].host]
        let there: [PoolView] = [.weft(weft[2]), .serf(serf[1])]
        let here = everybody.filter { view in !away.contains { $0.name == view.name } }
        for host in away { try await host.connect(to: .island) }
        try await expectPool(
            ["h1": "alive", "h2": "alive", "h3": "failed", "h4": "alive", "h5": "failed"],
            seenBy: here,
            within: .seconds(90),
            "one side misses the other"
        )
        try await expectPool(
            ["h1": "failed", "h2": "failed", "h3": "alive", "h4": "failed", "h5": "alive"],
            seenBy: there,
            within: .seconds(90),
            "the other side, too"
        )
        for host in away { try await host.connect(to: .lan) }
        // Failed members are dialled every 30 s, by chance.
        try await expectAll("a partition heals", within: .seconds(180))
    }
}

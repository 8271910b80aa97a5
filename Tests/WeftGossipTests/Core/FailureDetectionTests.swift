import Testing
import WeftCore

@testable import WeftGossip

@Suite("Members find each other, fail and come back")
struct FailureDetectionTests {
    @Test func everybodyKnowsEverybodyAfterJoining() throws {
        let network = TestNetwork()
        try network.pool(of: 5)
        for host in network.hosts {
            #expect(host.node.members.map { $0.name.description } == ["n0", "n1", "n2", "n3", "n4"])
            #expect(host.node.members.allSatisfy { $0.state == .alive && $0.kind == .weft })
        }
    }

    @Test func joinFinishedTellsSuccessAndFailure() throws {
        let network = TestNetwork()
        try network.add()
        try network.add()
        let nowhere = TestNetwork.address(50)
        try network.command(1) { node, now, random, actions throws(GossipError) in
            _ = try node.join([TestNetwork.address(0), nowhere], now: now, using: &random, into: &actions)
        }
        network.advance(.seconds(1))
        let outcomes = network.hosts[1].log.compactMap {
            if case .joinFinished(let outcome) = $0 { outcome } else { nil }
        }
        let failure = JoinFailure(address: nowhere, reason: .stream(.unreachable))
        #expect(
            outcomes == [JoinOutcome(id: JoinID(number: 1), joined: [TestNetwork.address(0)], failed: [failure])]
        )
    }

    /// Section 6.2: 6 to 7 seconds were seen in a pool of 4, with a minimum of 4 s after the first failed probe.
    @Test(arguments: 1...10) func killedMemberFailsWithinSeconds(seed: UInt64) throws {
        let network = TestNetwork(seed: seed)
        try network.pool(of: 5)
        network.kill(4)
        let took = network.advance(until: .seconds(20)) {
            network.states("n4", on: 0..<4).allSatisfy { $0 == .failed }
        }
        #expect(try #require(took) < .seconds(12))
        #expect(network.changes(on: 0, about: "n4").filter { $0 != .availability } == [.joined, .failed])
    }

    /// A death takes four seconds from the first suspicion on; that three members agree is known sooner.
    @Test func newWorkIsKeptFromADeadMemberLongBeforeItCountsAsFailed() throws {
        var gains: [Duration] = []
        for seed: UInt64 in 1...40 {
            let network = TestNetwork(seed: seed)
            try network.pool(of: 5)
            network.kill(4)
            let doubted = network.advance(until: .seconds(20)) {
                (0..<4).allSatisfy { network.hosts[$0].node.member(named: "n4")?.isAvailable == false }
            }
            #expect(try #require(doubted) < .seconds(8))
            gains.append(
                try #require(
                    network.advance(until: .seconds(20)) {
                        network.states("n4", on: 0..<4).allSatisfy { $0 == .failed }
                    }
                )
            )
        }
        #expect(gains.sorted()[gains.count / 2] >= .seconds(1))
    }

    @Test func memberThatRefutesIsAvailableAgain() throws {
        let network = TestNetwork()
        try network.pool(of: 5)
        network.pause(4)
        #expect(
            network.advance(until: .seconds(8)) { network.changes(on: 0, about: "n4").last == .availability } != nil
        )
        #expect(network.state("n4", on: 0) == .suspect)
        network.resume(4)
        #expect(network.advance(until: .seconds(5)) { network.state("n4", on: 0) == .alive } != nil)
        #expect(network.hosts[0].node.member(named: "n4")?.isAvailable == true)
        #expect(network.changes(on: 0, about: "n4") == [.joined, .availability, .availability])
    }

    /// With two or three hosts there is nobody to agree, or only one.
    @Test func smallPoolsWaitForTheDeath() throws {
        let network = TestNetwork()
        try network.pool(of: 2)
        network.kill(1)
        network.advance(.seconds(15))
        #expect(network.changes(on: 0, about: "n1") == [.joined, .failed])
    }

    @Test(arguments: 1...20) func pausedMemberRefutesWhenItResumes(seed: UInt64) throws {
        let network = TestNetwork(seed: seed)
        try network.pool(of: 4)
        network.pause(3)
        #expect(network.advance(until: .seconds(10)) { network.state("n3", on: 0) == .suspect } != nil)
        network.resume(3)
        let took = network.advance(until: .seconds(5)) {
            network.states("n3", on: 0..<4).allSatisfy { $0 == .alive }
        }
        #expect(took != nil)
        #expect(network.hosts[3].node.counters.refutations >= 1)
        #expect(network.hosts[3].node.gauges.incarnation > 1)
        network.advance(.seconds(30))
        let changes = network.changes(on: 0, about: "n3")
        #expect(changes.filter { $0 != .availability } == [.joined])
        #expect(changes.count % 2 == 1, "what was said of it was taken back: \(changes)")
        #expect(network.hosts[3].node.gauges.healthScore == 0)
    }

    @Test func longPausedMemberComesBackFromFailed() throws {
        let network = TestNetwork()
        try network.pool(of: 4)
        network.pause(3)
        network.advance(.seconds(25))
        #expect(network.states("n3", on: 0..<3) == [.failed, .failed, .failed])
        network.resume(3)
        network.advance(.seconds(40))
        #expect(network.states("n3", on: 0..<4) == [.alive, .alive, .alive, .alive])
        let changes = network.changes(on: 0, about: "n3").filter { $0 != .availability }
        #expect(changes == [.joined, .failed, .joined])
    }

    /// Its probes and suspicions ran out while it could not read the answers.
    @Test(arguments: 1...20) func pausedMemberAccusesNobodyWhenItResumes(seed: UInt64) throws {
        let network = TestNetwork(seed: seed)
        try network.pool(of: 5)
        network.advance(.seconds(5))
        network.clearLogs()
        network.pause(4)
        network.advance(.seconds(3))
        network.resume(4)
        network.advance(.seconds(30))
        #expect(network.hosts[4].node.counters.stalls >= 1)
        #expect(network.hosts[4].node.counters.suspicionsRaised == 0)
        for host in network.hosts {
            #expect(
                host.log.allSatisfy {
                    if case .memberChanged(let change) = $0 { change.kind == .availability } else { false }
                }
            )
        }
    }

    @Test func memberThatOnlyAnswersStreamsStaysAlive() throws {
        let network = TestNetwork()
        try network.pool(of: 3)
        network.blockDatagrams(of: 2)
        network.advance(.seconds(60))
        #expect(network.states("n2", on: 0..<2) == [.alive, .alive])
        #expect(network.hosts[0].node.counters.streamOnlyProbes > 10)
    }

    @Test func memberBehindACutLinkIsReachedThroughOthers() throws {
        let network = TestNetwork()
        try network.pool(of: 4) { $0.streamPings = false }
        network.cut(0, 1)
        network.advance(.seconds(60))
        #expect(network.states("n1", on: 0..<4) == [.alive, .alive, .alive, .alive])
        #expect(network.hosts[0].node.counters.failedProbes == 0)
    }

    @Test func partitionHealsByReconnecting() throws {
        let network = TestNetwork(seed: 3)
        try network.pool(of: 4)
        for left in 0..<2 { for right in 2..<4 { network.cut(left, right) } }
        network.advance(.seconds(300))
        #expect(network.states("n2", on: 0..<2) == [.failed, .failed])
        #expect(network.states("n0", on: 2..<4) == [.failed, .failed])
        network.heal()
        let took = network.advance(until: .seconds(120)) {
            network.hosts.allSatisfy { $0.node.members.allSatisfy { $0.state == .alive } }
        }
        #expect(took != nil)
    }

    @Test func restartedMemberOverrulesWhatThePoolRemembers() throws {
        let network = TestNetwork()
        try network.pool(of: 3)
        try network.command(2) { node, now, random, actions throws(GossipError) in
            try node.setTags(["weft": "1", "a": "1"], now: now, using: &random, into: &actions)
        }
        network.advance(.seconds(2))
        #expect(network.hosts[0].node.member(named: "n2")?.tags["a"] == "1")
        network.kill(2)
        var configuration = GossipConfiguration(name: "n2", advertise: TestNetwork.address(2))
        configuration.tags = ["weft": "2"]
        try network.restart(2, configuration)
        try network.join(2, to: 0)
        network.advance(.seconds(3))
        for index in 0..<3 {
            #expect(network.hosts[index].node.member(named: "n2")?.tags == ["weft": "2"])
            #expect(network.state("n2", on: index) == .alive)
        }
        #expect(network.hosts[2].node.gauges.incarnation >= 3)
    }

    @Test func restartedNodeRejoinsThroughItsSnapshot() throws {
        let network = TestNetwork()
        try network.pool(of: 3)
        let snapshot = network.hosts[2].node.snapshot
        #expect(snapshot.members.map { $0.name } == ["n0", "n1"])
        network.kill(2)
        network.advance(.seconds(20))
        let configuration = GossipConfiguration(name: "n2", advertise: TestNetwork.address(2))
        try network.restart(2, configuration, snapshot: snapshot)
        network.advance(.seconds(3))
        #expect(network.states("n2", on: 0..<3) == [.alive, .alive, .alive])
        #expect(network.hosts[2].node.memberCount == 3)
    }

    /// Cut off from everybody, and restarted meanwhile, twice: it knows where to come back to.
    @Test func nodeThatWasCutOffAndRestartedComesBack() throws {
        let network = TestNetwork()
        try network.pool(of: 3)
        for other in 0..<2 { network.cut(2, other) }
        network.advance(.seconds(40))
        #expect(network.states("n0", on: 2..<3) == [.failed])
        let configuration = GossipConfiguration(name: "n2", advertise: TestNetwork.address(2))
        for _ in 0..<2 {
            let snapshot = network.hosts[2].node.snapshot
            #expect(snapshot.members.map(\.name) == ["n0", "n1"] && snapshot.members.allSatisfy { !$0.wasAlive })
            network.kill(2)
            try network.restart(2, configuration, snapshot: snapshot)
            network.advance(.seconds(40))
        }
        network.heal()
        network.advance(.seconds(30))
        #expect(network.states("n2", on: 0..<3) == [.alive, .alive, .alive])
    }

    @Test func idleNodeSendsAboutOnePingASecond() throws {
        let network = TestNetwork()
        try network.pool(of: 5)
        network.advance(.seconds(20))
        let before = network.hosts[0].node.counters
        network.advance(.seconds(60))
        let after = network.hosts[0].node.counters
        let sent = after.datagramsOut - before.datagramsOut
        #expect((110...130).contains(sent), "a ping and an ack a second, not \(sent)")
        #expect(after.messagesOut[.ping] - before.messagesOut[.ping] == 60)
    }

    @Test func sameSeedSameRun() throws {
        func run() throws -> [[UInt8]] {
            let network = TestNetwork(seed: 11)
            try network.pool(of: 4)
            network.kill(3)
            network.advance(.seconds(15))
            return network.traffic.map { $0.bytes }
        }
        #expect(try run() == run())
    }

    @Test func roundTripsToAllMembersAreKnown() throws {
        let network = TestNetwork()
        try network.pool(of: 4)
        network.advance(.seconds(10))
        for member in network.hosts[0].node.members where member.name != "n0" {
            #expect(member.roundTrip == .milliseconds(2))
        }
    }
}

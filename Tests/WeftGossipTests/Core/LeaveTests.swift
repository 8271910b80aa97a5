import Testing
import WeftCore

@testable import WeftGossip

@Suite("Leaving")
struct LeaveTests {
    private func leave(_ network: TestNetwork, _ index: Int) {
        network.run(index) { $0.leave(now: $1, using: &$2, into: &$3) }
    }

    @Test(arguments: 1...100) func leavingMemberShowsAsLeftAndNeverAsFailed(seed: UInt64) throws {
        let network = TestNetwork(seed: seed)
        try network.pool(of: 5)
        leave(network, 4)
        // From here on nobody sends it anything new.
        let announced = network.advance(until: .seconds(5)) {
            (0..<4).allSatisfy { network.changes(on: $0, about: "n4") == [.joined, .availability] }
        }
        #expect(try #require(announced) <= .seconds(0.1))
        #expect(network.states("n4", on: 0..<4).allSatisfy { $0 == .leaving })
        let gone = network.advance(until: .seconds(5)) {
            network.states("n4", on: 0..<4).allSatisfy { $0 == .left }
        }
        #expect(try #require(announced) + #require(gone) <= .seconds(0.6))
        network.advance(.seconds(10))
        for index in 0..<4 { #expect(network.changes(on: index, about: "n4") == [.joined, .availability, .left]) }
        #expect(network.hosts[4].log.last == .left)
        #expect(!network.hosts[4].node.isRunning)
    }

    @Test func lastMemberLeavesToo() throws {
        let network = TestNetwork()
        try network.add()
        leave(network, 0)
        network.advance(.seconds(2))
        #expect(network.hosts[0].log.last == .left)
    }

    @Test func commandsAreRefusedWhileLeaving() throws {
        let network = TestNetwork()
        try network.pool(of: 2)
        leave(network, 1)
        #expect(throws: GossipError.leaving) { try network.join(1, to: 0) }
    }

    @Test func leftMemberComesBack() throws {
        let network = TestNetwork()
        try network.pool(of: 3)
        leave(network, 2)
        network.advance(.seconds(20))
        try network.restart(2, GossipConfiguration(name: "n2", advertise: TestNetwork.address(2)))
        try network.join(2, to: 0)
        network.advance(.seconds(60))
        #expect(network.states("n2", on: 0..<3) == [.alive, .alive, .alive])
    }

    @Test func failedMemberIsMadeToLeave() throws {
        let network = TestNetwork()
        try network.pool(of: 4)
        network.kill(3)
        network.advance(.seconds(20))
        try network.command(0) { node, now, random, actions throws(GossipError) in
            try node.forceLeave("n3", prune: false, now: now, using: &random, into: &actions)
        }
        network.advance(.seconds(3))
        #expect(network.states("n3", on: 0..<3) == [.left, .left, .left])
    }

    @Test func prunedMemberIsForgotten() throws {
        let network = TestNetwork()
        try network.pool(of: 4)
        network.kill(3)
        network.advance(.seconds(20))
        try network.command(0) { node, now, random, actions throws(GossipError) in
            try node.forceLeave("n3", prune: true, now: now, using: &random, into: &actions)
        }
        network.advance(.seconds(3))
        #expect(network.states("n3", on: 0..<3) == [nil, nil, nil])
        network.advance(.seconds(120))
        #expect(network.states("n3", on: 0..<3) == [nil, nil, nil])
    }

    @Test func liveMemberRefutesALeaveIntentAboutItself() throws {
        let network = TestNetwork()
        try network.pool(of: 3)
        try network.command(0) { node, now, random, actions throws(GossipError) in
            try node.forceLeave("n2", prune: false, now: now, using: &random, into: &actions)
        }
        #expect(network.state("n2", on: 0) == .leaving)
        network.advance(.seconds(3))
        #expect(network.states("n2", on: 0..<3) == [.alive, .alive, .alive])
    }

    @Test func failedAndLeftMembersAreReapedInTheEnd() throws {
        let network = TestNetwork()
        try network.pool(of: 3) {
            $0.timing.reconnectTimeout = .seconds(60)
            $0.timing.tombstoneTimeout = .seconds(60)
        }
        network.kill(2)
        network.advance(.seconds(30))
        #expect(network.state("n2", on: 0) == .failed)
        network.advance(.seconds(80))
        #expect(network.state("n2", on: 0) == nil)
        #expect(network.changes(on: 0, about: "n2").last == .reaped)
        #expect(network.hosts[0].node.memberCount == 2)
    }
}

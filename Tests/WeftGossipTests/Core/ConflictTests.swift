import Testing
import WeftCore

@testable import WeftGossip

@Suite("Two nodes with one name")
struct ConflictTests {
    @Test func theLaterNodeLosesItsName() throws {
        let network = TestNetwork()
        try network.pool(of: 4)
        let impostor = try network.add { $0.name = "n3" }
        try network.join(impostor, to: 0)
        network.advance(.seconds(10))
        #expect(network.hosts[impostor].log.contains(.nameConflictLost))
        #expect(!network.hosts[3].log.contains(.nameConflictLost))
        #expect(network.hosts[0].node.member(named: "n3")?.address == TestNetwork.address(3))
        #expect(network.hosts[0].node.counters.nameConflicts > 0)
    }

    @Test func addressOfALiveNameDoesNotChange() throws {
        let network = TestNetwork()
        try network.pool(of: 3)
        let address = MemberAddress(TestNetwork.address(77))
        let alive = Alive(incarnation: 99, node: "n2", address: address, meta: [], versions: .serf)
        network.inject([.alive(alive)], into: 0)
        #expect(network.hosts[0].node.member(named: "n2")?.address == TestNetwork.address(2))
        #expect(network.hosts[0].node.counters.nameConflicts == 1)
    }

    /// Section 3: the 4-byte and the 16-byte form of one address are different addresses to the pool.
    @Test func mappedFormOfTheSameAddressIsAConflict() throws {
        let network = TestNetwork()
        try network.pool(of: 2)
        let mapped = Array(repeating: UInt8(0), count: 10) + [0xff, 0xff, 10, 0, 0, 2]
        let address = try #require(MemberAddress(bytes: mapped, port: 7946))
        let alive = Alive(incarnation: 99, node: "n1", address: address, meta: [], versions: .serf)
        network.inject([.alive(alive)], into: 0)
        #expect(network.hosts[0].node.counters.nameConflicts == 1)
    }

    @Test func addressBytesAreRelayedVerbatim() throws {
        let network = TestNetwork()
        try network.pool(of: 2)
        let mapped = Array(repeating: UInt8(0), count: 10) + [0xff, 0xff, 10, 0, 0, 50]
        let address = try #require(MemberAddress(bytes: mapped, port: 7946))
        let alive = Alive(incarnation: 1, node: "other", address: address, meta: [], versions: .serf)
        network.inject([.alive(alive)], into: 0)
        #expect(network.hosts[0].node.member(named: "other")?.address == TestNetwork.address(49))
        let state = network.hosts[0].node.localState(join: false, withSection: false)
        #expect(state.nodes.first { $0.name == "other" }?.address.bytes == mapped)
    }

    @Test func leftNameMayComeBackElsewhere() throws {
        let network = TestNetwork()
        try network.pool(of: 3)
        network.run(2) { $0.leave(now: $1, using: &$2, into: &$3) }
        network.advance(.seconds(10))
        let successor = try network.add { $0.name = "n2" }
        try network.join(successor, to: 0)
        network.advance(.seconds(5))
        for index in 0..<2 {
            let member = network.hosts[index].node.member(named: "n2")
            #expect(member?.address == TestNetwork.address(3) && member?.state == .alive)
        }
        #expect(!network.hosts[successor].log.contains(.nameConflictLost))
    }

    /// A host whose address changed under it is failed to the others before it says that it leaves.
    @Test func nameThatFailedAndThenLeftMayComeBackElsewhereAtOnce() throws {
        let network = TestNetwork()
        try network.pool(of: 3)
        network.hosts[2].isDead = true
        network.advance(.seconds(15))
        #expect(network.hosts[0].node.member(named: "n2")?.state == .failed)
        network.run(1) { try? $0.forceLeave("n2", prune: false, now: $1, using: &$2, into: &$3) }
        network.advance(.seconds(1))
        #expect(network.hosts[0].node.member(named: "n2")?.state == .left)
        let successor = try network.add { $0.name = "n2" }
        try network.join(successor, to: 0)
        network.advance(.seconds(3))
        for index in 0..<2 {
            let member = network.hosts[index].node.member(named: "n2")
            #expect(member?.address == TestNetwork.address(3) && member?.state == .alive)
        }
        #expect(!network.hosts[successor].log.contains(.nameConflictLost))
    }
}

import Testing
import WeftCore

@testable import WeftGossip

@Suite("Weft's own data")
struct WeftDataTests {
    private func sections(_ network: TestNetwork, on index: Int) -> [GossipAction] {
        network.hosts[index].log.filter { if case .sectionReceived = $0 { true } else { false } }
    }

    @Test func sectionsAreExchangedOnJoiningAndLater() throws {
        let network = TestNetwork()
        try network.add()
        try network.add()
        network.hosts[0].node.section = [1, 2, 3]
        network.hosts[1].node.section = [9]
        try network.join(1, to: 0)
        network.advance(.seconds(1))
        #expect(sections(network, on: 0) == [.sectionReceived([9], from: "n1")])
        #expect(sections(network, on: 1) == [.sectionReceived([1, 2, 3], from: "n0")])
        network.advance(.seconds(65))
        #expect(sections(network, on: 0).count >= 3)
    }

    @Test func sectionIsNotSentToOthers() throws {
        let network = TestNetwork()
        try network.add()
        try network.add { $0.tags = ["role": "stock"] }
        network.hosts[0].node.section = [1]
        try network.join(1, to: 0)
        network.advance(.seconds(120))
        #expect(sections(network, on: 1).isEmpty)
        #expect(network.hosts[0].node.member(named: "n1")?.kind == .serf)
    }

    @Test func directMessagesReachWeftMembersOnly() throws {
        let network = TestNetwork()
        try network.add()
        try network.add()
        try network.add { $0.tags = [:] }
        try network.join(1, to: 0)
        try network.join(2, to: 0)
        network.advance(.seconds(2))
        func send(to name: MemberName) throws {
            try network.command(0) { node, now, random, actions throws(GossipError) in
                try node.sendDirect([4, 5], to: name, now: now, using: &random, into: &actions)
            }
        }
        try send(to: "n1")
        network.advance(.seconds(1))
        #expect(network.hosts[1].log.contains(.directReceived([4, 5], from: "n0")))
        #expect(throws: GossipError.notWeft("n2")) { try send(to: "n2") }
        #expect(throws: GossipError.unknownMember("n9")) { try send(to: "n9") }
    }

    @Test(arguments: [[], [1], [1, 0], [2, 1, 65], [1, 5, 65], [1, 1]] as [[UInt8]])
    func brokenFramesAreRefused(bytes: [UInt8]) { #expect(WeftFrame(decoding: bytes) == nil) }

    @Test func framesKeepSenderAndContent() {
        let frame = WeftFrame(sender: "node", content: [1, 2])
        #expect(frame.encoded() == [1, 4] + Array("node".utf8) + [1, 2])
        #expect(WeftFrame(decoding: frame.encoded()) == frame)
    }

    @Test func preloadedPoolStaysTogether() throws {
        let network = TestNetwork()
        for _ in 0..<20 { try network.add { $0.expectedMembers = 20 } }
        let identities = network.hosts.compactMap { $0.node.ownIdentity }
        for index in 0..<20 {
            network.run(index) { node, now, random, _ in node.preload(identities, now: now, using: &random) }
        }
        network.advance(.seconds(60))
        #expect(network.hosts.allSatisfy { $0.node.memberCount == 20 && $0.log.count == 1 })
        #expect(network.hosts.allSatisfy { $0.node.counters.failedProbes == 0 })
    }
}

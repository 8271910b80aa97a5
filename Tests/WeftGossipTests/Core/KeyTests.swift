import Testing
import WeftCore

@testable import WeftGossip

@Suite("Keys of the pool")
struct KeyTests {
    private let first: [UInt8] = Array(0..<32)
    private let second: [UInt8] = Array(repeating: 7, count: 16)

    private func operate(_ network: TestNetwork, _ index: Int, _ operation: KeyOperation) throws -> KeyOutcome {
        network.clearLogs()
        try network.command(index) { node, now, random, actions throws(GossipError) in
            _ = try node.manageKeys(operation, now: now, using: &random, into: &actions)
        }
        network.advance(.seconds(5))
        let outcomes = network.hosts[index].log.compactMap {
            if case .keyOperationFinished(let outcome) = $0 { outcome } else { nil }
        }
        return try #require(outcomes.first)
    }

    @Test func keysAreRotatedOnEveryNode() throws {
        let network = TestNetwork()
        try network.pool(of: 4) { $0.keys = [first] }
        #expect(network.hosts.allSatisfy { $0.node.memberCount == 4 })
        #expect(try operate(network, 0, .install(second)).isComplete)
        #expect(network.hosts.allSatisfy { $0.node.configuration.keys == [first, second] })
        #expect(try operate(network, 1, .use(second)).isComplete)
        #expect(network.hosts.allSatisfy { $0.log.contains(.keyringChanged([second, first])) })
        #expect(try operate(network, 2, .remove(first)).isComplete)
        let list = try operate(network, 3, .list)
        #expect(list.isComplete && list.results.count == 4)
        let encoded = Base64.encode(second)
        #expect(list.results.allSatisfy { $0.keys == [encoded] && $0.primary == encoded })
        network.advance(.seconds(60))
        #expect(network.hosts.allSatisfy { $0.node.members.allSatisfy { $0.state == .alive } })
    }

    @Test func mistakesAreReportedPerNode() throws {
        let network = TestNetwork()
        try network.pool(of: 3) { $0.keys = [first] }
        let unknown = try operate(network, 0, .use(second))
        #expect(!unknown.isComplete && unknown.results.count == 3)
        #expect(unknown.results.allSatisfy { $0.message == "Requested key is not in the keyring" })
        let primary = try operate(network, 0, .remove(first))
        #expect(primary.results.allSatisfy { $0.message == "Removing the primary key is not allowed" })
        #expect(throws: GossipError.key(byteCount: 5)) { try operate(network, 0, .install([1, 2, 3, 4, 5])) }
    }

    @Test func plainPoolHasNoKeysToManage() throws {
        let network = TestNetwork()
        try network.pool(of: 2)
        #expect(throws: GossipError.notEncrypted) { try operate(network, 0, .list) }
    }

    @Test func strangersToTheKeyAreNotHeard() throws {
        let network = TestNetwork()
        try network.pool(of: 2) { $0.keys = [first] }
        let stranger = try network.add { $0.keys = [second] }
        try network.join(stranger, to: 0)
        network.advance(.seconds(3))
        #expect(network.hosts[stranger].node.memberCount == 1)
        #expect(network.hosts[0].node.memberCount == 2)
        #expect(network.hosts[0].node.counters.wireDrops.total > 0)
    }

    @Test func tooManyKeysForOneAnswerAreCutShort() throws {
        let network = TestNetwork()
        let keys = (0..<40).map { index in (0..<32).map { UInt8(index * 3 + $0) } }
        try network.pool(of: 2) { $0.keys = keys }
        let list = try operate(network, 0, .list)
        for result in list.results {
            #expect((1..<40).contains(result.keys.count))
            #expect(result.message == "truncated key list response, showing first \(result.keys.count) of 40 keys")
        }
    }
}

import Testing
import WeftCore

@testable import WeftGossip

/// The probe cycle of section 6.5, datagram by datagram, on one node that hears only what the test says.
@Suite("Probes and their answers")
struct ProbeTests {
    private let network = TestNetwork(seed: 4)

    init() throws {
        try network.add()
        for index in 1...4 { network.inject([.alive(alive(index))], into: 0) }
    }

    private func alive(_ index: Int, _ incarnation: Incarnation = 1) -> Alive {
        Alive(
            incarnation: incarnation,
            node: MemberName("m\(index)"),
            address: MemberAddress(TestNetwork.address(index)),
            meta: [],
            versions: .serf
        )
    }

    private func sent() -> [(to: NetworkAddress, message: MemberlistMessage)] {
        network.traffic.flatMap { datagram in
            var messages: [MemberlistMessage] = []
            var drops: [WireError] = []
            PacketCodec().decode(datagram.bytes, into: &messages, drops: &drops)
            return messages.map { (datagram.to, $0) }
        }
    }

    @Test func pingIsAnsweredWithTheCoordinate() throws {
        network.clearTraffic()
        let source = ProbeSource(address: MemberAddress(TestNetwork.address(7)), node: "m7")
        network.inject([.ping(Ping(sequence: 5, node: "n0", source: source))], into: 0)
        let (target, message) = try #require(sent().first)
        guard case .ack(let ack) = message else {
            Issue.record("not an ack: \(message)")
            return
        }
        #expect(target == TestNetwork.address(7) && ack.sequence == 5)
        #expect(try CoordinatePayload(payload: #require(ack.payload)).vector.count == 8)
    }

    @Test func pingWithoutSourceIsAnsweredToWhereItCameFrom() throws {
        network.clearTraffic()
        network.inject([.ping(Ping(sequence: 5, node: "", source: nil))], into: 0, from: TestNetwork.address(33))
        #expect(sent().first?.to == TestNetwork.address(33))
    }

    @Test func pingForAnotherNameIsDropped() {
        network.clearTraffic()
        network.inject([.ping(Ping(sequence: 5, node: "else", source: nil))], into: 0)
        #expect(sent().isEmpty && network.hosts[0].node.counters.drops[.notForUs] == 1)
    }

    @Test func indirectPingIsPassedOnAndItsAckComesBackWithoutPayload() throws {
        network.clearTraffic()
        let request = IndirectPing(
            sequence: 77,
            target: MemberAddress(TestNetwork.address(40)),
            node: "m40",
            wantsNack: true,
            source: ProbeSource(address: MemberAddress(TestNetwork.address(41)), node: "m41")
        )
        network.inject([.indirectPing(request)], into: 0)
        let first = try #require(sent().first)
        guard case .ping(let ping) = first.message else {
            Issue.record("not a ping: \(first)")
            return
        }
        #expect(first.to == TestNetwork.address(40) && ping.node == "m40" && ping.sequence != 77)
        network.clearTraffic()
        network.inject([.ack(Ack(sequence: ping.sequence, payload: [1]))], into: 0)
        #expect(sent().first?.to == TestNetwork.address(41))
        #expect(sent().first?.message == .ack(Ack(sequence: 77, payload: nil)))
    }

    @Test(arguments: [true, false]) func nackFollowsWhenAskedFor(wantsNack: Bool) {
        let request = IndirectPing(
            sequence: 77,
            target: MemberAddress(TestNetwork.address(40)),
            node: "m40",
            wantsNack: wantsNack,
            source: ProbeSource(address: MemberAddress(TestNetwork.address(41)), node: "m41")
        )
        network.inject([.indirectPing(request)], into: 0)
        network.clearTraffic()
        network.advance(.milliseconds(499))
        let nack = MemberlistMessage.nack(Nack(sequence: 77))
        #expect(!sent().contains { $0.message == nack })
        network.advance(.milliseconds(2))
        #expect(sent().contains { $0.message == nack && $0.to == TestNetwork.address(41) } == wantsNack)
    }

    /// A ping, then indirect pings to the others and a dial, then suspicion.
    @Test func unansweredProbeGoesThroughItsStages() throws {
        network.clearTraffic()
        network.advance(.seconds(3))
        let messages = sent()
        let start = try #require(messages.firstIndex { if case .ping = $0.message { true } else { false } })
        guard case .ping(let ping) = messages[start].message else { return }
        let helpers = messages.filter {
            if case .indirectPing(let request) = $0.message { request.node == ping.node } else { false }
        }
        #expect(helpers.count == 3)
        #expect(helpers.allSatisfy { $0.to != messages[start].to })
        #expect(network.hosts[0].node.state(of: ping.node) == .suspect)
    }

    @Test func suspectIsToldWithThePing() throws {
        for index in 1...4 { network.inject([.alive(alive(index, 9))], into: 0) }
        for index in 1...4 {
            let name = MemberName("m\(index)")
            network.inject([.suspect(Suspect(incarnation: 9, node: name, from: "x"))], into: 0)
        }
        network.clearTraffic()
        network.advance(.seconds(10))
        let datagrams = network.traffic.map { datagram -> [MemberlistMessage] in
            var messages: [MemberlistMessage] = []
            var drops: [WireError] = []
            PacketCodec().decode(datagram.bytes, into: &messages, drops: &drops)
            return messages
        }
        let own = MemberName("n0")
        let compounds = datagrams.filter { messages in
            guard case .ping(let ping) = messages.first, messages.count == 2 else { return false }
            return messages[1] == .suspect(Suspect(incarnation: 9, node: ping.node, from: own))
        }
        #expect(!compounds.isEmpty)
    }

    @Test func datagramsStayWithinTheBudget() throws {
        for index in 10..<200 {
            var announcement = alive(index)
            announcement.meta = Array(repeating: 1, count: index)
            network.inject([.alive(announcement)], into: 0)
        }
        network.clearTraffic()
        network.advance(.seconds(20))
        // Compression only makes them smaller; the checksum's 5 bytes are not counted.
        #expect(network.traffic.allSatisfy { $0.bytes.count <= 1405 })
        #expect(network.traffic.contains { $0.bytes.count > 300 })
    }
}

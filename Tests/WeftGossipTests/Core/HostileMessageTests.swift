import Testing
import WeftCore

@testable import WeftGossip

@Suite("What peers send never breaks a node")
struct HostileMessageTests {
    /// Everything that says what a node believes.
    private func beliefs(_ node: GossipNode) -> [String] {
        let gauges = node.gauges
        return node.members.map { "\($0)" }
            + ["\(gauges.memberClock) \(gauges.eventClock) \(gauges.queryClock) \(gauges.incarnation)"]
            + ["\(gauges.queuedMemberships) \(gauges.queuedIntents) \(gauges.openStreams) \(gauges.healthScore)"]
    }

    @Test(arguments: WireVectors.all.udp) func brokenDatagramsChangeNothing(vector: WireVectors.Datagram) throws {
        let network = TestNetwork()
        try network.pool(of: 2)
        network.advance(.seconds(5))
        let before = beliefs(network.hosts[0].node)
        var random = WireRandom(seed: 1)
        for _ in 0..<50 {
            let cut = Array(vector.bytes.prefix(random.count(max(0, min(3, vector.bytes.count - 1)))))
            let noise = [UInt8(0xf0 + random.count(9))] + random.bytes(200)
            for bytes in [cut, noise] {
                let drops = network.hosts[0].node.counters.wireDrops.total
                network.inject(bytes, into: 0)
                #expect(network.hosts[0].node.counters.wireDrops.total > drops)
            }
        }
        #expect(beliefs(network.hosts[0].node) == before)
    }

    /// Well-formed messages with arbitrary contents, from anybody: nothing traps, tables stay bounded, our incarnation
    /// never goes back, and time goes on.
    @Test(arguments: 0..<30) func anyMessagesInAnyOrder(seed: UInt64) throws {
        let network = TestNetwork(seed: seed)
        try network.pool(of: 3) {
            $0.limits.members = 50
            $0.limits.recentIntents = 20
            $0.limits.relayedPings = 10
            $0.limits.openQueries = 10
        }
        var random = WireRandom(seed: seed &+ 1000)
        var incarnation = network.hosts[0].node.gauges.incarnation
        for _ in 0..<400 {
            network.inject([aimed(random.memberlistMessage(), &random)], into: 0)
            if random.count(9) == 0 { network.advance(.milliseconds(100)) }
            let node = network.hosts[0].node
            #expect(node.gauges.incarnation >= incarnation)
            incarnation = node.gauges.incarnation
            let footprint = node.footprint
            #expect(node.memberCount <= 50 && footprint.recentIntents <= 20)
            #expect(footprint.relayedPings <= 10 && footprint.openQueries <= 10)
        }
        network.advance(.seconds(60))
        #expect(network.state("n0", on: 0) == .alive)
    }

    /// Half of the claims are about members that exist.
    private func aimed(_ message: MemberlistMessage, _ random: inout WireRandom) -> MemberlistMessage {
        guard random.flip() else { return message }
        let name = MemberName("n\(random.count(2))")
        switch message {
        case .suspect(var suspect):
            suspect.node = name
            return .suspect(suspect)
        case .dead(var dead):
            dead.node = name
            return .dead(dead)
        case .alive(var alive):
            alive.node = name
            if random.flip() { alive.address = MemberAddress(TestNetwork.address(random.count(2))) }
            return .alive(alive)
        default: return message
        }
    }

    @Test(arguments: 0..<20) func anyStreamMessages(seed: UInt64) throws {
        let network = TestNetwork(seed: seed)
        try network.pool(of: 2)
        var random = WireRandom(seed: seed)
        for _ in 0..<50 {
            let message = random.streamMessage()
            network.run(0) { node, now, generator, actions in
                guard let stream = node.streamAccepted(now: now) else { return }
                node.streamReceived(
                    message,
                    byteCount: 10,
                    on: stream,
                    now: now,
                    using: &generator,
                    into: &actions
                )
                #expect(actions.contains(.closeStream(stream)))
            }
        }
        #expect(network.hosts[0].node.gauges.openStreams == 0)
        network.advance(.seconds(5))
        #expect(network.state("n0", on: 0) == .alive)
    }

    @Test func acceptedStreamsAreBounded() throws {
        let network = TestNetwork()
        try network.add { $0.limits.acceptedStreams = 3 }
        var accepted: [StreamID?] = []
        network.run(0) { node, now, _, _ in accepted = (0..<5).map { _ in node.streamAccepted(now: now) } }
        #expect(accepted.compactMap { $0 }.count == 3)
        #expect(network.hosts[0].node.counters.drops[.tooManyStreams] == 2)
    }

    @Test func claimsAboutUsAreRefutedWithAHigherIncarnation() throws {
        let network = TestNetwork()
        try network.pool(of: 3)
        network.inject([.suspect(Suspect(incarnation: 40, node: "n0", from: "n1"))], into: 0)
        #expect(network.hosts[0].node.gauges.incarnation == 41)
        network.inject([.dead(Dead(incarnation: 41, node: "n0", from: "n0"))], into: 0)
        #expect(network.hosts[0].node.gauges.incarnation == 42)
        network.inject([.suspect(Suspect(incarnation: 7, node: "n0", from: "n1"))], into: 0)
        #expect(network.hosts[0].node.gauges.incarnation == 42)
        network.inject([.suspect(Suspect(incarnation: Incarnation(.max), node: "n0", from: "n1"))], into: 0)
        #expect(network.hosts[0].node.gauges.incarnation == Incarnation(.max))
        #expect(network.state("n0", on: 0) == .alive)
    }

    @Test func timesBeyondCountingAreRefused() throws {
        let network = TestNetwork()
        try network.pool(of: 2)
        let clock = network.hosts[0].node.gauges.memberClock
        let far = LamportTime(.max)
        let messages: [SerfMessage] = [
            .join(JoinIntent(time: far, node: "n1")), .leave(LeaveIntent(time: far, node: "n1", prune: true)),
            .userEvent(UserEventMessage(time: far, name: "x", payload: [], coalesce: false)),
        ]
        network.inject(messages.map { .user(UserMessage($0)) }, into: 0)
        #expect(network.hosts[0].node.gauges.memberClock == clock)
        #expect(network.hosts[0].node.counters.drops[.lamportTime] == 3)
        #expect(network.state("n1", on: 0) == .alive)
    }

    @Test func exchangeWithIncompatibleVersionsIsRefused() throws {
        let network = TestNetwork()
        try network.pool(of: 2)
        let zero = ProtocolVersions(bytes: [1, 5, 2, 0, 0, 0])
        let stranger = PushNodeState(
            name: "stranger",
            address: MemberAddress(TestNetwork.address(70)),
            meta: [],
            incarnation: 1,
            state: .alive,
            versions: zero
        )
        let before = beliefs(network.hosts[0].node)
        network.run(0) { node, now, random, actions in
            guard let stream = node.streamAccepted(now: now) else { return }
            let message = StreamMessage.pushPull(PushPull(join: true, nodes: [stranger], userState: []))
            node.streamReceived(message, byteCount: 10, on: stream, now: now, using: &random, into: &actions)
        }
        #expect(beliefs(network.hosts[0].node) == before)
        #expect(network.hosts[0].node.counters.drops[.versions] == 1)
    }

    @Test func membersAreBounded() throws {
        let network = TestNetwork()
        try network.add { $0.limits.members = 10 }
        for index in 0..<50 {
            let alive = Alive(
                incarnation: 1,
                node: MemberName("m\(index)"),
                address: MemberAddress(TestNetwork.address(100 + index)),
                meta: [],
                versions: .serf
            )
            network.inject([.alive(alive)], into: 0)
        }
        #expect(network.hosts[0].node.memberCount == 10)
        #expect(network.hosts[0].node.counters.drops[.tableFull] == 41)
    }
}

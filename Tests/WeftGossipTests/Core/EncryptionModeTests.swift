import Testing
import WeftCore

@testable import WeftGossip

/// A pool moves from clear text to encryption while it runs, and back.
@Suite("Modes of encryption")
struct EncryptionModeTests {
    private static let key: [UInt8] = Array(0..<32)
    private static let other: [UInt8] = Array(repeating: 9, count: 32)

    private func set(_ network: TestNetwork, _ index: Int, _ mode: EncryptionMode, keys: [[UInt8]] = [key]) throws {
        try network.command(index) { node, _, _, _ throws(GossipError) in
            try node.setEncryption(keys: keys, mode: mode)
        }
    }

    /// Nobody is suspected, nobody is missed, and an event of each host reaches all others.
    private func expectWhole(_ network: TestNetwork, _ step: String) throws {
        for index in network.hosts.indices {
            try network.command(index) { node, now, random, actions throws(GossipError) in
                try node.sendUserEvent(
                    name: "\(step) of \(index)",
                    payload: [],
                    coalesce: false,
                    now: now,
                    using: &random,
                    into: &actions
                )
            }
        }
        network.advance(.seconds(10))
        for (index, host) in network.hosts.enumerated() {
            #expect(host.node.members.count == network.hosts.count, "\(step), host \(index)")
            #expect(host.node.members.allSatisfy { $0.state == .alive }, "\(step), host \(index)")
            #expect(host.node.counters.suspicionsRaised == 0, "\(step), host \(index)")
            #expect(host.node.counters.suspicions == 0, "\(step), host \(index)")
            let heard = network.userEvents(on: index).map(\.name)
            for sender in network.hosts.indices {
                #expect(heard.contains("\(step) of \(sender)"), "host \(index)")
            }
        }
    }

    /// Host by host, with seconds between them, so that all neighbouring modes meet; with one host's UDP blocked, pings
    /// go by stream as well.
    @Test(arguments: [false, true], [[], Array("pool".utf8)] as [[UInt8]])
    func aPoolMovesWithoutLosingAnybody(isUDPBlocked: Bool, label: [UInt8]) throws {
        let network = TestNetwork(seed: 3)
        try network.pool(of: 5) { $0.label = label }
        if isUDPBlocked { network.blockDatagrams(of: 4) }
        network.advance(.seconds(60))
        let raised = network.hosts.map(\.node.counters.suspicionsRaised)
        for mode in EncryptionMode.allCases {
            for index in network.hosts.indices {
                try set(network, index, mode)
                network.advance(.seconds(3))
            }
            network.advance(.seconds(60))
            guard !isUDPBlocked else { continue }
            try expectWhole(network, mode.rawValue)
        }
        #expect(network.hosts.map(\.node.counters.suspicionsRaised) == raised)
        #expect(network.hosts.allSatisfy { $0.node.members.allSatisfy { $0.state == .alive } })
        if isUDPBlocked { #expect(network.hosts[0].node.counters.streamOnlyProbes > 0) }
        network.clearTraffic()
        network.advance(.seconds(30))
        let clear = PacketCodec(security: WireSecurity(label: label))
        for datagram in network.traffic {
            var (messages, drops): ([MemberlistMessage], [WireError]) = ([], [])
            clear.decode(datagram.bytes, into: &messages, drops: &drops)
            #expect(messages.isEmpty)
        }
    }

    @Test func andBack() throws {
        let network = TestNetwork(seed: 5)
        try network.pool(of: 4) { $0.keys = [Self.key] }
        try expectWhole(network, "begin")
        for mode in EncryptionMode.allCases.reversed().dropFirst() {
            for index in network.hosts.indices {
                try set(network, index, mode)
                network.advance(.seconds(3))
            }
            try expectWhole(network, mode.rawValue)
        }
        for index in network.hosts.indices { try set(network, index, .only, keys: []) }
        try expectWhole(network, "clear")
    }

    /// As a stock agent is, which could not be given one without a restart.
    @Test func aMemberWithoutAKeyIsAMemberWhileTheOthersHaveOne() throws {
        let network = TestNetwork(seed: 7)
        try network.pool(of: 4)
        for index in 0..<3 { try set(network, index, .have) }
        network.advance(.seconds(60))
        try expectWhole(network, "together")
        let late = try network.add()
        try network.join(late, to: 0)
        network.advance(.seconds(3))
        try expectWhole(network, "late")
        #expect(network.hosts.allSatisfy { $0.node.counters.wireDrops.total == 0 })
    }

    @Test func directMessagesAndExchangesPassBetweenNeighbouringModes() throws {
        for (left, right) in [(EncryptionMode.have, EncryptionMode.send), (.send, .only), (.have, .have)] {
            let network = TestNetwork(seed: 11)
            try network.pool(of: 2)
            try set(network, 0, left)
            try set(network, 1, right)
            for (from, to) in [(0, 1), (1, 0)] {
                try network.command(from) { node, now, random, actions throws(GossipError) in
                    let name = MemberName("n\(to)")
                    try node.sendDirect([7], to: name, now: now, using: &random, into: &actions)
                }
                try network.join(from, to: to)
                network.advance(.seconds(1))
                #expect(network.hosts[to].log.contains(.directReceived([7], from: MemberName("n\(from)"))))
            }
            let failed = network.hosts.flatMap(\.log).filter {
                if case .joinFinished(let outcome) = $0 { !outcome.failed.isEmpty } else { false }
            }
            #expect(failed.isEmpty, "\(left) and \(right)")
        }
    }

    /// It was switched off while the others moved on, and comes back as it went.
    @Test func aHostThatWasAwayComesBack() throws {
        let network = TestNetwork(seed: 13)
        try network.pool(of: 3) { $0.keys = [Self.key] }
        let away = try network.add {
            $0.keys = [Self.key]
            $0.encryption = .have
        }
        try network.join(away, to: 0)
        network.advance(.milliseconds(50))
        #expect(network.hosts[away].node.members.count == 4)
        // What its owner does as soon as it sees that all have the key.
        try set(network, away, .send)
        try set(network, away, .only)
        try expectWhole(network, "back")

        // With another key it stays a stranger, and tries no more than twice.
        let stranger = try network.add {
            $0.keys = [Self.other]
            $0.encryption = .have
        }
        try network.join(stranger, to: 0)
        network.advance(.milliseconds(50))
        #expect(network.hosts[stranger].node.members.count == 1)
        let joins = network.hosts[stranger].log.compactMap {
            if case .joinFinished(let outcome) = $0 { outcome } else { nil }
        }
        #expect(joins.count == 1 && joins[0].joined.isEmpty)
    }

    // MARK: Keys

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

    @Test(arguments: [EncryptionMode.send, .only]) func keysCanBeChangedInAPoolThatSpeaksEncrypted(
        _ mode: EncryptionMode
    ) throws {
        let network = TestNetwork(seed: 17)
        try network.pool(of: 4)
        for index in network.hosts.indices { try set(network, index, .have) }
        for index in network.hosts.indices { try set(network, index, mode) }
        #expect(try operate(network, 0, .install(Self.other)).isComplete)
        #expect(try operate(network, 1, .use(Self.other)).isComplete)
        #expect(try operate(network, 2, .remove(Self.key)).isComplete)
        #expect(network.hosts.allSatisfy { $0.node.configuration.keys == [Self.other] })
        network.clearLogs()
        try expectWhole(network, "rotated")
    }

    @Test func keysAreNotToldInClearText() throws {
        let network = TestNetwork(seed: 19)
        try network.pool(of: 3)
        for index in network.hosts.indices { try set(network, index, .have) }
        #expect(throws: GossipError.notEncrypted) { try operate(network, 0, .install(Self.other)) }

        // One host is ahead: the others neither tell, nor heed, nor pass on.
        try set(network, 0, .send)
        network.clearTraffic()
        let list = try operate(network, 0, .list)
        #expect(list.results.filter(\.succeeded).map(\.node) == ["n0"])
        let install = try operate(network, 0, .install(Self.other))
        #expect(!install.isComplete)
        for index in [1, 2] { #expect(network.hosts[index].node.configuration.keys == [Self.key]) }
        for datagram in network.traffic {
            #expect(
                !datagram.bytes.contains(Self.other) && !datagram.bytes.contains(Array(Base64.encode(Self.key).utf8))
            )
        }
    }

    /// Anybody can send clear text, which a pool in `send` still hears.
    @Test(arguments: [EncryptionMode.have, .send]) func aStrangersKeyQueriesAreRefused(_ mode: EncryptionMode) throws {
        let network = TestNetwork(seed: 23)
        try network.pool(of: 3)
        for index in network.hosts.indices { try set(network, index, .have) }
        for index in network.hosts.indices { try set(network, index, mode) }
        network.clearTraffic()
        let queries: [(InternalQuery, [UInt8])] = [
            (.listKeys, []), (.installKey, Self.other), (.useKey, Self.other), (.removeKey, Self.key),
        ]
        for (number, (query, key)) in queries.enumerated() {
            let message = QueryMessage(
                time: LamportTime(integerLiteral: UInt64(100 + number)),
                id: QueryID(UInt32(number)),
                source: MemberAddress(TestNetwork.address(99)),
                sourceNode: "stranger",
                timeoutNanoseconds: 5_000_000_000,
                name: query.rawValue,
                payload: KeyRequest(key: key).payload
            )
            network.inject([.user(UserMessage(.query(message)))], into: 0)
        }
        network.advance(.seconds(5))
        #expect(network.hosts.allSatisfy { $0.node.configuration.keys == [Self.key] })
        #expect(network.hosts.map { $0.node.counters.drops[.clearKeyQuery] } == [4, 0, 0])
        let answers = network.traffic.filter { $0.to == TestNetwork.address(99) }
        #expect(answers.count == 4)
        for answer in answers { #expect(!answer.bytes.contains(Array(Base64.encode(Self.key).utf8))) }
    }

    // MARK: Bytes

    /// The same datagrams and streams in each mode, and what each mode makes of them.
    @Test(arguments: [[], Array("pool".utf8)] as [[UInt8]]) func whatEachModeUnderstands(label: [UInt8]) throws {
        var random = WireRandom(seed: 29)
        let ping = Ping(sequence: 7, node: "n1", source: nil)
        let ring = Keyring(keys: [Self.key])
        let senders = [
            WireSecurity(label: label), WireSecurity(label: label, keyring: ring),
            WireSecurity(label: label, keyring: Keyring(keys: [Self.other])),
        ]
        for mode in EncryptionMode.allCases {
            let security = WireSecurity(label: label, keyring: ring, mode: mode)
            let heardClear = mode != .only
            for (sender, isHeard) in zip(senders, [heardClear, true, false]) {
                let datagram = PacketCodec(security: sender)
                    .encode([MemberlistMessage.ping(ping).encoded()], checksum: false, using: &random)[0]
                var (messages, drops): ([MemberlistMessage], [WireError]) = ([], [])
                let isSealed = PacketCodec(security: security).decode(datagram, into: &messages, drops: &drops)
                #expect(messages == (isHeard ? [.ping(ping)] : []))
                #expect(drops == (isHeard ? [] : [.undecryptable]))
                #expect(isSealed == (sender == senders[1]))

                let stream = StreamCodec.encode(
                    .ping(ping),
                    role: .dialler,
                    security: sender,
                    compress: true,
                    using: &random
                )
                var decoder = StreamDecoder(role: .acceptor, security: security)
                let heard: StreamMessage?
                do throws(WireError) { heard = try decoder.receive(stream) } catch { heard = nil }
                #expect(heard == (isHeard ? .ping(ping) : nil))
            }
            let isSent = PacketCodec(security: security).security.sendingKey != nil
            #expect(isSent == (mode != .have))
        }
    }

    @Test func badKeysAreRefused() throws {
        var node = try GossipNode(GossipConfiguration(name: "a", advertise: TestNetwork.address(0)))
        #expect(throws: GossipError.key(byteCount: 3)) { try node.setEncryption(keys: [[1, 2, 3]], mode: .have) }
        let many = (0..<65).map { index in (0..<16).map { UInt8(index + $0) } }
        #expect(throws: GossipError.keyCount(65, limit: 64)) { try node.setEncryption(keys: many, mode: .have) }
        #expect(node.configuration.keys.isEmpty)
        try node.setEncryption(keys: [Self.key, Self.key], mode: .send)
        #expect(node.configuration.keys == [Self.key])
        #expect(node.configuration.encryption == .send)
    }
}

extension [UInt8] {
    fileprivate func contains(_ part: [UInt8]) -> Bool {
        guard part.count <= count else { return false }
        return (0...(count - part.count)).contains { self[$0..<$0 + part.count].elementsEqual(part) }
    }
}

import Testing
import WeftCore

@testable import WeftGossip

/// Bytes that somebody made up or damaged: every one of them ends in messages and reasons, never in a trap, and never
/// in more memory or messages than the limits allow.
@Suite struct HostileInputTests {
    /// Captured datagrams without bytes that may be missing: the inner message of a relay is not looked at.
    private static let complete = WireVectors.all.udp.filter {
        $0.origin == nil && !["serf-relay", "x-user-event-rebroadcast-of-it"].contains($0.id)
    }

    @Test(arguments: complete)
    func everyTruncationOfADatagram(vector: WireVectors.Datagram) {
        let layers = vector.decoded["layers"]?.elements ?? []
        let isAuthenticated = layers.contains { $0["encrypt"] != nil || $0["hasCrc"] != nil }
        for end in 0..<vector.bytes.count {
            let (messages, drops) = WireExercise.packet(Array(vector.bytes[..<end]), security: vector.security)
            #expect(!drops.isEmpty, "\(end) bytes")
            if isAuthenticated { #expect(messages.isEmpty, "\(end) bytes") }
        }
    }

    @Test(arguments: WireVectors.all.udp)
    func mutationsOfADatagram(vector: WireVectors.Datagram) {
        var rng = WireRandom(seed: 21)
        for _ in 0..<400 {
            _ = WireExercise.packet(rng.mutated(vector.bytes), security: vector.security)
        }
    }

    @Test(arguments: WireVectors.all.streams)
    func everyTruncationOfAStream(vector: WireVectors.Stream) throws {
        for end in 0..<vector.bytes.count {
            var decoder = vector.decoder
            let prefix = vector.bytes[..<end]
            guard let message = try? decoder.receive(prefix) else {
                #expect(throws: WireError.self) { try decoder.finish() }
                continue
            }
            Issue.record("\(end) of \(vector.bytes.count) bytes gave \(message)")
        }
    }

    @Test(arguments: WireVectors.all.streams)
    func mutationsOfAStream(vector: WireVectors.Stream) {
        var rng = WireRandom(seed: 22)
        for _ in 0..<150 {
            let role: StreamRole = vector.isFromDialler ? .acceptor : .dialler
            WireExercise.stream(rng.mutated(vector.bytes), role: role, security: vector.security)
        }
    }

    /// Layers that real mutations seldom pass: random messages broken before they are wrapped.
    @Test func mutationsInsideTheLayers() {
        var rng = WireRandom(seed: 23)
        let codec = PacketCodec(security: WireSecurity(keyring: Keyring(keys: [[UInt8](repeating: 1, count: 16)])))
        for _ in 0..<1_500 {
            let parts = (0...rng.count(4)).map { _ in rng.mutated(rng.memberlistMessage().encoded()) }
            for datagram in codec.encode(parts, checksum: rng.flip(), using: &rng) {
                _ = WireExercise.packet(datagram, security: codec.security)
            }
        }
    }

    @Test func randomBytes() {
        var rng = WireRandom(seed: 24)
        for _ in 0..<3_000 {
            let bytes = [UInt8(rng.count(15))] + rng.bytes(200)
            _ = WireExercise.packet(bytes, security: WireSecurity())
            WireExercise.stream(bytes, role: .acceptor, security: WireSecurity())
        }
    }

    @Test func nestedWrappersAreBounded() {
        var compound: [UInt8] = [0x0b, 0x80]
        var compressed = compound
        for _ in 0..<WireLimits.wrapperDepth {
            compound = Compound.wrap([compound])
            compressed = Compression.wrap(compressed)
        }
        for good in [compound, compressed] {
            #expect(WireExercise.packet(good, security: WireSecurity()).messages.count == 1)
        }
        for deep in [Compound.wrap([compound]), Compression.wrap(compressed)] {
            let (messages, drops) = WireExercise.packet(deep, security: WireSecurity())
            #expect(messages.isEmpty)
            #expect(drops == [.nestedTooDeep])
        }
    }

    @Test func manyMessagesAreBounded() {
        let parts = [[UInt8]](repeating: [0x0b, 0x80], count: 127)
        let compound = Compound.wrap([[UInt8]](repeating: Compound.wrap(parts[...]), count: 100)[...])
        let (messages, drops) = WireExercise.packet(compound, security: WireSecurity())
        #expect(messages.count < WireLimits.messagesPerDatagram)
        #expect(messages.count > WireLimits.messagesPerDatagram - 20)
        #expect(drops == [.tooManyMessages])
    }

    @Test func bombsAreBounded() {
        let bomb = Compression.wrap([UInt8](repeating: 0, count: 300_000))
        #expect(WireExercise.packet(bomb, security: WireSecurity()).drops == [.decompressedTooLarge])
        // A bomb in a bomb, and many side by side: the first four use up what one datagram may unpack to.
        let inner = Compression.wrap(Compression.wrap([UInt8](repeating: 0, count: 2_000_000)))
        #expect(WireExercise.packet(inner, security: WireSecurity()).drops == [.decompressedTooLarge])
        let many = Compound.wrap([[UInt8]](repeating: bomb, count: 40)[...])
        let drops = WireExercise.packet(many, security: WireSecurity()).drops
        #expect(drops == [WireError](repeating: .decompressedTooLarge, count: 40))
    }

    @Test func compressedStreamBombsAreBounded() {
        // The real limit takes half a minute in a debug build.
        let bomb = Compression.wrap([UInt8](repeating: 0, count: 100_001))
        var decoder = StreamDecoder(role: .acceptor, security: WireSecurity(), decompressedSizeMax: 100_000)
        #expect(throws: WireError.decompressedTooLarge) { try decoder.receive(bomb) }
        #expect(throws: WireError.unknownType) { try decode(Compression.wrap(Compression.wrap([0, 0x80]))) }
        #expect(throws: WireError.empty) { try decode(Compression.wrap([])) }
    }

    /// Each is a stream's start that announces more than we accept; it is refused at once, not waited for.
    @Test(arguments: [
        ("0681a54e6f646573ce00040001", WireError.oversizedField),
        ("0681ac5573657253746174654c656ece01400001", .oversizedField),
        ("0681a54e6f646573ff", .malformedMessage), ("0881aa557365724d73674c656ece01400001", .oversizedField),
        ("0083a44e6f6465db00100000", .tooLarge), ("0982a4416c676f00a3427566dbffffffff", .tooLarge),
        ("0bff", .unknownType), ("07", .unknownType), ("0c", .unknownType), ("ff", .unknownType),
        ("00c1", .malformedMessage),
    ])
    func oversizedAnnouncements(hex: String, error: WireError) {
        #expect(throws: error) { try decode([UInt8](hex: hex)) }
    }

    @Test func oversizedFramesAreRefused() {
        let security = WireSecurity(keyring: Keyring(keys: [[UInt8](repeating: 1, count: 16)]))
        var decoder = StreamDecoder(role: .acceptor, security: security)
        #expect(throws: WireError.tooLarge) { try decoder.receive([10, 0x01, 0x40, 0, 1]) }
        #expect(throws: WireError.tooLarge) { try decoder.receive([0]) }
        var short = StreamDecoder(role: .acceptor, security: security)
        #expect(throws: WireError.undecryptable) { try short.receive([10, 0, 0, 0, 1, 1]) }
    }

    @Test func oversizedFieldsAreDropped() {
        let name = MemberName(bytes: [UInt8](repeating: 1, count: WireLimits.nameLength + 1))
        let alive = Alive(
            incarnation: 1,
            node: "a",
            address: MemberAddress(.init(.loopbackV4, port: 1)),
            meta: [UInt8](repeating: 1, count: WireLimits.metaSize + 1),
            versions: nil
        )
        let messages: [MemberlistMessage] = [
            .suspect(Suspect(incarnation: 1, node: name, from: "b")), .alive(alive),
            .ping(Ping(sequence: 1, node: name, source: nil)),
        ]
        for message in messages {
            #expect(WireExercise.packet(message.encoded(), security: WireSecurity()).drops == [.oversizedField])
        }
        #expect(
            WireExercise.packet([UInt8](repeating: 0, count: WireLimits.datagramSize + 1), security: WireSecurity())
                .drops
                == [.tooLarge]
        )
    }

    @Test(arguments: [
        "0485a441646472a57f00000301ab496e6361726e6174696f6e01a44e6f6465a161a4506f727401a356736ea0",
        "0485a441646472a47f000003ab496e6361726e6174696f6e01a44e6f6465a161a4506f727401a356736ea3010203",
        "0485a441646472a47f000003ab496e6361726e6174696f6e01a44e6f6465a0a4506f727401a356736ea0",
        "0484ab496e6361726e6174696f6e01a44e6f6465a161a4506f727401a356736ea0",
        "0485a441646472a47f000003ab496e6361726e6174696f6eff00a44e6f6465a161a4506f727401a356736ea0",
        "0485a441646472a47f000003ab496e6361726e6174696f6e01a44e6f6465a161a4506f7274ce00010000a356736ea0",
    ])
    func impossibleAnnouncementsAreDropped(hex: String) {
        #expect(WireExercise.packet([UInt8](hex: hex), security: WireSecurity()).drops == [.malformedMessage])
    }

    /// One record of five bytes of address, one of an unknown state, one good: the good one is kept.
    @Test func badRecordsOfAPushPullAreLeftOut() throws {
        let good = PushNodeState(
            name: "a",
            address: MemberAddress(.init(.loopbackV4, port: 1)),
            meta: [],
            incarnation: 1,
            state: .left,
            versions: .serf
        )
        var bytes: [UInt8] = [6] + PushPullHeader(nodes: 4, userStateLength: 2, join: true).encoded()
        bytes += [UInt8](hex: "82a441646472a57f00000301a44e616d65a178")
        bytes += [UInt8](hex: "83a441646472a47f000003a44e616d65a178a5537461746507")
        bytes += good.encoded() + [0x05, 9, 9]
        let expected = PushPull(join: true, nodes: [good], userState: [9, 9], skippedNodes: 3)
        #expect(try decode(bytes) == .pushPull(expected))
    }

    private func decode(_ bytes: [UInt8]) throws -> StreamMessage? {
        var decoder = StreamDecoder(role: .acceptor, security: WireSecurity())
        return try decoder.receive(bytes)
    }
}

extension WireRandom {
    /// A few bits flipped, bytes replaced, pieces cut out, doubled or put in.
    mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...count(3) {
            guard !bytes.isEmpty else { return bytes }
            let place = count(bytes.count - 1)
            switch count(4) {
            case 0: bytes[place] ^= 1 << UInt8(count(7))
            case 1: bytes[place] = UInt8(truncatingIfNeeded: next())
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + count(8)))
            case 3: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + count(16))], at: place)
            default:
                bytes.insert(contentsOf: [[0xdf, 0xff, 0xff, 0xff, 0xff], [0x91, 0x91], [0xc0]][count(2)], at: place)
            }
        }
        return bytes
    }
}

import Testing

@testable import WeftGossip

/// Whatever is encoded decodes to the same, under every combination of layers.
@Suite struct RoundTripTests {
    private static let keys: [[UInt8]] = [16, 24, 32].map { [UInt8](repeating: UInt8($0), count: $0) }

    private static let securities: [WireSecurity] = [
        WireSecurity(),
        WireSecurity(label: Array("pool".utf8)),
        WireSecurity(keyring: Keyring(keys: keys)),
        WireSecurity(label: [UInt8](repeating: 7, count: 255), keyring: Keyring(keys: [keys[1]])),
    ]

    @Test(arguments: 0..<4)
    func datagrams(security index: Int) {
        var rng = WireRandom(seed: UInt64(index))
        for _ in 0..<150 {
            let messages = (0..<rng.count(300)).map { _ in rng.memberlistMessage() }.prefix(rng.flip() ? 20 : 300)
            let codec = PacketCodec(security: Self.securities[index], compresses: rng.flip())
            let datagrams = codec.encode(messages.map { $0.encoded() }, checksum: rng.flip(), using: &rng)
            var (decoded, drops): ([MemberlistMessage], [WireError]) = ([], [])
            for datagram in datagrams where datagram.count <= WireLimits.datagramSize {
                codec.decode(datagram, into: &decoded, drops: &drops)
            }
            #expect(drops.isEmpty)
            if datagrams.allSatisfy({ $0.count <= WireLimits.datagramSize }) { #expect(decoded == Array(messages)) }
        }
    }

    @Test(arguments: 0..<4)
    func streams(security index: Int) throws {
        var rng = WireRandom(seed: 100 + UInt64(index))
        let security = Self.securities[index]
        for _ in 0..<60 {
            let message = rng.streamMessage()
            let role: StreamRole = rng.flip() ? .dialler : .acceptor
            let bytes = StreamCodec.encode(message, role: role, security: security, compress: rng.flip(), using: &rng)
            var decoder = StreamDecoder(role: role == .dialler ? .acceptor : .dialler, security: security)
            var rest = bytes[...]
            var decoded: StreamMessage?
            while !rest.isEmpty {
                #expect(decoded == nil)
                let chunk = rest.prefix(1 + rng.count(2000))
                decoded = try decoder.receive(chunk)
                rest = rest.dropFirst(chunk.count)
            }
            #expect(decoded == message)
            try decoder.finish()
        }
    }

    @Test func userStates() throws {
        var rng = WireRandom(seed: 5)
        for _ in 0..<300 {
            let state = rng.userState()
            #expect(try UserState(decoding: state.encoded()) == state)
        }
    }

    @Test func tags() throws {
        var rng = WireRandom(seed: 6)
        for _ in 0..<300 {
            let tags = rng.tags()
            #expect(try Tags(meta: tags.meta) == tags)
        }
        #expect(Tags().meta == [0xff, 0x80])
        #expect(try Tags(meta: Array("web".utf8)) == ["role": "web"])
        #expect(try Tags(meta: []) == ["role": ""])
    }

    @Test func payloads() throws {
        var rng = WireRandom(seed: 7)
        for _ in 0..<200 {
            let coordinate = CoordinatePayload(
                vector: (0..<8).map { _ in Double.random(in: -9...9, using: &rng) },
                error: 1.5,
                adjustment: -0.25,
                height: 1e-5
            )
            #expect(try CoordinatePayload(payload: coordinate.payload) == coordinate)
            let conflict = ConflictResponse(
                name: rng.name(),
                address: rng.address(),
                tags: rng.tags(),
                status: 4,
                versions: .serf
            )
            #expect(try ConflictResponse.decode(payload: ConflictResponse.payload(conflict)) == conflict)
            let response = KeyResponse(
                succeeded: rng.flip(),
                message: rng.text(40),
                keys: [rng.text(44), rng.text(44)],
                primaryKey: rng.text(44)
            )
            #expect(try KeyResponse(payload: response.payload) == response)
            let request = KeyRequest(key: rng.bytes(32))
            #expect(try KeyRequest(payload: request.payload) == request)
        }
        #expect(try ConflictResponse.decode(payload: ConflictResponse.payload(nil)) == nil)
    }
}

import Testing

@testable import WeftGossip

/// Datagrams of real agents: each decodes to what the vectors say, and what we encode again is the same bytes.
@Suite struct PacketVectorTests {
    /// Captured from new agents, which write signed numbers over 127 in another form than we do.
    private static let newIntegers: Set = ["new-query-int32-timeout"]

    @Test(arguments: WireVectors.all.udp)
    func decodesToWhatTheVectorSays(vector: WireVectors.Datagram) throws {
        let (messages, drops) = decode(vector)
        let expected = Expected(vector.decoded)
        #expect(try messages.map(WireJSON.message) == expected.messages)
        #expect(drops == expected.drops)
    }

    @Test(arguments: WireVectors.all.udp.filter { $0.origin == nil && !newIntegers.contains($0.id) })
    func encodesToTheSameBytes(vector: WireVectors.Datagram) throws {
        let (messages, _) = decode(vector)
        let layers = vector.decoded["layers"]?.elements ?? []
        let isCompressed = vector.decoded["msg"]?["type"] == "compress"
        let codec = PacketCodec(security: vector.security, compresses: isCompressed)
        let nonce = vector.bytes.dropFirst(vector.label.map { 2 + $0.utf8.count } ?? 0).dropFirst().prefix(12)
        var rng = ScriptedGenerator(bytes: Array(nonce))
        let datagrams = codec.encode(
            messages.map { $0.encoded(fromContent: !vector.id.hasPrefix("x-")) },
            checksum: layers.contains { $0["hasCrc"] != nil },
            using: &rng
        )
        #expect(datagrams.map(\.hex) == [vector.hex])
    }

    @Test func aDatagramLeavesEarlierResultsInPlace() {
        var (messages, drops): ([MemberlistMessage], [WireError]) = ([.nack(Nack(sequence: 1))], [.checksum])
        PacketCodec().decode([UInt8](hex: "0b81a55365714e6f16"), into: &messages, drops: &drops)
        #expect(messages == [.nack(Nack(sequence: 1)), .nack(Nack(sequence: 22))])
        #expect(drops == [.checksum])
    }

    /// What the payloads of real messages decode to encodes to them again.
    @Test(arguments: WireVectors.all.udp.filter { $0.origin == nil })
    func payloadsEncodeToTheSameBytes(vector: WireVectors.Datagram) throws {
        for message in decode(vector).messages {
            switch message {
            case .ack(let ack):
                if let payload = ack.payload { #expect(try CoordinatePayload(payload: payload).payload == payload) }
            case .user(let user): try expectSamePayload(user.content)
            default: break
            }
        }
    }

    private func expectSamePayload(_ content: SerfMessage) throws {
        let payload: [UInt8]? =
            switch content {
            case .query(let query): query.payload
            case .queryResponse(let response): response.payload
            default: nil
            }
        guard let payload, let type = payload.first.flatMap(SerfType.init) else { return }
        switch type {
        case .keyRequest: #expect(try KeyRequest(payload: payload).payload == payload)
        case .keyResponse: #expect(try KeyResponse(payload: payload).payload == payload)
        case .conflictResponse:
            #expect(try ConflictResponse.payload(ConflictResponse.decode(payload: payload)) == payload)
        default: break
        }
    }

    private func decode(_ vector: WireVectors.Datagram) -> (messages: [MemberlistMessage], drops: [WireError]) {
        var (messages, drops): ([MemberlistMessage], [WireError]) = ([], [])
        PacketCodec(security: vector.security).decode(vector.bytes, into: &messages, drops: &drops)
        return (messages, drops)
    }
}

/// The messages and drops that a vector's nested description amounts to.
private struct Expected {
    var messages: [WireJSON] = []
    var drops: [WireError] = []

    init(_ decoded: WireJSON) {
        guard let message = decoded["msg"] else {
            drops = [.checksum]
            return
        }
        add(message)
    }

    private mutating func add(_ message: WireJSON) {
        switch message["type"]?.text {
        case "compound": message["parts"]?.elements.forEach { add($0) }
        case "compress": message["inner"].map { add($0) }
        case "hasCrc", "?99": drops.append(.unknownType)
        case "alive": messages.append(.object(["type": "alive", "body": known(message["body"])]))
        case "user": addSerf(message["body"])
        default: messages.append(message)
        }
    }

    private mutating func addSerf(_ content: WireJSON?) {
        guard let content, content["serf"] != "?200" else { return drops.append(.unknownSerfType) }
        let isRelay = content["header"] != nil
        let plain = WireJSON.object(["serf": content["serf"] ?? .null, "body": known(content["body"])])
        messages.append(.object(["type": "user", "body": isRelay ? content : plain]))
    }

    /// Without unknown fields and trailing bytes, and an array as the structure that it stands for.
    private func known(_ body: WireJSON?) -> WireJSON {
        if let object = body?["_obj"] { return object.without("Zext") }
        guard let elements = body?.elements, elements.count == 4 else { return body?.without("Zext") ?? .null }
        return .object(zip(["LTime", "Name", "Payload", "CC"], elements).reduce(into: [:]) { $0[$1.0] = $1.1 })
    }
}

extension WireVectors.Datagram {
    var security: WireSecurity {
        WireSecurity(
            label: Array((label ?? "").utf8),
            keyring: Keyring(keys: keyHex.map { [[UInt8](hex: $0)] } ?? [])
        )
    }
}

extension MemberlistMessage {
    /// Encoded anew, or with the bytes that a Serf message came in.
    fileprivate func encoded(fromContent: Bool) -> [UInt8] {
        guard fromContent, case .user(let user) = self else { return encoded() }
        return MemberlistMessage.user(UserMessage(user.content)).encoded()
    }
}

/// Gives the words that make up a nonce.
struct ScriptedGenerator: RandomNumberGenerator {
    var bytes: [UInt8]

    mutating func next() -> UInt64 {
        let word = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        bytes = Array(bytes.dropFirst(8))
        return word
    }
}

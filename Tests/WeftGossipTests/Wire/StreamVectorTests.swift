import Testing

@testable import WeftGossip

/// Streams of real agents, both directions: each decodes to what the vectors say, however the bytes arrive.
@Suite struct StreamVectorTests {
    /// All but what the receiver refuses, which the tests below look at.
    private static let readable = WireVectors.all.streams.filter {
        $0.decoded != .null && !["tcp-plain-to-encrypted", "tcp-unlabelled-to-labelled"].contains($0.id)
    }

    @Test(arguments: readable)
    func decodesToWhatTheVectorSays(vector: WireVectors.Stream) throws {
        var decoder = vector.decoder
        let message = try #require(try decoder.receive(vector.bytes))
        try decoder.finish()
        try expect(message, vector.decoded)
    }

    @Test(arguments: readable)
    func decodesByteByByte(vector: WireVectors.Stream) throws {
        var whole = vector.decoder
        let expected = try whole.receive(vector.bytes)
        var decoder = vector.decoder
        for byte in vector.bytes.dropLast() { #expect(try decoder.receive([byte]) == nil) }
        #expect(try decoder.receive(vector.bytes.suffix(1)) == expected)
    }

    @Test(arguments: readable)
    func decodesSplitAnywhere(vector: WireVectors.Stream) throws {
        var whole = vector.decoder
        let expected = try whole.receive(vector.bytes)
        for split in 1..<vector.bytes.count {
            var decoder = vector.decoder
            #expect(try decoder.receive(vector.bytes[..<split]) == nil)
            #expect(try decoder.receive(vector.bytes[split...]) == expected)
        }
    }

    @Test(arguments: readable)
    func ignoresBytesBehindTheMessage(vector: WireVectors.Stream) throws {
        var decoder = vector.decoder
        #expect(try decoder.receive(vector.bytes + [1, 2, 3]) != nil)
        #expect(try decoder.receive([4]) == nil)
    }

    /// All but what new agents send: they write lengths over 127 in another form.
    @Test(arguments: readable.filter { $0.pool != "EL" && $0.pool != "EK" && !($0.pool == "E" && !$0.isFromDialler) })
    func encodesToTheSameBytes(vector: WireVectors.Stream) throws {
        var decoder = vector.decoder
        let message = try #require(try decoder.receive(vector.bytes))
        let layers = vector.decoded["layers"]?.elements ?? []
        let isEncrypted = layers.contains { $0["encrypt"] != nil }
        var rng = ScriptedGenerator(bytes: Array(vector.bytes.dropFirst(isEncrypted ? 6 : 0).prefix(12)))
        let bytes = StreamCodec.encode(
            message,
            role: vector.isFromDialler ? .dialler : .acceptor,
            security: vector.security,
            compress: layers.contains { $0["compress"] != nil },
            using: &rng
        )
        #expect(bytes.hex == vector.bytes.hex)
    }

    @Test func refusesPlainBytesWhenEncrypted() throws {
        let vectors = WireVectors.all.streams.filter { $0.id == "tcp-plain-to-encrypted" }
        let request = try #require(vectors.first { $0.isFromDialler })
        var decoder = request.decoder
        #expect(throws: WireError.notEncrypted) { try decoder.receive(request.bytes) }
        var lenient = StreamDecoder(
            role: .acceptor,
            security: WireSecurity(keyring: Keyring(keys: request.keys), mode: .have)
        )
        #expect(try lenient.receive(request.bytes) != nil)
        let answer = try #require(vectors.first { !$0.isFromDialler })
        var dialler = answer.decoder
        try expect(try #require(try dialler.receive(answer.bytes)), answer.decoded)
    }

    @Test func refusesEncryptionWithoutAKey() throws {
        let vector = try #require(WireVectors.all.streams.first { $0.id == "tcp-err-plain" && $0.isFromDialler })
        var decoder = vector.decoder
        #expect(throws: WireError.noKey) { try decoder.receive(vector.bytes) }
    }

    @Test func refusesAMissingAndAnUnexpectedLabel() throws {
        let labelled = try #require(WireVectors.all.streams.first { $0.id == "tcp-label-join" && $0.isFromDialler })
        var plain = StreamDecoder(role: .acceptor, security: WireSecurity())
        #expect(throws: WireError.unexpectedLabel) { try plain.receive(labelled.bytes) }
        var other = StreamDecoder(role: .acceptor, security: WireSecurity(label: Array("pool-b".utf8)))
        #expect(throws: WireError.wrongLabel) { try other.receive(labelled.bytes) }
        let unlabelled = try #require(WireVectors.all.streams.first { $0.id == "tcp-unlabelled-to-labelled" })
        var decoder = StreamDecoder(role: .acceptor, security: labelled.security)
        #expect(throws: WireError.wrongLabel) { try decoder.receive(unlabelled.bytes) }
    }

    private func expect(_ message: StreamMessage, _ decoded: WireJSON) throws {
        switch message {
        case .ping(let ping): #expect(WireJSON.ping(ping) == decoded.without("layers"))
        case .ack(let ack): #expect(try WireJSON.ack(ack) == decoded.without("layers"))
        case .error(let error): #expect(.string(error.text) == decoded["body"]?["Error"])
        case .user(let user):
            #expect(try WireJSON.object(WireJSON.serf(user.content)) == decoded["user"])
            #expect(.count(user.raw.count) == decoded["header"]?["UserMsgLen"])
        case .pushPull(let pushPull): try expect(pushPull, decoded)
        }
    }

    private func expect(_ pushPull: PushPull, _ decoded: WireJSON) throws {
        #expect(.bool(pushPull.join) == decoded["header"]?["Join"])
        #expect(try pushPull.nodes.map(WireJSON.node) == decoded["nodes"]?.elements)
        #expect(pushPull.skippedNodes == 0)
        guard let expected = decoded["userState"], expected != .null else {
            #expect(pushPull.userState.isEmpty)
            return
        }
        let body = try #require(expected["body"])
        let entries = body["Events"]?["_nonNil"]?.elements.compactMap { $0["value"] } ?? []
        guard case .object(var fields) = body else { return }
        fields["Events"] = .array(entries)
        let state = try UserState(decoding: pushPull.userState)
        #expect(WireJSON.userState(state) == .object(fields))
        #expect(state.section == nil)
        #expect(try UserState(decoding: state.encoded()) == state)
    }
}

extension WireVectors.Stream {
    var security: WireSecurity { WireSecurity(label: label, keyring: Keyring(keys: keys)) }

    /// The decoder of whoever receives these bytes.
    var decoder: StreamDecoder { StreamDecoder(role: isFromDialler ? .acceptor : .dialler, security: security) }
}

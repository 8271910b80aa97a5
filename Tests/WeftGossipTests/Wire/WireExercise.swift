@testable import WeftGossip

/// Puts bytes through the decoders as a peer could, and checks what has to hold for all bytes. The tests and the fuzzer
/// (Tests/Fuzz) share it.
enum WireExercise {
    /// One datagram. Traps when a limit is broken, or when what was decoded cannot be decoded again.
    @discardableResult
    static func packet(
        _ bytes: [UInt8],
        security: WireSecurity
    ) -> (messages: [MemberlistMessage], drops: [WireError]) {
        var (messages, drops): ([MemberlistMessage], [WireError]) = ([], [])
        PacketCodec(security: security).decode(bytes, into: &messages, drops: &drops)
        precondition(messages.count <= WireLimits.messagesPerDatagram, "\(messages.count) messages")
        precondition(drops.count <= WireLimits.messagesPerDatagram + WireLimits.wrapperDepth, "\(drops.count) drops")
        for message in messages { check(message) }
        return (messages, drops)
    }

    /// One stream: whole, then byte by byte. Traps when the two differ.
    static func stream(_ bytes: [UInt8], role: StreamRole, security: WireSecurity) {
        var (whole, pieces) = (Outcome.waiting, Outcome.waiting)
        var decoder = StreamDecoder(role: role, security: security)
        whole.receive(bytes[...], &decoder)
        var slow = StreamDecoder(role: role, security: security)
        for index in bytes.indices { pieces.receive(bytes[index...index], &slow) }
        precondition(whole == pieces, "\(whole) at once, \(pieces) byte by byte")
        if case .message(.pushPull(let pushPull)) = whole { check(pushPull) }
    }

    private enum Outcome: Equatable {
        case waiting
        case message(StreamMessage)
        case failed(WireError)

        mutating func receive(_ bytes: ArraySlice<UInt8>, _ decoder: inout StreamDecoder) {
            guard self == .waiting else { return }
            do throws(WireError) {
                if let message = try decoder.receive(bytes) { self = .message(message) }
            } catch {
                self = .failed(error)
            }
        }
    }

    private static func check(_ message: MemberlistMessage) {
        var (again, drops): ([MemberlistMessage], [WireError]) = ([], [])
        PacketCodec().decode(message.encoded(), into: &again, drops: &drops)
        precondition(again == [message] && drops.isEmpty, "\(message) came back as \(again), \(drops)")
        switch message {
        case .ack(let ack): if let payload = ack.payload { _ = try? CoordinatePayload(payload: payload) }
        case .alive(let alive): checkTags(alive.meta)
        case .user(let user): check(user.content)
        default: break
        }
    }

    private static func check(_ message: SerfMessage) {
        let payload: [UInt8]?
        switch message {
        case .query(let query): payload = query.payload
        case .queryResponse(let response): payload = response.payload
        case .relay(let relay):
            // What is relayed is sent on unseen; the one it is for decodes it.
            _ = try? SerfMessage(decoding: relay.inner[...])
            payload = nil
        default: payload = nil
        }
        guard let payload else { return }
        _ = try? KeyRequest(payload: payload)
        _ = try? KeyResponse(payload: payload)
        _ = try? ConflictResponse.decode(payload: payload)
    }

    private static func check(_ pushPull: PushPull) {
        for node in pushPull.nodes { checkTags(node.meta) }
        guard let state = try? UserState(decoding: pushPull.userState) else { return }
        let again = try? UserState(decoding: state.encoded())
        precondition(again == state, "a user state came back changed")
    }

    private static func checkTags(_ meta: [UInt8]) {
        guard let tags = try? Tags(meta: meta) else { return }
        let again = try? Tags(meta: tags.meta)
        precondition(again == tags, "tags came back changed")
    }
}

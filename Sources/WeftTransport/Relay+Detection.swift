internal import NIOCore
internal import WeftCore
internal import WeftProxy

/// The room in front of the carrying: what is spoken here (design, section 2). The client is listened to while the
/// destination is dialled, and its bytes are held until they tell; whichever side speaks first decides.
///
/// As long as a client says nothing, nothing is held and nobody waits, so that the limit of time counts from its first
/// byte.
extension Relay {
    enum Listening {
        /// It is known, or nobody wants to know.
        case off
        /// Nothing has been said.
        case silent(since: Instant)
        case hearing(ProtocolDetector, on: Scheduled<Void>)
    }

    var isListening: Bool { if case .off = listening { false } else { true } }

    /// Begins to listen, before or while the destination is dialled. `relayDetected` follows, unless the connection ends.
    ///
    /// - Parameter knowledge: What is known of the destination's protocol already.
    func listen(now: Instant, knowing knowledge: ProtocolKnowledge? = nil) {
        self.knowledge = knowledge
        listening = .silent(since: now)
        listenOn()
    }

    func listenOn() {
        if !client.isInputEnded { client.read() }
    }

    /// Bytes of the client that do not go on yet.
    func heard(_ bytes: ByteBuffer) {
        if early.readableBytes == 0 { early = bytes } else { early.writeImmutableBuffer(bytes) }
        guard isListening, let owner else { return }
        let now = owner.now
        var detector: ProtocolDetector
        switch listening {
        case .off: return
        case .silent: detector = ProtocolDetector(start: now, knowing: knowledge)
        case .hearing(let open, on: let timer):
            detector = open
            timer.cancel()
        }
        if let found = detector.clientReceived(early.readableBytesSpan, now: now) { return settle(found) }
        let timer = owner.schedule(at: detector.deadline) { self.timeExpired() }
        listening = .hearing(detector, on: timer)
    }

    /// Bytes that one may wait for the client with.
    private static let greetingMax = 16 * 1024

    /// The destination has spoken first. HTTP/2's servers may do so, with SETTINGS (RFC 9113, section 3.4), and do not
    /// wait for an answer; then the client's bytes still decide. False for what is something else.
    func holdGreeting(_ bytes: ByteBuffer) -> Bool {
        guard let now = owner?.now, greeting.readableBytes + bytes.readableBytes <= Self.greetingMax,
            greeting.readableBytes > 0 || bytes.isHTTP2Greeting
        else { return false }
        greeting.writeImmutableBuffer(bytes)
        guard case .silent = listening, let owner else { return true }
        let detector = ProtocolDetector(start: now, knowing: knowledge)
        listening = .hearing(detector, on: owner.schedule(at: detector.deadline) { self.timeExpired() })
        return true
    }

    /// The destination has spoken, or a side has ended: what is known now has to do.
    func stopListening() {
        guard isListening, let now = owner?.now else { return }
        switch listening {
        case .off: break
        case .silent(let since):
            settle(Detection(.opaque, by: client.isInputEnded ? .ended : .serverFirst, after: now - since))
        case .hearing(var detector, on: let timer):
            timer.cancel()
            let isEnd = client.isInputEnded || destination?.isInputEnded ?? false
            settle(isEnd ? detector.ended(early.readableBytesSpan, now: now) : detector.serverReceived(now: now))
        }
    }

    private func timeExpired() {
        guard case .hearing(var detector, on: _) = listening, let now = owner?.now else { return }
        settle(detector.timeExpired(early.readableBytesSpan, now: now))
    }

    private func settle(_ detection: Detection) {
        listening = .off
        owner?.relayDetected(detection)
        // Unless another carrier has taken the legs.
        guard let owner else { return }
        if machine.phase == .dialling { owner.relayHeard(early: early) } else { sendEarly() }
    }
}

extension ByteBuffer {
    /// The head of a SETTINGS frame that is no answer.
    fileprivate var isHTTP2Greeting: Bool {
        guard let head = getBytes(at: readerIndex, length: 9) else { return false }
        let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        return length % 6 == 0 && length <= 16_384 && head[3] == 4 && head[4...].allSatisfy { $0 == 0 }
    }
}

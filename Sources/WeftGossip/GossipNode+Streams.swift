internal import WeftCore

/// Streams in and out: each carries one message in each direction at most (section 4).
extension GossipNode {
    mutating func acceptStream() -> StreamID? {
        guard phase.isActive else {
            counters.drops.add(.notRunning)
            return nil
        }
        guard streams.acceptedCount < configuration.limits.acceptedStreams else {
            counters.drops.add(.tooManyStreams)
            return nil
        }
        return streams.add(.accepted)
    }

    mutating func handleStream(
        _ message: StreamMessage,
        byteCount: Int,
        on stream: StreamID,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        counters.bytesIn += UInt64(max(0, byteCount))
        counters.messagesIn.add(message.kind)
        // The shell does not tell, and need not: nothing for which it matters comes by stream.
        turn.isClear = packets.security.hearsClearText
        guard let purpose = streams.remove(stream) else {
            counters.drops.add(.unexpectedStream)
            return
        }
        guard phase.isActive else {
            turn.act(.closeStream(stream))
            counters.drops.add(.notRunning)
            return
        }
        switch purpose {
        case .accepted: serve(message, on: stream, &turn)
        case .probe(let sequence): handleProbeAnswer(message, to: sequence, on: stream, &turn)
        case .pushPull(let exchange): handlePushPullAnswer(message, exchange, on: stream, &turn)
        }
    }

    mutating func handleStreamFailure(
        _ stream: StreamID,
        _ failure: StreamFailure,
        _ error: WireError?,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        guard let purpose = streams.remove(stream) else { return }
        counters.streamFailures.add(failure)
        if let error { counters.wireDrops.add(error) }
        switch purpose {
        case .accepted:
            // Agents say so too when they cannot read what was sent, except to the wrong label (section 1.5).
            guard let error, error != .wrongLabel, error != .unexpectedLabel, error != .malformedLabel else { break }
            reply(.error(StreamError(text: "cannot read the message: \(error.rawValue)")), on: stream, &turn)
        case .pushPull(let exchange): endExchange(exchange.reason, failed: .stream(failure), &turn)
        case .probe: break
        }
        turn.act(.closeStream(stream))
    }

    /// Answers what somebody else sent on a stream of theirs.
    private mutating func serve(
        _ message: StreamMessage,
        on stream: StreamID,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        switch message {
        case .ping(let ping):
            if ping.node.isEmpty || ping.node == configuration.name {
                reply(.ack(Ack(sequence: ping.sequence, payload: nil)), on: stream, &turn)
            } else {
                counters.drops.add(.notForUs)
            }
            turn.act(.closeStream(stream))
        case .pushPull(let remote):
            // The answer goes out before the merge, as agents do: it is what we knew without the peer. Only a weft
            // node has a section, and only it gets one.
            let state = decodeUserState(of: remote)
            let answer = localState(join: remote.join, withSection: state?.section != nil)
            reply(.pushPull(answer), on: stream, &turn)
            turn.act(.closeStream(stream))
            counters.pushPullsServed += merge(remote, state, ignoringOldEvents: false, &turn) ? 1 : 0
        case .user(let user):
            turn.act(.closeStream(stream))
            handle(user, &turn)
        case .ack, .error:
            counters.drops.add(.unexpectedStream)
            turn.act(.closeStream(stream))
        }
    }

    private mutating func handleProbeAnswer(
        _ message: StreamMessage,
        to sequence: SequenceNumber,
        on stream: StreamID,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        turn.act(.closeStream(stream))
        guard case .ack(let ack) = message, ack.sequence == sequence else {
            counters.drops.add(.unexpectedStream)
            return
        }
        if membership.probe?.sequence == sequence { membership.probe?.streamAnswered = true }
    }

    private mutating func handlePushPullAnswer(
        _ message: StreamMessage,
        _ exchange: StreamTable.Exchange,
        on stream: StreamID,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        turn.act(.closeStream(stream))
        let reason = exchange.reason
        switch message {
        case .pushPull(let remote):
            var ignoresOldEvents = false
            if case .join(let id, _) = reason { ignoresOldEvents = id != .rejoin && !configuration.replaysOldEvents }
            let state = decodeUserState(of: remote)
            let merged = merge(remote, state, ignoringOldEvents: ignoresOldEvents, &turn)
            counters.pushPullsStarted += merged ? 1 : 0
            endExchange(reason, failed: merged ? nil : .versions, &turn)
        case .error(let error):
            if !repeatSealed(exchange, &turn) { endExchange(reason, failed: .refused(error.text), &turn) }
        case .ping, .ack, .user:
            counters.drops.add(.unexpectedStream)
            endExchange(reason, failed: .unexpected, &turn)
        }
    }

    /// A node that was away while its pool moved on to `only` is still in `have`, and nobody hears it. It has the key:
    /// what a peer refused is tried once more, encrypted. Then the owner learns how far the others are.
    private mutating func repeatSealed(
        _ exchange: StreamTable.Exchange,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) -> Bool {
        let security = packets.security
        guard security.mode == .have, !security.keyring.isEmpty, !exchange.isSealed else { return false }
        var sealed = exchange
        sealed.isSealed = true
        openPushPull(sealed, &turn)
        return true
    }

    private mutating func endExchange(
        _ reason: StreamTable.PushPullReason,
        failed failure: JoinFailure.Reason?,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        guard case .join(let id, let address) = reason else { return }
        joinAnswered(id, address, failure, &turn)
    }
}

// MARK: - Opening

extension GossipNode {
    mutating func openPushPull(
        to target: NetworkAddress,
        reason: StreamTable.PushPullReason,
        withSection: Bool,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        openPushPull(StreamTable.Exchange(reason: reason, target: target, withSection: withSection), &turn)
    }

    private mutating func openPushPull(
        _ exchange: StreamTable.Exchange,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        let state = localState(join: exchange.reason.isJoin, withSection: exchange.withSection)
        let stream = streams.add(.pushPull(exchange))
        let bytes = encode(.pushPull(state), role: .dialler, sealed: exchange.isSealed, &turn)
        let deadline = turn.now + configuration.timing.streamTimeout
        turn.act(
            .openStream(stream, to: exchange.target, message: bytes, deadline: deadline, expectsReply: true)
        )
    }

    mutating func openProbeStream(
        _ probe: MembershipState.Probe,
        to target: NetworkAddress,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        let stream = streams.add(.probe(probe.sequence))
        let ping = StreamMessage.ping(ownPing(probe.sequence, to: probe.target))
        open(stream, to: target, ping, deadline: probe.end, expectsReply: true, &turn)
    }

    mutating func openDirect(
        _ payload: [UInt8],
        to target: NetworkAddress,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        let frame = WeftFrame(sender: configuration.name, content: payload)
        let message = StreamMessage.user(UserMessage(.direct(frame.encoded())))
        let deadline = turn.now + configuration.timing.streamTimeout
        open(streams.nextID(), to: target, message, deadline: deadline, expectsReply: false, &turn)
    }

    private mutating func open(
        _ stream: StreamID,
        to target: NetworkAddress,
        _ message: StreamMessage,
        deadline: Instant,
        expectsReply: Bool,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        let bytes = encode(message, role: .dialler, &turn)
        turn.act(.openStream(stream, to: target, message: bytes, deadline: deadline, expectsReply: expectsReply))
    }

    private mutating func reply(
        _ message: StreamMessage,
        on stream: StreamID,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        turn.act(.reply(stream, encode(message, role: .acceptor, &turn)))
    }

    private mutating func encode(
        _ message: StreamMessage,
        role: StreamRole,
        sealed: Bool = false,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) -> [UInt8] {
        counters.messagesOut.add(message.kind)
        var security = packets.security
        if sealed { security.mode = .only }
        let bytes = StreamCodec.encode(
            message,
            role: role,
            security: security,
            compress: configuration.compression,
            using: &turn.random
        )
        counters.bytesOut += UInt64(bytes.count)
        return bytes
    }
}

extension StreamMessage {
    /// How the message is counted.
    fileprivate var kind: MessageKind {
        switch self {
        case .ping: .streamPing
        case .ack: .streamAck
        case .pushPull: .pushPull
        case .user(let message): message.content.kind
        case .error: .streamError
        }
    }
}

internal import WeftCore

/// Datagrams in and out.
extension GossipNode {
    /// Decodes a datagram and handles what is good in it.
    mutating func handleDatagram(
        _ bytes: [UInt8],
        from source: NetworkAddress,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        counters.datagramsIn += 1
        counters.bytesIn += UInt64(bytes.count)
        guard phase.isActive else {
            counters.drops.add(.notRunning)
            return
        }
        var messages: [MemberlistMessage] = []
        var drops: [WireError] = []
        turn.isClear = !packets.decode(bytes, into: &messages, drops: &drops)
        for drop in drops { counters.wireDrops.add(drop) }
        turn.source = source
        for message in messages { handle(message, from: source, &turn) }
    }

    /// Handles one message in the order of the datagram. Stock agents put announcements first; no claim of one datagram
    /// may rely on an order in any case (section 6.6).
    private mutating func handle(
        _ message: MemberlistMessage,
        from source: NetworkAddress,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        counters.messagesIn.add(message.kind)
        switch message {
        case .ping(let ping): handle(ping, from: source, &turn)
        case .indirectPing(let request): handle(request, from: source, &turn)
        case .ack(let ack): handle(ack, &turn)
        case .nack(let nack): handle(nack)
        case .alive(let alive): handle(alive, &turn)
        case .suspect(let suspect): handle(suspect, &turn)
        case .dead(let dead): handle(dead, &turn)
        case .user(let user): handle(user, &turn)
        }
    }

    /// Sends one message of memberlist's, with news in the room that is left.
    mutating func send(
        _ message: MemberlistMessage,
        to target: NetworkAddress,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        counters.messagesOut.add(message.kind)
        let encoded = message.encoded()
        let news = takeNews(
            for: BroadcastQueue.Recipient(address: target, name: nil),
            budget: datagramBudget - encoded.count,
            maximumCount: WireLimits.compoundParts - 1
        )
        sendParts([encoded] + news, to: target, recipient: nil, &turn)
    }

    /// Sends messages in one datagram, without news: what belongs together is not made longer.
    mutating func sendTogether(
        _ messages: [MemberlistMessage],
        to recipient: MemberIdentity,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        for message in messages { counters.messagesOut.add(message.kind) }
        sendParts(messages.map { $0.encoded() }, to: recipient.networkAddress, recipient: recipient, &turn)
    }

    /// Sends a Serf message straight to an address, alone in its datagram.
    mutating func sendSerf(
        _ raw: [UInt8],
        kind: MessageKind,
        to target: NetworkAddress,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        counters.messagesOut.add(kind)
        sendParts([[MemberlistType.user.rawValue] + raw], to: target, recipient: nil, &turn)
    }

    /// Sends encoded messages. As stock agents do, a checksum is added only for a recipient whose versions are at hand.
    mutating func sendParts(
        _ parts: [[UInt8]],
        to target: NetworkAddress,
        recipient: MemberIdentity?,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        let checksum = configuration.checksums && recipient?.versions?.understandsChecksums ?? false
        for datagram in packets.encode(parts, checksum: checksum, using: &turn.random) {
            counters.datagramsOut += 1
            counters.bytesOut += UInt64(datagram.count)
            turn.act(.send(datagram, to: target))
        }
    }
}

extension MemberlistMessage {
    /// How the message is counted.
    var kind: MessageKind {
        switch self {
        case .ping: .ping
        case .indirectPing: .indirectPing
        case .ack: .ack
        case .nack: .nack
        case .suspect: .suspect
        case .alive: .alive
        case .dead: .dead
        case .user(let message): message.content.kind
        }
    }
}

extension SerfMessage {
    /// How the message is counted.
    var kind: MessageKind {
        switch self {
        case .join: .joinIntent
        case .leave: .leaveIntent
        case .userEvent: .userEvent
        case .query: .query
        case .queryResponse: .queryResponse
        case .relay: .relay
        case .direct: .direct
        }
    }
}

internal import WeftCore

/// Answering the probes of others, and receiving answers to ours (section 6.5).
extension GossipNode {
    /// Answers a ping with this node's coordinate.
    mutating func handle(
        _ ping: Ping,
        from source: NetworkAddress,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        guard ping.node.isEmpty || ping.node == configuration.name else {
            counters.drops.add(.notForUs)
            return
        }
        let ack = Ack(sequence: ping.sequence, payload: coordinates.model.coordinate.payload.payload)
        send(.ack(ack), to: answerAddress(ping.source, source), &turn)
    }

    /// Pings the target for somebody else.
    mutating func handle(
        _ request: IndirectPing,
        from source: NetworkAddress,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        guard membership.relayedPings.count < configuration.limits.relayedPings else {
            counters.drops.add(.tableFull)
            return
        }
        let target = reachable(request.target).networkAddress
        guard !target.ip.isUnspecified else {
            counters.drops.add(.invalidMember)
            return
        }
        let sequence = membership.nextSequence()
        membership.relayedPings[sequence] = MembershipState.RelayedPing(
            requester: answerAddress(request.source, source),
            sequence: request.sequence,
            wantsNack: request.wantsNack
        )
        timers.set(.relayedPing(sequence), at: turn.now + configuration.timing.probeTimeout)
        send(.ping(ownPing(sequence, to: request.node)), to: target, &turn)
    }

    /// Where an answer goes: to the address in the message if there is a usable one, else to where it came from.
    private func answerAddress(_ told: ProbeSource?, _ seen: NetworkAddress) -> NetworkAddress {
        guard let address = told?.address.networkAddress, !address.ip.isUnspecified else { return seen }
        return address
    }

    /// Port 0 means the port that we listen on.
    func reachable(_ address: MemberAddress) -> MemberAddress {
        address.port == 0 ? address.withPort(configuration.advertise.port) : address
    }

    /// An ack ends our probe, or goes on to whom we pinged for. Acks are matched by number only, as agents do.
    mutating func handle(_ ack: Ack, _ turn: inout Turn<some RandomNumberGenerator>) {
        if let probe = membership.probe, probe.sequence == ack.sequence {
            probeAnswered(probe, payload: ack.payload, &turn)
        } else if let relayed = membership.relayedPings.removeValue(forKey: ack.sequence) {
            send(.ack(Ack(sequence: relayed.sequence, payload: nil)), to: relayed.requester, &turn)
        } else {
            counters.drops.add(.unexpectedAck)
        }
    }

    /// Somebody we asked could not reach the target either: our own network is fine.
    mutating func handle(_ nack: Nack) {
        guard var probe = membership.probe, probe.sequence == nack.sequence, !probe.isDirect else {
            counters.drops.add(.unexpectedAck)
            return
        }
        probe.receivedNacks = min(probe.expectedNacks, probe.receivedNacks + 1)
        membership.probe = probe
    }

    mutating func relayedPingTimedOut(
        _ sequence: SequenceNumber,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        guard let relayed = membership.relayedPings.removeValue(forKey: sequence), relayed.wantsNack else { return }
        send(.nack(Nack(sequence: relayed.sequence)), to: relayed.requester, &turn)
    }
}

internal import WeftCore

/// The probe cycle (section 6.5): one member at a time, directly, then through others and over TCP.
extension GossipNode {
    /// Starts the next probe, or notes that one is due if the last still runs.
    mutating func probeTick(at deadline: Instant, _ turn: inout Turn<some RandomNumberGenerator>) {
        repeatTimer(.probe, every: configuration.timing.probeInterval, after: deadline, now: turn.now)
        if membership.probe == nil { startProbe(&turn) } else { membership.missedProbe = true }
    }

    private mutating func startProbe(_ turn: inout Turn<some RandomNumberGenerator>) {
        membership.missedProbe = false
        let graveTime = configuration.timing.gossipToTheDead.wholeNanoseconds.magnitude
        let limit = turn.now.nanoseconds > graveTime ? Instant(nanoseconds: turn.now.nanoseconds - graveTime) : nil
        let target = table.nextToProbe(except: configuration.name, forgettingBefore: limit, using: &turn.random)
        guard phase == .running, let target else { return }
        let interval = membership.awareness.scaled(configuration.timing.probeInterval)
        let probe = MembershipState.Probe(
            sequence: membership.nextSequence(),
            target: target.identity.name,
            sent: turn.now,
            end: turn.now + interval
        )
        membership.probe = probe
        sendPing(of: probe, to: target, &turn)
        timers.set(.probeTimeout(probe.sequence), at: turn.now + configuration.timing.probeTimeout)
        timers.set(.probeEnd(probe.sequence), at: probe.end)
    }

    /// A suspect is told of the suspicion with the ping, so that it can refute at once (Lifeguard's buddy system).
    private mutating func sendPing(
        of probe: MembershipState.Probe,
        to target: MemberRecord,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        let ping = MemberlistMessage.ping(ownPing(probe.sequence, to: probe.target))
        guard target.detected == .suspect, configuration.lifeguard else {
            send(ping, to: target.identity.networkAddress, &turn)
            return
        }
        let suspect = Suspect(incarnation: target.incarnation, node: probe.target, from: configuration.name)
        sendTogether([ping, .suspect(suspect)], to: target.identity, &turn)
    }

    func ownPing(_ sequence: SequenceNumber, to node: MemberName) -> Ping {
        Ping(sequence: sequence, node: node, source: ownSource)
    }

    /// Where acks to this node go.
    var ownSource: ProbeSource {
        ProbeSource(address: MemberAddress(configuration.advertise), node: configuration.name)
    }

    /// No ack in time: asks others, and dials the target.
    mutating func probeIndirectly(_ turn: inout Turn<some RandomNumberGenerator>) {
        guard var probe = membership.probe else { return }
        probe.isDirect = false
        defer { membership.probe = probe }
        guard let target = table[probe.target] else { return }
        let own = configuration.name
        let peers = table.sample(configuration.timing.indirectChecks, using: &turn.random) {
            $0.detected == .alive && $0.identity.name != own && $0.identity.name != probe.target
        }
        for peer in peers {
            let wantsNack = configuration.lifeguard && peer.identity.versions?.sendsNacks ?? false
            if wantsNack { probe.expectedNacks += 1 }
            let request = IndirectPing(
                sequence: probe.sequence,
                target: target.identity.address,
                node: probe.target,
                wantsNack: wantsNack,
                source: ownSource
            )
            send(.indirectPing(request), to: peer.identity.networkAddress, &turn)
        }
        guard configuration.streamPings, target.identity.versions?.answersStreamPings ?? false else { return }
        openProbeStream(probe, to: target.identity.networkAddress, &turn)
    }

    /// The probe's time is over without an ack: TCP contact saves the target, else it is suspected.
    mutating func endProbe(_ turn: inout Turn<some RandomNumberGenerator>) {
        guard let probe = membership.probe else { return }
        membership.probe = nil
        if probe.streamAnswered {
            counters.streamOnlyProbes += 1
            membership.awareness.apply(-1)
        } else {
            failProbe(probe, &turn)
        }
        if membership.missedProbe { startProbe(&turn) }
    }

    /// Missing nacks say that our own network may be at fault; without anybody to send them each failure counts.
    private mutating func failProbe(
        _ probe: MembershipState.Probe,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        counters.failedProbes += 1
        let missing = probe.expectedNacks - probe.receivedNacks
        membership.awareness.apply(probe.expectedNacks > 0 ? max(0, missing) : 1)
        guard let target = table[probe.target] else { return }
        counters.suspicionsRaised += target.detected == .alive ? 1 : 0
        let suspect = Suspect(incarnation: target.incarnation, node: probe.target, from: configuration.name)
        handle(suspect, &turn)
    }

    /// The target answered. Only a direct answer tells the round trip.
    mutating func probeAnswered(
        _ probe: MembershipState.Probe,
        payload: [UInt8]?,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        membership.probe = nil
        membership.awareness.apply(-1)
        if probe.isDirect { learnDistance(of: probe, payload: payload, &turn) }
        if membership.missedProbe { startProbe(&turn) }
    }

    private mutating func learnDistance(
        of probe: MembershipState.Probe,
        payload: [UInt8]?,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        // Nothing is kept of a member that Serf has forgotten: nobody would ever clear it away.
        guard table[probe.target]?.isMember ?? false else { return }
        let roundTrip = turn.now - probe.sent
        counters.probeRoundTrips.record(roundTrip)
        let place = payload.flatMap { $0.isEmpty ? nil : coordinate(in: $0) }
        coordinates.learn(from: probe.target, roundTrip: roundTrip, reported: place, using: &turn.random)
    }

    /// The coordinate that an ack carries; nil, and counted, when it is none.
    private mutating func coordinate(in payload: [UInt8]) -> Coordinate? {
        do throws(DecodeError) {
            if let place = Coordinate(try CoordinatePayload(payload: payload)) { return place }
        } catch {
            // Counted below, whatever is wrong with it.
        }
        counters.drops.add(.coordinate)
        return nil
    }
}

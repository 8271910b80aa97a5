internal import WeftCore

/// Streams: dialling, one message each way, and all the ways in which that goes wrong.
extension Simulation {
    func dial(
        _ stream: UInt64,
        from index: Int,
        to target: Int,
        _ packet: Process.Packet,
        deadline: Instant,
        expectsReply: Bool
    ) {
        let host = hosts[index]
        record(4, index, packet.byteCount)
        lastConnection += 1
        connections[lastConnection] = Connection(
            dialler: index,
            diallerLife: host.life,
            diallerStream: stream,
            target: target,
            request: packet,
            deadline: max(now, host.clock.global(deadline)),
            expectsReply: expectsReply
        )
        events.add(.diallerFails(connection: lastConnection, .timedOut), at: max(now, host.clock.global(deadline)))
        connect(lastConnection, 0)
    }

    /// Tries to connect; TCP does so after 1, 3, 7 and so on seconds again.
    func connect(_ number: Int, _ attempt: Int) {
        guard let connection = connections[number], hosts[connection.dialler].life == connection.diallerLife else {
            connections[number] = nil
            return
        }
        guard hosts.indices.contains(connection.target) else {
            fail(number, .unreachable, after: .milliseconds(1))
            return
        }
        let fate = attempt == 0 ? drawFate() : .normal
        let roundTrip = network.handshake(from: connection.dialler, to: connection.target, using: &random)
        guard fate != .swallowed, let roundTrip, hosts[connection.target].isPowered else {
            guard attempt < 6, fate != .swallowed else { return }
            events.add(.connect(connection: number, attempt: attempt + 1), at: now + .seconds(1 << attempt))
            return
        }
        guard fate != .refused, hosts[connection.target].process != nil else {
            fail(number, .unreachable, after: roundTrip)
            return
        }
        sendRequest(number, after: roundTrip, fate)
    }

    private enum Fate { case normal, refused, swallowed, broken, stalled }

    private func drawFate() -> Fate {
        let conditions = network.streams
        guard conditions != StreamConditions() else { return .normal }
        if random.chance(conditions.refused) { return .refused }
        if random.chance(conditions.swallowed) { return .swallowed }
        if random.chance(conditions.broken) { return .broken }
        return random.chance(conditions.stalled) ? .stalled : .normal
    }

    private func sendRequest(_ number: Int, after roundTrip: Duration, _ fate: Fate) {
        guard let connection = connections[number] else { return }
        hosts[connection.dialler].sent.addStreamMessage(connection.request.byteCount)
        connections[number]?.acceptorLife = hosts[connection.target].life
        switch fate {
        case .broken:
            addVainAccept(connection.target, after: roundTrip, .closed, wait: .milliseconds(1))
            fail(number, .closed, after: roundTrip)
        case .stalled: addVainAccept(connection.target, after: roundTrip, .timedOut, wait: Self.acceptTimeout)
        case .normal, .refused, .swallowed:
            let transfer = network.transfer(
                connection.request.byteCount,
                from: connection.dialler,
                to: connection.target,
                using: &random
            )
            events.add(.request(connection: number), at: now + roundTrip + (transfer ?? .milliseconds(200)))
        }
    }

    private func addVainAccept(
        _ target: Int,
        after delay: Duration,
        _ failure: SimulatedStreamFailure,
        wait: Duration
    ) {
        let life = hosts[target].life
        events.add(.acceptInVain(host: target, life: life, failure, wait: wait), at: now + delay)
    }

    /// How long a shell waits for the message on a stream that it accepted.
    private static var acceptTimeout: Duration { .seconds(10) }

    private func fail(_ number: Int, _ failure: SimulatedStreamFailure, after delay: Duration) {
        events.add(.diallerFails(connection: number, failure), at: now + delay)
    }
}

// MARK: - Both ends

extension Simulation {
    func deliverRequest(_ number: Int, _ event: Event) {
        guard let connection = connections[number] else { return }
        let host = hosts[connection.target]
        guard host.life == connection.acceptorLife, host.process != nil else {
            if host.isPowered { fail(number, .closed, after: .milliseconds(1)) }
            return
        }
        guard network.isOpen(from: connection.dialler, to: connection.target) else {
            // TCP keeps trying for as long as anybody waits.
            if now < connection.deadline { events.add(event, at: now + .milliseconds(500)) }
            return
        }
        guard !waits(event, at: connection.target) else { return }
        record(5, connection.target, connection.request.byteCount)
        guard let stream = call(connection.target, { $0.streamAccepted(&$1) }) ?? nil else {
            fail(number, .closed, after: .milliseconds(1))
            return
        }
        host.accepted[stream] = number
        call(connection.target) { $0.streamReceived(connection.request, on: stream, &$1) }
        if !connection.expectsReply { connections[number] = nil }
    }

    func reply(_ packet: Process.Packet, on stream: UInt64, from index: Int) {
        guard let number = hosts[index].accepted[stream], let connection = connections[number] else { return }
        record(6, index, packet.byteCount)
        hosts[index].sent.addStreamMessage(packet.byteCount)
        connections[number]?.hasReplied = true
        let transfer = network.transfer(packet.byteCount, from: index, to: connection.dialler, using: &random)
        events.add(.answer(packet, connection: number), at: now + (transfer ?? .milliseconds(200)))
    }

    func deliverAnswer(_ packet: Process.Packet, _ number: Int, _ event: Event) {
        guard let connection = connections[number] else { return }
        let host = hosts[connection.dialler]
        guard host.life == connection.diallerLife, host.process != nil else {
            connections[number] = nil
            return
        }
        guard network.isOpen(from: connection.target, to: connection.dialler) else {
            if now < connection.deadline { events.add(event, at: now + .milliseconds(500)) }
            return
        }
        guard !waits(event, at: connection.dialler) else { return }
        connections[number] = nil
        record(7, connection.dialler, packet.byteCount)
        call(connection.dialler) { $0.streamReceived(packet, on: connection.diallerStream, &$1) }
    }

    func failDialler(_ number: Int, _ failure: SimulatedStreamFailure, _ event: Event) {
        guard let connection = connections[number] else { return }
        let host = hosts[connection.dialler]
        guard host.life == connection.diallerLife, host.process != nil else {
            connections[number] = nil
            return
        }
        guard !waits(event, at: connection.dialler) else { return }
        connections[number] = nil
        record(8, connection.dialler, 0)
        call(connection.dialler) { $0.streamFailed(connection.diallerStream, failure, &$1) }
    }

    /// The target accepts a stream on which no message will ever be complete.
    func acceptInVain(_ index: Int, _ life: Int, _ failure: SimulatedStreamFailure, _ wait: Duration, _ event: Event) {
        guard hosts[index].life == life, hosts[index].process != nil, !waits(event, at: index) else { return }
        guard let stream = call(index, { $0.streamAccepted(&$1) }) ?? nil else { return }
        events.add(.acceptorFails(host: index, life: life, stream: stream, failure), at: now + wait)
    }

    func failAcceptor(_ index: Int, _ life: Int, _ stream: UInt64, _ failure: SimulatedStreamFailure, _ event: Event) {
        guard hosts[index].life == life, hosts[index].process != nil, !waits(event, at: index) else { return }
        record(9, index, 0)
        call(index) { $0.streamFailed(stream, failure, &$1) }
    }

    func close(_ stream: UInt64, at index: Int) {
        if let number = hosts[index].accepted.removeValue(forKey: stream) {
            guard let connection = connections[number], connection.expectsReply, !connection.hasReplied else { return }
            fail(number, .closed, after: .milliseconds(1))
        }
    }
}

internal import WeftCore

/// Probing and gossip (serf-protocol.md sections 6.5 and 6.6).
extension ModelProcess {
    /// One tick in each interval, whatever the health; a probe that is still under way delays the next one.
    mutating func probeTick(at time: Instant, _ context: inout Context) {
        let next = time + rules.probeInterval
        timers.add(.probe, at: next > context.now ? next : context.now + rules.probeInterval)
        if probe == nil { startProbe(&context) } else { missedProbe = true }
    }

    private mutating func startProbe(_ context: inout Context) {
        missedProbe = false
        guard let target = nextTarget(&context) else { return }
        let interval = rules.probeInterval * (health + 1)
        lastSequence += 1
        probe = Probe(sequence: lastSequence, target: target, end: context.now + interval)
        timers.add(.probeTimeout(lastSequence), at: context.now + rules.probeTimeout)
        timers.add(.probeEnd(lastSequence), at: context.now + interval)
        let ping = ModelMessage.ping(sequence: lastSequence)
        if records[target].state == .suspect, rules.lifeguard {
            let node = Int32(target)
            let incarnation = records[target].incarnation
            let suspect = ModelMessage.suspect(node, incarnation: incarnation, from: Int32(own))
            context.actions.append(.send(ModelPacket([ping, suspect], hasChecksum: true), to: target))
        } else {
            send([ping], to: target, &context)
        }
    }

    /// Everybody once per round, in another order each round.
    private mutating func nextTarget(_ context: inout Context) -> Int? {
        let count = records.count
        for _ in 0..<(2 * count) {
            if round % count == 0 {
                listed = count - deadSince.values.count { context.now - $0 > rules.gossipToTheDead }
                offset = context.random.number(0...count - 1)
                repeat { stride = context.random.number(1...max(1, count - 1)) } while !Self.areCoprime(stride, count)
            }
            let target = ((round % count) * stride + offset) % count
            round += 1
            if target != own, records[target].state != .dead { return target }
        }
        return nil
    }

    private static func areCoprime(_ left: Int, _ right: Int) -> Bool {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left == 1
    }

    mutating func handleAck(_ sequence: UInt32, _ context: inout Context) {
        if probe?.sequence == sequence {
            probe = nil
            health = max(0, health - 1)
            if missedProbe { startProbe(&context) }
        } else if let request = relayed.removeValue(forKey: sequence) {
            send([.ack(sequence: request.sequence)], to: request.requester, &context)
        }
    }

    mutating func probeIndirectly(_ context: inout Context) {
        guard let probe else { return }
        let target = probe.target
        let peers = sample(rules.indirectChecks, &context, except: target) { $0 == .alive }
        if rules.lifeguard { self.probe?.expectedNacks = peers.count }
        for peer in peers {
            send([.indirectPing(sequence: probe.sequence, target: Int32(target))], to: peer, &context)
        }
        lastStream += 1
        let ping = ModelPacket([.ping(sequence: probe.sequence)])
        context.actions.append(.dial(lastStream, to: target, ping, deadline: probe.end, expectsReply: true))
    }

    mutating func relay(_ sequence: UInt32, _ target: Int, for requester: Int, _ context: inout Context) {
        lastSequence += 1
        relayed[lastSequence] = (requester, sequence)
        timers.add(.relayTimeout(lastSequence), at: context.now + rules.probeTimeout)
        send([.ping(sequence: lastSequence)], to: target, &context)
    }

    mutating func endProbe(_ context: inout Context) {
        guard let probe else { return }
        self.probe = nil
        defer { if missedProbe { startProbe(&context) } }
        guard !probe.streamAnswered else {
            health = max(0, health - 1)
            return
        }
        let penalty = probe.expectedNacks > 0 ? max(0, probe.expectedNacks - probe.nacks) : 1
        health = min(rules.healthMaximum, health + penalty)
        handleSuspect(Int32(probe.target), records[probe.target].incarnation, from: Int32(own), &context)
    }

    mutating func gossip(_ context: inout Context) {
        gossipIsArmed = false
        nextGossip = nextGossip + rules.gossipInterval
        let now = context.now
        let targets = sample(rules.gossipNodes, &context) { state, member in
            state != .dead || deadSince[member].map { now - $0 <= rules.gossipToTheDead } ?? false
        }
        for target in targets {
            let batch = queue.take(budget: rules.budget - 2, limit: rules.retransmits(listed))
            guard !batch.isEmpty else { return }
            context.actions.append(.send(ModelPacket(batch, hasChecksum: true), to: target))
        }
    }

    /// Sends with news in the room that is left.
    mutating func send(_ messages: [ModelMessage], to target: Int, _ context: inout Context) {
        let used = messages.reduce(2) { $0 + $1.byteCount + 2 }
        let news =
            queue.isEmpty ? [] : queue.take(budget: rules.budget - used, limit: rules.retransmits(listed))
        context.actions.append(.send(ModelPacket(messages + news), to: target))
    }
}

// MARK: - Choosing

extension ModelProcess {
    mutating func sample(
        _ count: Int,
        _ context: inout Context,
        except other: Int? = nil,
        where matches: (ModelRecord.State) -> Bool
    ) -> [Int] {
        sample(count, &context) { state, member in member != other && matches(state) }
    }

    /// Random members, each once; memberlist guesses up to three times the number of members.
    private func sample(
        _ count: Int,
        _ context: inout Context,
        where matches: (ModelRecord.State, Int) -> Bool
    ) -> [Int] {
        var chosen: [Int] = []
        for _ in 0..<(3 * records.count) where chosen.count < count {
            let member = context.random.number(0...records.count - 1)
            guard member != own, !chosen.contains(member), matches(records[member].state, member) else { continue }
            chosen.append(member)
        }
        return chosen
    }
}

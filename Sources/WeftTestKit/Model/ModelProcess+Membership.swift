internal import WeftCore

/// Claims about members: alive, suspect, dead (serf-protocol.md sections 6.1 to 6.4), and user events.
extension ModelProcess {
    mutating func handle(_ message: ModelMessage, from host: Int, _ context: inout Context) {
        switch message {
        case .ping(let sequence): send([.ack(sequence: sequence)], to: host, &context)
        case .indirectPing(let sequence, let target): relay(sequence, Int(target), for: host, &context)
        case .ack(let sequence): handleAck(sequence, &context)
        case .nack(let sequence): if probe?.sequence == sequence { probe?.nacks += 1 }
        case .alive(let node, let incarnation, let tags): handleAlive(node, incarnation, tags, &context)
        case .suspect(let node, let incarnation, let from): handleSuspect(node, incarnation, from: from, &context)
        case .dead(let node, let incarnation, let from): handleDead(node, incarnation, from: from, &context)
        case .event(let number): handleEvent(number, &context)
        case .state: break
        }
    }

    /// Sends a user event.
    package mutating func sendEvent(_ number: Int, _ context: inout Context) {
        handleEvent(Int32(number), &context)
        arm(&context)
    }

    private mutating func handleEvent(_ number: Int32, _ context: inout Context) {
        guard knownEvents.insert(number).inserted else { return }
        context.actions.append(.report(.event(Int(number))))
        queue.add(.event(number))
    }

    /// Announces new tags.
    package mutating func setTags(_ tags: UInt32, _ context: inout Context) {
        records[own].tags = tags
        records[own].incarnation += 1
        announce()
        arm(&context)
    }

    private mutating func announce() {
        queue.add(.alive(Int32(own), incarnation: records[own].incarnation, tags: records[own].tags))
    }

    private mutating func refute(_ accused: UInt32) {
        records[own].incarnation = max(records[own].incarnation, accused) + 1
        health = min(rules.healthMaximum, health + 1)
        announce()
    }

    mutating func handleAlive(_ node: Int32, _ incarnation: UInt32, _ tags: UInt32, _ context: inout Context) {
        let member = Int(node)
        guard member != own else { return }
        let known = records[member]
        guard incarnation > known.incarnation else { return }
        suspicions[member] = nil
        deadSince[member] = nil
        records[member] = ModelRecord(incarnation: incarnation, tags: tags, state: .alive)
        queue.add(.alive(node, incarnation: incarnation, tags: tags))
        if known.state == .dead { context.actions.append(.report(.alive(member))) }
        if known.tags != tags { context.actions.append(.report(.tags(of: member, tags))) }
    }

    mutating func handleSuspect(_ node: Int32, _ incarnation: UInt32, from: Int32, _ context: inout Context) {
        let member = Int(node)
        guard incarnation >= records[member].incarnation else { return }
        if suspicions[member] != nil {
            confirm(member, incarnation, from)
            return
        }
        guard records[member].state == .alive else { return }
        guard member != own else { return refute(incarnation) }
        records[member].state = .suspect
        records[member].incarnation = incarnation
        queue.add(.suspect(node, incarnation: incarnation, from: from))
        let deadline = context.now + rules.suspicion(listed, confirmations: 0)
        suspicions[member] = ModelSuspicion(began: context.now, deadline: deadline, accusers: [from])
        timers.add(.suspicion(member), at: deadline)
    }

    private mutating func confirm(_ member: Int, _ incarnation: UInt32, _ from: Int32) {
        guard var suspicion = suspicions[member] else { return }
        let wanted = rules.wantedConfirmations(listed)
        guard suspicion.accusers.count <= wanted, !suspicion.accusers.contains(from) else { return }
        suspicion.accusers.append(from)
        let confirmations = suspicion.accusers.count - 1
        suspicion.deadline = suspicion.began + rules.suspicion(listed, confirmations: confirmations)
        suspicions[member] = suspicion
        timers.add(.suspicion(member), at: suspicion.deadline)
        queue.add(.suspect(Int32(member), incarnation: incarnation, from: from))
    }

    mutating func suspicionTimedOut(_ member: Int, at time: Instant, _ context: inout Context) {
        guard let suspicion = suspicions[member], suspicion.deadline <= time else { return }
        suspicions[member] = nil
        handleDead(Int32(member), records[member].incarnation, from: Int32(own), &context)
    }

    private mutating func handleDead(_ node: Int32, _ incarnation: UInt32, from: Int32, _ context: inout Context) {
        let member = Int(node)
        guard incarnation >= records[member].incarnation, records[member].state != .dead else { return }
        guard member != own else { return refute(incarnation) }
        suspicions[member] = nil
        deadSince[member] = context.now
        records[member].state = .dead
        records[member].incarnation = incarnation
        queue.add(.dead(node, incarnation: incarnation, from: from))
        context.actions.append(.report(.failed(member, incarnation: incarnation)))
    }
}

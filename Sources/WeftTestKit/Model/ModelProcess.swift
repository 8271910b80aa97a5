internal import WeftCore

/// A member of a memberlist pool, after memberlist's documentation and the SWIM and Lifeguard papers, for comparison: what
/// weft's core does must be at least as good as this.
///
/// It shares no code with the core. Members are numbers, everybody knows everybody from the start, messages are values
/// with the length that the real ones have. It probes, suspects, refutes, gossips and exchanges state; it has no Serf
/// layer but user events and tags.
package struct ModelProcess: SimulatedProcess {
    package typealias Packet = ModelPacket
    package typealias Report = ModelReport

    let own: Int
    let rules: ModelRules
    var records: [ModelRecord]
    /// Since when dead members are dead, to gossip to them for a while; never iterated.
    var deadSince: [Int: Instant] = [:]
    /// Members that count for the formulas: the dead are forgotten after a while, when a round begins.
    var listed: Int
    var queue = ModelQueue()
    var health = 0
    var suspicions: [Int: ModelSuspicion] = [:]
    var knownEvents: Set<Int32> = []
    var timers = EventQueue<Timer>()
    var probe: Probe?
    /// A probe was due while the last one ran.
    var missedProbe = false
    /// The order of one round: member number round x `stride` + `offset`, modulo the number of members.
    var round = 0
    var stride = 1
    var offset = 0
    var lastSequence: UInt32 = 0
    /// Pings on behalf of others; never iterated.
    var relayed: [UInt32: (requester: Int, sequence: UInt32)] = [:]
    var lastStream: UInt64 = 0
    var gossipIsArmed = false
    var nextGossip = Instant(nanoseconds: 0)

    enum Timer {
        case probe
        case probeTimeout(UInt32)
        case probeEnd(UInt32)
        case relayTimeout(UInt32)
        case gossip
        case suspicion(Int)
        case exchange
    }

    struct Probe {
        let sequence: UInt32
        let target: Int
        let end: Instant
        var expectedNacks = 0
        var nacks = 0
        var streamAnswered = false
    }

    /// A member of a pool of `count` who all know each other.
    package init(own: Int, count: Int, rules: ModelRules) {
        self.own = own
        self.rules = rules
        listed = count
        records = Array(repeating: ModelRecord(incarnation: 1, tags: 0, state: .alive), count: count)
    }

    package mutating func start(_ context: inout Context) {
        nextGossip = context.now + context.random.duration(.zero...rules.gossipInterval)
        timers.add(.probe, at: context.now + context.random.duration(.zero...rules.probeInterval))
        let exchange = rules.exchangeInterval(listed)
        timers.add(.exchange, at: context.now + exchange + context.random.duration(.zero...rules.pushPullInterval))
        arm(&context)
    }

    package mutating func timerFired(_ context: inout Context) {
        while let next = timers.nextTime, next <= context.now, let timer = timers.removeFirst()?.event {
            switch timer {
            case .probe: probeTick(at: next, &context)
            case .probeTimeout(let sequence): if probe?.sequence == sequence { probeIndirectly(&context) }
            case .probeEnd(let sequence): if probe?.sequence == sequence { endProbe(&context) }
            case .relayTimeout(let sequence):
                guard let request = relayed.removeValue(forKey: sequence) else { break }
                send([.nack(sequence: request.sequence)], to: request.requester, &context)
            case .gossip: gossip(&context)
            case .suspicion(let member): suspicionTimedOut(member, at: next, &context)
            case .exchange:
                timers.add(.exchange, at: context.now + rules.exchangeInterval(listed))
                if let peer = sample(1, &context, where: { $0 == .alive }).first { exchange(with: peer, &context) }
            }
        }
        arm(&context)
    }

    package mutating func datagramReceived(_ packet: ModelPacket, from host: Int, _ context: inout Context) {
        for message in packet.messages { handle(message, from: host, &context) }
        arm(&context)
    }

    /// Sets the timer of gossip while there is news, and asks for the next call.
    mutating func arm(_ context: inout Context) {
        if !gossipIsArmed, !queue.isEmpty {
            while nextGossip <= context.now { nextGossip = nextGossip + rules.gossipInterval }
            gossipIsArmed = true
            timers.add(.gossip, at: nextGossip)
        }
        if let next = timers.nextTime { context.actions.append(.wake(at: next)) }
    }
}

// MARK: - Streams

extension ModelProcess {
    package mutating func streamAccepted(_ context: inout Context) -> UInt64? {
        lastStream += 1
        return lastStream
    }

    package mutating func streamReceived(_ packet: ModelPacket, on stream: UInt64, _ context: inout Context) {
        defer { arm(&context) }
        switch packet.messages.first {
        case .ping(let sequence):
            context.actions += [.reply(stream, ModelPacket([.ack(sequence: sequence)])), .close(stream)]
        case .ack(let sequence): if probe?.sequence == sequence { probe?.streamAnswered = true }
        case .state(let others, let isReply):
            if !isReply {
                context.actions += [.reply(stream, ModelPacket([.state(records, isReply: true)])), .close(stream)]
            }
            merge(others, &context)
        default: break
        }
    }

    package mutating func streamFailed(
        _ stream: UInt64,
        _ failure: SimulatedStreamFailure,
        _ context: inout Context
    ) {}

    /// Exchanges everything with a member.
    mutating func exchange(with peer: Int, _ context: inout Context) {
        lastStream += 1
        let packet = ModelPacket([.state(records, isReply: false)])
        let deadline = context.now + .seconds(10)
        context.actions.append(.dial(lastStream, to: peer, packet, deadline: deadline, expectsReply: true))
    }

    private mutating func merge(_ others: [ModelRecord], _ context: inout Context) {
        for (member, record) in others.enumerated() {
            let node = Int32(member)
            switch record.state {
            case .alive: handleAlive(node, record.incarnation, record.tags, &context)
            case .suspect, .dead: handleSuspect(node, record.incarnation, from: Int32(own), &context)
            }
        }
    }
}

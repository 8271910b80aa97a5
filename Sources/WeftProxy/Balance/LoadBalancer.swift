package import WeftCore

/// Chooses an endpoint of one group for each request, by what earlier requests showed, on one event loop.
///
/// - **Choice**: two endpoints are drawn at random and the one that costs less is taken (Mitzenmacher, The Power of Two
///   Choices, 2001); the cost is that of `EndpointLoad`. Weights, slow start, nearness and consistent hashing change who
///   is drawn, never how one is measured. See `pick`.
/// - **Health**: gossip's word and the traffic's (`OutlierRecord`) have to be good, both. An ejected endpoint gets one
///   request as a probe when its time is up. At most half of a group is out by traffic's word, and when fewer than half
///   are well by both words, health is ignored: the others could not carry the load.
///
/// It is not a pool: it knows no connections, and a request that is refused for want of one never gets here.
///
/// One for each group and event loop, touched on that loop only; nothing is shared, and `EndpointSummary` adds loops up.
/// A request goes `pick` -> `started` -> `answered` -> `ended`, the last exactly once, whatever happens; none of them
/// allocates. Endpoints come and go by `update`; what is known of those that stay is kept, and tickets of those that went
/// are void.
package struct LoadBalancer<ID: Hashable & Sendable>: Sendable {
    package let settings: BalanceSettings
    let decay: Decay
    var slots: [EndpointSlot] = []
    /// Slots without an endpoint.
    var free: [UInt32] = []
    /// The identity in each slot; nil where it is free.
    var identities: [ID?] = []
    var places: [ID: UInt32] = [:]
    var roster = Roster()
    /// Pending requests of all endpoints.
    var pendingTotal = 0

    package init(_ settings: BalanceSettings = BalanceSettings()) {
        self.settings = settings
        decay = Decay(over: settings.decay)
    }

    package var count: Int { places.count }

    /// Whether fewer than half of the endpoints are well, and health is ignored.
    package var isPanicking: Bool { roster.isPanicking }

    // MARK: The life of a request

    /// The request is about to be sent, or its connection about to be dialled. Nil when the endpoint is gone by now.
    package mutating func started(_ choice: Choice, at now: Instant) -> Ticket? {
        guard holds(choice.place) else { return nil }
        let slot = choice.place.slot
        // Of two choices made before either started, one is the probe.
        let isProbe = choice.isProbe && isDue(slot, isRetryable: true, at: now)
        if isProbe {
            slots[slot].outlier.probeStarted(at: now)
            roster.refreshProbeTimes(slots, settings)
        }
        slots[slot].load.started(at: now)
        pendingTotal += 1
        return Ticket(endpoint: choice.endpoint, place: choice.place, started: now, isProbe: isProbe)
    }

    /// The first byte of an answer came. `verdict` is what its head says: one against the endpoint counts at once, a good
    /// one is good so far (gRPC has its status at the end, and a body may break off), and enough for a probe, as the end
    /// of a stream may be hours away.
    package mutating func answered(
        _ ticket: inout Ticket,
        _ verdict: RequestVerdict,
        at now: Instant,
        using rng: inout some RandomNumberGenerator
    ) {
        guard ticket.phase == .started else { return }
        ticket.phase = .answered
        guard holds(ticket.place) else { return }
        slots[ticket.place.slot].load.settled(at: now)
        switch verdict {
        case .success:
            let latency = now - ticket.started
            slots[ticket.place.slot].load.sample { $0.observe(latency, at: now, decay: decay) }
            if ticket.isProbe { judgeProbe(&ticket, .success, at: now, using: &rng) }
        case .failure, .limited: judge(&ticket, verdict, at: now, using: &rng)
        case .abandoned: break
        }
    }

    /// The request is over, or was given up. Each request counts once: not again if its head spoke against the endpoint.
    package mutating func ended(
        _ ticket: inout Ticket,
        _ verdict: RequestVerdict,
        at now: Instant,
        using rng: inout some RandomNumberGenerator
    ) {
        guard ticket.phase != .ended else { return }
        let isUnanswered = ticket.phase == .started
        ticket.phase = .ended
        guard holds(ticket.place) else { return }
        if isUnanswered { slots[ticket.place.slot].load.settled(at: now) }
        slots[ticket.place.slot].load.ended()
        pendingTotal -= 1
        if isUnanswered, verdict == .abandoned {
            // Clients that give up on a hanging endpoint must not make it look idle.
            let wait = now - ticket.started
            slots[ticket.place.slot].load.sample { $0.observeAtLeast(wait, at: now, decay: decay) }
        }
        judge(&ticket, verdict, at: now, using: &rng)
    }

    /// The try was not made after all, and its time says nothing of the endpoint.
    package mutating func withdrawn(_ ticket: inout Ticket, at now: Instant) {
        guard ticket.phase != .ended else { return }
        let isUnanswered = ticket.phase == .started
        ticket.phase = .ended
        guard holds(ticket.place) else { return }
        let slot = ticket.place.slot
        if isUnanswered { slots[slot].load.settled(at: now) }
        slots[slot].load.ended()
        pendingTotal -= 1
        guard ticket.isProbe, !slots[slot].outlier.isServing else { return }
        slots[slot].outlier.probeAbandoned(at: now)
        roster.refreshProbeTimes(slots, settings)
    }

    // MARK: Verdicts

    private mutating func judge(
        _ ticket: inout Ticket,
        _ verdict: RequestVerdict,
        at now: Instant,
        using rng: inout some RandomNumberGenerator
    ) {
        guard !ticket.isJudged else { return }
        ticket.isJudged = true
        let slot = ticket.place.slot
        if let sample = verdict.sample(settings) {
            slots[slot].load.sample { $0.penalise(sample, at: now, decay: decay) }
        }
        guard !ticket.isProbe else { return judgeProbe(&ticket, verdict, at: now, using: &rng) }
        switch verdict {
        case .success: slots[slot].outlier.succeeded(at: now)
        case .failure:
            guard let rule = slots[slot].outlier.failed(at: now, settings), roster.mayEject else { return }
            eject(slot, for: rule, at: now, using: &rng)
        case .limited, .abandoned: break
        }
    }

    private mutating func judgeProbe(
        _ ticket: inout Ticket,
        _ verdict: RequestVerdict,
        at now: Instant,
        using rng: inout some RandomNumberGenerator
    ) {
        ticket.isProbe = false
        let slot = ticket.place.slot
        // It took too long, and another probe decided.
        guard !slots[slot].outlier.isServing else { return }
        switch verdict {
        case .success, .limited: readmit(slot, at: now)
        case .failure: eject(slot, for: .probe, at: now, using: &rng)
        case .abandoned:
            slots[slot].outlier.probeAbandoned(at: now)
            roster.refreshProbeTimes(slots, settings)
        }
    }

    private mutating func eject(
        _ slot: Int,
        for rule: OutlierRecord.Rule,
        at now: Instant,
        using rng: inout some RandomNumberGenerator
    ) {
        slots[slot].outlier.eject(for: rule, at: now, settings, using: &rng)
        roster.refresh(&slots, settings)
    }

    private mutating func readmit(_ slot: Int, at now: Instant) {
        slots[slot].readmit(at: now)
        roster.refresh(&slots, settings)
    }

    // MARK: Slots

    func holds(_ place: Place) -> Bool {
        slots.indices.contains(place.slot) && slots[place.slot].isTaken
            && slots[place.slot].generation == place.generation
    }

    /// Whether an ejected endpoint may be probed now.
    func isDue(_ slot: Int, isRetryable: Bool, at now: Instant) -> Bool {
        guard let time = slots[slot].probeTime(isRetryable: isRetryable, settings) else { return false }
        return time <= now
    }
}

package import WeftCore

extension LoadBalancer {
    /// The endpoint for a request; nil when there is none, or none that has not been tried yet. Changes nothing.
    ///
    /// In this order: an ejected endpoint whose time is up gets the request as its probe; a request with an affinity goes
    /// where that says; any other goes to the better one of two.
    ///
    /// - Parameters:
    ///   - affinity: Requests with the same key go to the same endpoint as long as it is well and not overloaded.
    ///   - tried: Where this request has failed already.
    ///   - isRetryable: Whether it could be tried again elsewhere. Such requests make the better probes: when one fails,
    ///     nobody notices.
    package func pick(
        affinity: AffinityKey? = nil,
        excluding tried: Tried = Tried(),
        isRetryable: Bool = false,
        at now: Instant,
        using rng: inout some RandomNumberGenerator
    ) -> Choice? {
        if let affinity { return pick(affinity, tried, isRetryable, at: now) }
        if let slot = probe(tried, isRetryable, at: now) { return choice(slot, isProbe: true) }
        let near = roster.near.isEmpty ? nil : nearPick(tried, at: now, using: &rng)
        guard let best = near ?? pairPick(from: roster.usable, tried, at: now, using: &rng) else { return nil }
        return choice(best, isProbe: false)
    }

    private func choice(_ slot: UInt32, isProbe: Bool) -> Choice? {
        guard let endpoint = identities[Int(slot)] else { return nil }
        return Choice(endpoint: endpoint, place: place(slot), isProbe: isProbe)
    }

    private func place(_ slot: UInt32) -> Place {
        Place(index: slot, generation: slots[Int(slot)].generation)
    }

    // MARK: Probes

    /// The ejected endpoint that has waited longest for its probe.
    private func probe(_ tried: Tried, _ isRetryable: Bool, at now: Instant) -> UInt32? {
        guard roster.isProbeDue(isRetryable: isRetryable, at: now) else { return nil }
        var longest: (slot: UInt32, since: Instant)?
        for slot in roster.all {
            guard let time = slots[Int(slot)].probeTime(isRetryable: isRetryable, settings), time <= now,
                !tried.contains(place(slot))
            else { continue }
            if longest.map({ time < $0.since }) ?? true { longest = (slot, time) }
        }
        return longest?.slot
    }

    // MARK: The better one of two

    /// Nil when all of the list have been tried.
    private func pairPick(
        from list: DrawList,
        _ tried: Tried,
        at now: Instant,
        using rng: inout some RandomNumberGenerator
    ) -> UInt32? {
        if tried.isEmpty, list.count > 1, !list.isWeighted {
            let (first, second) = list.drawPair(using: &rng)
            return better(first, second, at: now, using: &rng)
        }
        guard let first = list.draw(using: &rng, where: { !tried.contains(place($0)) }) else { return nil }
        guard let second = list.draw(using: &rng, where: { $0 != first && !tried.contains(place($0)) }) else {
            return first
        }
        return better(first, second, at: now, using: &rng)
    }

    /// `first` was drawn by weight, and stays unless `second` is better by the margin. A margin of 1 for equal weights
    /// makes this the plain choice of the cheaper one.
    private func better(
        _ first: UInt32,
        _ second: UInt32,
        at now: Instant,
        using rng: inout some RandomNumberGenerator
    ) -> UInt32 {
        let margin = roster.usable.isWeighted ? settings.weightMargin : 1
        let isFirst = cost(first, at: now) <= cost(second, at: now) * margin
        return isFirst
            ? warmed(first, or: second, at: now, using: &rng) : warmed(second, or: first, at: now, using: &rng)
    }

    /// `chosen`, or often the other one while `chosen` starts slowly. Its share is then at most that of its warmth, and
    /// its place among the drawn ones is not touched.
    private func warmed(
        _ chosen: UInt32,
        or other: UInt32,
        at now: Instant,
        using rng: inout some RandomNumberGenerator
    ) -> UInt32 {
        let warmth = slots[Int(chosen)].warmth(at: now, settings)
        guard warmth < 1, Double.random(in: 0..<1, using: &rng) >= warmth else { return chosen }
        let isOtherBearable = cost(other, at: now) <= assumedCost(chosen, at: now) * settings.slowStartMargin
        return isOtherBearable ? other : chosen
    }

    // MARK: Nearness

    /// The better one of two near endpoints, unless one of all costs far less; nil when all near ones have been tried.
    /// Nearness is a matter of cost and not of rank, or a lone endpoint on the caller's host would be run over while
    /// others idle.
    private func nearPick(_ tried: Tried, at now: Instant, using rng: inout some RandomNumberGenerator) -> UInt32? {
        guard let near = pairPick(from: roster.near, tried, at: now, using: &rng) else { return nil }
        guard let far = roster.usable.draw(using: &rng, where: { $0 != near && !tried.contains(place($0)) }) else {
            return near
        }
        if cost(near, at: now) > assumedCost(far, at: now) * settings.nearMargin { return far }
        // Alone, it has had no other to start slowly beside.
        return roster.near.count == 1 ? warmed(near, or: far, at: now, using: &rng) : near
    }

    // MARK: Consistent hashing

    /// The endpoint that the key wants most, of those that are well and hold no more than their part of what is pending;
    /// when all hold more, the most wanted one. One whose probe is due counts as well: only a request of its own is sent
    /// there, and not one that would be torn from its session.
    private func pick(_ key: AffinityKey, _ tried: Tried, _ isRetryable: Bool, at now: Instant) -> Choice? {
        var roomy: (slot: UInt32, score: Double)?
        var any: (slot: UInt32, score: Double)?
        let isProbing = roster.isProbeDue(isRetryable: isRetryable, at: now)
        let isWeighted = roster.usable.isWeighted
        for slot in roster.all {
            let index = Int(slot)
            guard slots[index].isUsable || isProbing && isDue(index, isRetryable: isRetryable, at: now),
                tried.isEmpty || !tried.contains(place(slot))
            else { continue }
            let score = key.score(of: slots[index].hash, weight: slots[index].weight, isWeighted: isWeighted)
            if score > any?.score ?? -1 { any = (slot, score) }
            if score > roomy?.score ?? -1, hasRoom(index) { roomy = (slot, score) }
        }
        guard let best = (roomy ?? any)?.slot else { return nil }
        return choice(best, isProbe: isProbing && isDue(Int(best), isRetryable: isRetryable, at: now))
    }

    /// Whether one more request leaves an endpoint within its part.
    private func hasRoom(_ slot: Int) -> Bool {
        let pending = slots[slot].load.pending
        guard pending >= settings.affinityPendingFree else { return true }
        let part = Double(slots[slot].weight) / roster.usable.weightMean / Double(roster.usable.count)
        return Double(pending + 1) <= (Double(pendingTotal + 1) * part * settings.affinityLoadFactor).rounded(.up)
    }

    // MARK: Cost

    private func cost(_ slot: UInt32, at now: Instant) -> Double {
        slots[Int(slot)].load.cost(at: now, weight: share(slot), decay: decay)
    }

    private func assumedCost(_ slot: UInt32, at now: Instant) -> Double {
        slots[Int(slot)].load.assumedCost(at: now, weight: share(slot), decay: decay)
    }

    /// The weight related to the mean.
    private func share(_ slot: UInt32) -> Double {
        roster.usable.isWeighted ? Double(slots[Int(slot)].weight) / roster.usable.weightMean : 1
    }
}

package import WeftCore

extension LoadBalancer {
    /// Takes over the endpoints of the group as they are now. What is known of those that stay is kept; new ones start
    /// slowly if there are others; requests at those that went can end as they like.
    ///
    /// Gives how many were left out because of `endpointsMax`; those in use stay in use. Linear; allocates when the group
    /// grows. Called when the catalogue has a new word on the group, or a new round-trip time that matters.
    @discardableResult
    package mutating func update(_ endpoints: [BalancedEndpoint<ID>], at now: Instant) -> Int {
        let isJoining = !places.isEmpty
        release(allBut: endpoints)
        var leftOut = 0
        for endpoint in endpoints {
            if let slot = places[endpoint.id] {
                let wasAgainst = slots[Int(slot)].word.isAgainst
                learn(endpoint, at: slot)
                if wasAgainst, endpoint.word == .healthy { slots[Int(slot)].recovered(at: now) }
            } else if places.count < settings.endpointsMax {
                let slot = freeSlot(at: now)
                slots[Int(slot)].take(start: settings.startLatency, isJoining: isJoining, at: now)
                learn(endpoint, at: slot)
            } else {
                leftOut += 1
            }
        }
        roster.setMembers(slots)
        readmitBeyondHalf(at: now)
        roster.refresh(&slots, settings)
        return leftOut
    }

    private mutating func learn(_ endpoint: BalancedEndpoint<ID>, at slot: UInt32) {
        // The key is written anew too: an identity may carry more than what it compares by.
        places.removeValue(forKey: endpoint.id)
        places[endpoint.id] = slot
        identities[Int(slot)] = endpoint.id
        slots[Int(slot)].learn(endpoint)
    }

    private mutating func release(allBut endpoints: [BalancedEndpoint<ID>]) {
        guard !places.isEmpty else { return }
        let staying = Set(endpoints.map(\.id))
        for index in slots.indices where slots[index].isTaken {
            guard let id = identities[index], !staying.contains(id) else { continue }
            places.removeValue(forKey: id)
            identities[index] = nil
            pendingTotal -= slots[index].load.pending
            slots[index].release()
            free.append(UInt32(index))
        }
    }

    private mutating func freeSlot(at now: Instant) -> UInt32 {
        if let slot = free.popLast() { return slot }
        slots.append(EndpointSlot(start: settings.startLatency, at: now))
        identities.append(nil)
        return UInt32(slots.count - 1)
    }

    /// Half of fewer endpoints are fewer: those that would be back first come back now.
    private mutating func readmitBeyondHalf(at now: Instant) {
        let group = roster.all.filter { slots[Int($0)].word != .draining }
        var ejected = group.filter { !slots[Int($0)].outlier.isServing }
        guard ejected.count * 2 > group.count else { return }
        func end(_ slot: UInt32) -> Instant {
            slots[Int(slot)].outlier.probeTime(isRetryable: true, settings) ?? now
        }
        ejected.sort { (end($0), $0) < (end($1), $1) }
        for slot in ejected.prefix(ejected.count - group.count / 2) { slots[Int(slot)].readmit(at: now) }
    }
}

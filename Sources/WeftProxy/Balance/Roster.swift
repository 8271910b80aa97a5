internal import WeftCore

/// Which endpoints of a group new requests go to. Made anew whenever a word about an endpoint changes, so that a choice
/// takes the same time for any number of endpoints.
struct Roster: Sendable {
    /// All endpoints, by slot.
    private(set) var all: [UInt32] = []
    /// Those for new requests: who is well, or everybody in a panic. Empty only when there are no endpoints.
    private(set) var usable = DrawList()
    /// The near ones of these; empty without locality, or where that makes no difference.
    private(set) var near = DrawList()
    /// Fewer than half are well, so health is ignored.
    private(set) var isPanicking = false
    /// When the next of the ejected may be probed, by a request that is retryable and by any; nil when none is ejected.
    private(set) var probeTimes: (retryable: Instant, any: Instant)?
    /// Endpoints that want new requests, well or not.
    private var groupCount = 0
    /// Those of them that are out, by gossip's word or by traffic's.
    private var outCount = 0

    /// Whether one more may be ejected: half of the group stays. What gossip says counts too, as beyond half the panic
    /// rule would bring all the bad ones back.
    var mayEject: Bool { (outCount + 1) * 2 <= groupCount }

    /// The members changed; `refresh` has to follow.
    mutating func setMembers(_ slots: [EndpointSlot]) {
        all.removeAll(keepingCapacity: true)
        for index in slots.indices where slots[index].isTaken { all.append(UInt32(index)) }
    }

    /// A word about a member changed.
    mutating func refresh(_ slots: inout [EndpointSlot], _ settings: BalanceSettings) {
        count(slots)
        isPanicking = (groupCount - outCount) * 2 < groupCount
        usable.removeAll()
        for slot in all {
            let isUsable = isUsable(slots[Int(slot)])
            slots[Int(slot)].isUsable = isUsable
            if isUsable { usable.append(slot) }
        }
        usable.weigh { slots[Int($0)].weight }
        near.removeAll()
        if settings.prefersNear { findNear(slots, settings) }
        refreshProbeTimes(slots, settings)
    }

    /// The state of an ejected member changed, and nothing else.
    mutating func refreshProbeTimes(_ slots: [EndpointSlot], _ settings: BalanceSettings) {
        probeTimes = nil
        for slot in all {
            guard let retryable = slots[Int(slot)].probeTime(isRetryable: true, settings),
                let any = slots[Int(slot)].probeTime(isRetryable: false, settings)
            else { continue }
            probeTimes = (min(retryable, probeTimes?.retryable ?? retryable), min(any, probeTimes?.any ?? any))
        }
    }

    /// Whether there may be an ejected endpoint for a request to probe. Nearly always not, and this is all it costs.
    func isProbeDue(isRetryable: Bool, at now: Instant) -> Bool {
        guard let probeTimes else { return false }
        return (isRetryable ? probeTimes.retryable : probeTimes.any) <= now
    }

    private mutating func count(_ slots: [EndpointSlot]) {
        groupCount = 0
        outCount = 0
        for slot in all where slots[Int(slot)].word != .draining {
            groupCount += 1
            if slots[Int(slot)].word.isAgainst || !slots[Int(slot)].outlier.isServing { outCount += 1 }
        }
    }

    private func isUsable(_ slot: EndpointSlot) -> Bool {
        // Everybody drains: trying beats giving up.
        guard groupCount > 0 else { return true }
        return slot.word != .draining && (isPanicking || !slot.word.isAgainst && slot.outlier.isServing)
    }

    /// Those on this host; if there are none, those about as near as the nearest.
    private mutating func findNear(_ slots: [EndpointSlot], _ settings: BalanceSettings) {
        var nearest: Duration?
        for slot in usable.slots {
            guard let time = slots[Int(slot)].roundTrip else { continue }
            nearest = min(time, nearest ?? time)
        }
        guard let nearest else { return }
        let isHere = usable.slots.contains { slots[Int($0)].distance == .here }
        let limit = max(nearest * settings.nearSpread, nearest + settings.nearSlack)
        for slot in usable.slots {
            let isNear = isHere ? slots[Int(slot)].distance == .here : slots[Int(slot)].roundTrip.map { $0 <= limit }
            if isNear == true { near.append(slot) }
        }
        near.weigh { slots[Int($0)].weight }
        if near.count == usable.count { near.removeAll() }
    }
}

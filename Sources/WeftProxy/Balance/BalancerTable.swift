package import WeftCore

/// The balancers of one event loop, one for each group that it sends requests to, made when the first one comes.
///
/// Bounded: the group that has been idle longest makes room, and starts afresh if it is needed again. One with pending
/// requests is given up only when all have some; their tickets are void then, and nothing else is lost.
package struct BalancerTable<Group: Hashable & Sendable, ID: Hashable & Sendable>: Sendable {
    private struct Entry: Sendable {
        var balancer: LoadBalancer<ID>
        var used: Instant
    }

    /// Groups that are kept at most.
    package let groupsMax: Int
    private var entries: [Group: Entry] = [:]

    /// `groupsMax` is at least 1. Some hundred bytes for each endpoint of each group.
    package init(groupsMax: Int = 1024) { self.groupsMax = max(1, groupsMax) }

    package var count: Int { entries.count }

    /// The groups that have a balancer, in no order: for updates and summaries.
    package var groups: some Collection<Group> { entries.keys }

    /// The group's balancer, changed in place; nil when there is none yet, or none any more.
    package mutating func with<Result>(
        _ group: Group,
        at now: Instant,
        _ body: (inout LoadBalancer<ID>) -> Result
    ) -> Result? {
        // By index, which changes the entry where it is: taken out, its arrays would be copied.
        guard let index = entries.index(forKey: group) else { return nil }
        entries.values[index].used = now
        return body(&entries.values[index].balancer)
    }

    /// Makes the group's balancer, if it has none, and tells it of its endpoints.
    package mutating func update(
        _ group: Group,
        _ endpoints: [BalancedEndpoint<ID>],
        settings: BalanceSettings = BalanceSettings(),
        at now: Instant
    ) {
        if entries[group] == nil {
            if entries.count >= groupsMax { removeIdlest() }
            entries[group] = Entry(balancer: LoadBalancer(settings), used: now)
        }
        guard let index = entries.index(forKey: group) else { return }
        entries.values[index].balancer.update(endpoints, at: now)
    }

    /// The group has no endpoints any more.
    package mutating func remove(_ group: Group) { entries[group] = nil }

    /// What this loop knows of the endpoints of all groups.
    package func summaries(at now: Instant) -> [EndpointSummary<ID>] {
        entries.values.flatMap { $0.balancer.summary(at: now) }
    }

    /// Linear, and rare: it takes more groups in use than anybody has services.
    private mutating func removeIdlest() {
        let idlest = entries.min {
            let (left, right) = ($0.value, $1.value)
            let (leftBusy, rightBusy) = (left.balancer.pendingTotal > 0, right.balancer.pendingTotal > 0)
            return leftBusy == rightBusy ? left.used < right.used : !leftBusy
        }
        if let idlest { entries[idlest.key] = nil }
    }
}

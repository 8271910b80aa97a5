internal import WeftCatalog
internal import WeftCore

/// The table behind a `WorkloadDirectory`: the tree's ids with their units, those of removed cgroups for a while, and
/// when to publish. Confined to the directory's thread; times are handed in.
final class WorkloadKeeper {
    let settings: WorkloadDirectorySettings
    /// Live and recently removed cgroups.
    private(set) var workloads: [CgroupID: Workload] = [:]

    private let tree: CgroupTree
    /// Removed cgroups in the order of their removal.
    private var retained: [(id: CgroupID, until: Instant)] = []
    /// Ids that a rescan did not find. An id is never used twice, so that they need no second look.
    private var unknown: Set<CgroupID> = []
    private var publishAt: Instant?
    private var rescanAt: Instant?

    private static let unknownMax = 4096

    init(mount: CgroupMount, settings: WorkloadDirectorySettings) throws(HostError) {
        self.settings = settings
        tree = try CgroupTree(
            mount: mount,
            directoriesMax: settings.directoriesMax,
            watchesMax: settings.watchesMax
        )
        for (id, path) in tree.takeChanges().appeared { workloads[id] = Workload(cgroupPath: path) }
        if !tree.isFullyWatched { rescanAt = Instant.now() + settings.rescanInterval }
    }

    var descriptor: CInt { tree.descriptor }
    var isFullyWatched: Bool { tree.isFullyWatched }

    /// When `refresh` or `takeTable` has something to do though no event arrived.
    var nextDeadline: Instant? {
        [publishAt, rescanAt, retained.first?.until].compactMap(\.self).min()
    }

    /// Takes in what has happened.
    func refresh(now: Instant) {
        tree.readEvents()
        if let rescanAt, rescanAt <= now { tree.rescan() }
        if tree.isFullyWatched {
            rescanAt = nil
        } else if rescanAt.map({ $0 <= now }) ?? true {
            rescanAt = now + settings.rescanInterval
        }
        apply(now: now)
        expire(now: now)
    }

    /// The unit of an id, after a look at the whole tree if it is not known. Nil when there is no such cgroup.
    func workload(_ id: CgroupID) -> Workload? {
        if let known = workloads[id] { return known }
        guard !unknown.contains(id) else { return nil }
        tree.rescan()
        apply(now: .now())
        if let found = workloads[id] { return found }
        if unknown.count >= Self.unknownMax { unknown.removeAll(keepingCapacity: true) }
        unknown.insert(id)
        return nil
    }

    /// The table, when it has changed and the time for gathering is over.
    func takeTable(now: Instant) -> [CgroupID: Workload]? {
        guard let publishAt, publishAt <= now else { return nil }
        self.publishAt = nil
        return workloads
    }

    private func apply(now: Instant) {
        let changes = tree.takeChanges()
        guard !changes.isEmpty else { return }
        for (id, path) in changes.appeared { workloads[id] = Workload(cgroupPath: path) }
        for id in changes.vanished.keys.sorted() { retained.append((id, now + settings.retention)) }
        if !changes.appeared.isEmpty { schedulePublishing(now) }
    }

    private func expire(now: Instant) {
        let excess = max(0, retained.count - settings.retainedMax)
        let over = retained.enumerated().prefix { $0.offset < excess || $0.element.until <= now }.count
        guard over > 0 else { return }
        for (id, _) in retained.prefix(over) where !tree.contains(id) { workloads[id] = nil }
        retained.removeFirst(over)
        schedulePublishing(now)
    }

    private func schedulePublishing(_ now: Instant) {
        if publishAt == nil { publishAt = now + settings.coalescing }
    }
}

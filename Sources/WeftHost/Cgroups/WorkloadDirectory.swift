internal import Glibc
internal import Synchronization
internal import WeftCatalog
package import WeftCore

/// Which unit each cgroup id stands for, always current, for readers on any thread.
///
/// Has a thread of its own, which sleeps until the kernel reports a new or removed cgroup and then publishes a new
/// table, at most one every 50 ms. Cgroups stay in the table for a minute after they are gone: their last
/// connections may still be on their way here. Idle it costs nothing.
package final class WorkloadDirectory: Sendable {
    private let state: DirectoryState
    private let thread: HostThread
    private let isJoined = Atomic(false)

    /// Reads the tree and starts the thread. The first table is complete when this returns; `onChange` gets each later
    /// one, on the directory's thread, and must return soon.
    package init(
        mount: CgroupMount,
        settings: WorkloadDirectorySettings = WorkloadDirectorySettings(),
        onChange: @escaping @Sendable ([CgroupID: Workload]) -> Void
    ) throws(HostError) {
        let wakeUp = try WakeUp()
        let keeper = try WorkloadKeeper(mount: mount, settings: settings)
        let state = DirectoryState(keeper: keeper, wakeUp: wakeUp, onChange: onChange)
        self.state = state
        thread = try HostThread(name: "weft-cgroups") { state.run() }
    }

    deinit { state.requestStop() }

    /// The table of this moment.
    package var workloads: [CgroupID: Workload] { state.published.withLock { $0 } }

    /// Whether the kernel reports every change. If not (fs.inotify.max_user_watches is too low), the tree is walked
    /// once a second instead.
    package var isFullyWatched: Bool { state.isFullyWatched.load(ordering: .relaxed) }

    /// Finds the unit of an id that the caller's table does not have, looking at the tree again if need be; nil when
    /// there is no such cgroup. Never waits.
    ///
    /// `completion` runs on the directory's thread and must return soon. When `resolvesMax` questions are waiting, or
    /// after `stop`, it runs at once on the caller's thread with nil: unknown is an honest answer, waiting is not.
    package func resolve(_ id: CgroupID, completion: @escaping @Sendable (Workload?) -> Void) {
        state.resolve(id, completion)
    }

    /// Ends the thread and waits for it; open questions get nil. Not from a completion or from `onChange`.
    package func stop() {
        state.requestStop()
        if !isJoined.exchange(true, ordering: .relaxed) { thread.join() }
    }
}

/// Bounds and times of a `WorkloadDirectory`.
package struct WorkloadDirectorySettings: Sendable {
    /// How long changes are gathered before they are published.
    package var coalescing = Duration.milliseconds(50)
    /// How long a removed cgroup stays known.
    package var retention = Duration.seconds(60)
    /// Removed cgroups that stay known at a time; the oldest go first.
    package var retainedMax = 16_384
    /// Questions that may wait.
    package var resolvesMax = 4096
    /// How often the tree is walked where not everything can be watched.
    package var rescanInterval = Duration.seconds(1)
    package var directoriesMax = 100_000
    /// Lower than what the kernel allows only in tests.
    package var watchesMax = Int.max

    package init() {}
}

/// What the thread and its callers share.
private final class DirectoryState: Sendable {
    let published: Mutex<[CgroupID: Workload]>
    let isFullyWatched: Atomic<Bool>
    /// Held by the directory's thread alone, for its whole life; the lock hands it over from the thread that made it.
    private let keeper: Mutex<WorkloadKeeper>
    private let inbox = Mutex(Inbox())
    private let wakeUp: WakeUp
    private let resolvesMax: Int
    private let onChange: @Sendable ([CgroupID: Workload]) -> Void

    private struct Inbox {
        var questions: [Question] = []
        var isStopped = false
    }

    private struct Question {
        let id: CgroupID
        let completion: @Sendable (Workload?) -> Void
    }

    init(
        keeper: sending WorkloadKeeper,
        wakeUp: WakeUp,
        onChange: @escaping @Sendable ([CgroupID: Workload]) -> Void
    ) {
        published = Mutex(keeper.workloads)
        isFullyWatched = Atomic(keeper.isFullyWatched)
        resolvesMax = keeper.settings.resolvesMax
        self.keeper = Mutex(keeper)
        self.wakeUp = wakeUp
        self.onChange = onChange
    }

    func resolve(_ id: CgroupID, _ completion: @escaping @Sendable (Workload?) -> Void) {
        let isTaken = inbox.withLock { inbox in
            guard !inbox.isStopped, inbox.questions.count < resolvesMax else { return false }
            inbox.questions.append(Question(id: id, completion: completion))
            return true
        }
        if isTaken { wakeUp.signal() } else { completion(nil) }
    }

    func requestStop() {
        inbox.withLock { $0.isStopped = true }
        wakeUp.signal()
    }

    func run() {
        keeper.withLock { keeper in
            while true {
                wait(for: keeper)
                let (questions, isStopped) = inbox.withLock { inbox in
                    defer { inbox.questions = [] }
                    return (inbox.questions, inbox.isStopped)
                }
                guard !isStopped else {
                    for question in questions { question.completion(nil) }
                    return
                }
                keeper.refresh(now: .now())
                for question in questions { question.completion(keeper.workload(question.id)) }
                isFullyWatched.store(keeper.isFullyWatched, ordering: .relaxed)
                if let table = keeper.takeTable(now: .now()) {
                    published.withLock { $0 = table }
                    onChange(table)
                }
            }
        }
    }

    private func wait(for keeper: WorkloadKeeper) {
        var sources = [
            pollfd(fd: keeper.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        // -1 sleeps until something happens. Rounded up, so that a deadline has passed when poll says so.
        let timeout = keeper.nextDeadline.map { ($0 - .now()).wholeNanoseconds / 1_000_000 + 1 } ?? -1
        poll(&sources, nfds_t(sources.count), CInt(clamping: timeout))
        wakeUp.clear()
    }
}

extension Instant {
    /// CLOCK_MONOTONIC.
    static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}

internal import Glibc
internal import Synchronization
internal import WeftCore
internal import WeftHost

/// Runs an actor on one thread of its own, so that its blocking calls (netlink batches, file sync) hold up nobody else;
/// and does one thing at regular times on the same thread, which costs one wake-up and no more.
final class BlockingExecutor: SerialExecutor {
    /// Work at regular times.
    private struct Tick: Sendable {
        let interval: Duration
        let body: @Sendable () -> Void
        var due: ContinuousClock.Instant
    }

    private struct State: Sendable {
        var jobs: [UnownedJob] = []
        var tick: Tick?
        var isStopping = false
    }

    private let state = Mutex(State())
    private let wakeUp: WakeUp
    private let thread = Mutex<HostThread?>(nil)

    init() throws {
        wakeUp = try WakeUp()
        let thread = try HostThread(name: "weft-control") { [self] in run() }
        self.thread.withLock { $0 = thread }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
        wakeUp.signal()
    }

    func checkIsolated() {
        precondition(thread.withLock { $0 }?.isCurrent == true, "called from outside the control thread")
    }

    /// Calls `body` on this executor's thread every `interval`, from now on; nil stops that.
    func setTick(every interval: Duration, _ body: (@Sendable () -> Void)?) {
        state.withLock { $0.tick = body.map { Tick(interval: interval, body: $0, due: .now + interval) } }
        wakeUp.signal()
    }

    /// Ends the thread when it has done what is queued. The actor must not be used any more.
    func stop() {
        state.withLock { $0.isStopping = true }
        wakeUp.signal()
        thread.withLock { $0 }?.join()
    }

    private func run() {
        while true {
            let (jobs, tick, isStopping) = state.withLock { state in
                let jobs = state.jobs
                state.jobs = []
                var due: Tick?
                if let tick = state.tick, tick.due <= .now {
                    due = tick
                    state.tick?.due = .now + tick.interval
                }
                return (jobs, due, state.isStopping)
            }
            for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
            tick?.body()
            if jobs.isEmpty, tick == nil {
                if isStopping { return }
                sleep()
            }
        }
    }

    /// Until there is a job or the tick is due.
    private func sleep() {
        let wait = state.withLock { $0.tick.map { $0.due - .now } }
        let milliseconds = wait.map { CInt(clamping: max(0, $0.wholeNanoseconds / 1_000_000 + 1)) } ?? -1
        var event = pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)
        // An interrupted or failed wait is an early look at the queue.
        if poll(&event, 1, milliseconds) > 0 { wakeUp.clear() }
    }
}

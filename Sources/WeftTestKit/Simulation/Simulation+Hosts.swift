package import WeftCore

/// What happens to hosts and their processes.
extension Simulation {
    /// Starts a process where none runs.
    package func start(_ process: Process, on index: Int) {
        let host = hosts[index]
        precondition(host.process == nil, "host \(index) runs a process already")
        host.life += 1
        host.process = process
        host.isPowered = true
        host.isPaused = false
        tell("n\(index) starts")
        record(10, index, host.life)
        call(index) { $0.start(&$1) }
    }

    /// Ends the process at once. Its streams end when the other side notices.
    package func stop(_ index: Int) {
        let host = hosts[index]
        guard host.process != nil else { return }
        tell("n\(index) ends")
        record(11, index, host.life)
        host.process = nil
        host.wakeNumber += 1
        host.isPaused = false
        host.slowness = nil
        host.backlog = []
        host.backlogBytes = 0
        host.accepted = [:]
    }

    /// Ends the process, and the machine with it if `power` is off: then dials are not even refused.
    package func crash(_ index: Int, power: Bool) {
        stop(index)
        hosts[index].isPowered = power
    }

    /// Gives a host without a process another clock: machines that boot start counting anew.
    package func setClock(_ index: Int, showing origin: Instant, rate: Double) {
        precondition(hosts[index].process == nil, "the clock of a running process cannot be changed")
        hosts[index].clock = HostClock(showing: origin, at: now, rate: rate)
    }

    /// Whether a process runs on the host, standing still or not.
    package func isRunning(_ index: Int) -> Bool { hosts[index].process != nil }

    /// Whether the process stands still just now.
    package func isPaused(_ index: Int) -> Bool { hosts[index].isPaused }

    /// How many processes have been started on the host.
    package func life(of index: Int) -> Int { hosts[index].life }

    /// What the host has sent so far.
    package func sent(by index: Int) -> Traffic { hosts[index].sent }

    /// The host's own time.
    package func localTime(of index: Int) -> Instant { hosts[index].clock.local(now) }

    /// Streams that are not over for both sides.
    package var openConnections: Int { connections.count }
}

// MARK: - Standing still

extension Simulation {
    /// Stops the process as SIGSTOP does: its kernel goes on accepting, nothing is handled.
    package func pause(_ index: Int) {
        guard hosts[index].process != nil, !hosts[index].isPaused else { return }
        tell("n\(index) stands still")
        hosts[index].isPaused = true
    }

    /// Lets it go on. It finds everything at once: its timers, then or before them what came in, as chance will have it.
    package func resume(_ index: Int) {
        let host = hosts[index]
        guard host.isPaused else { return }
        tell("n\(index) goes on with \(host.backlog.count) events waiting")
        host.isPaused = false
        var backlog = host.backlog
        host.backlog = []
        host.backlogBytes = 0
        if random.chance(0.5) {
            let wakes = backlog.filter { $0.isWake }
            backlog = wakes + backlog.filter { !$0.isWake }
        }
        for event in backlog { handle(event) }
    }

    /// Holds the process up again and again from now on; nil lets it run freely.
    package func setSlowness(_ slowness: Slowness?, of index: Int) {
        guard hosts[index].process != nil else { return }
        let wasSlow = hosts[index].slowness != nil
        hosts[index].slowness = slowness
        if let slowness, !wasSlow {
            events.add(.slowHost(host: index), at: now + random.duration(.zero...slowness.runs.upperBound))
        } else if slowness == nil {
            resume(index)
        }
    }

    func alternate(_ index: Int) {
        let host = hosts[index]
        guard let slowness = host.slowness, host.process != nil else { return }
        if host.isPaused { resume(index) } else { pause(index) }
        let next = random.duration(host.isPaused ? slowness.stops : slowness.runs)
        events.add(.slowHost(host: index), at: now + next)
    }
}

extension SimulationEvent {
    fileprivate var isWake: Bool { if case .wake = self { true } else { false } }
}

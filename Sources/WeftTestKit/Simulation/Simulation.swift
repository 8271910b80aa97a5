package import WeftCore

/// Many processes on one virtual network, under one virtual clock. Everything follows from the seed and from the calls:
/// two equal runs do exactly the same, which `digest` shows.
///
/// Time passes only in `run(until:)`. A process is a value inside a host; it is called with events, and what it wants is
/// carried out before the next event. What it reports goes to `observer` at once.
package final class Simulation<Process: SimulatedProcess> {
    typealias Event = SimulationEvent<Process.Packet>
    typealias Connection = SimulatedConnection<Process.Packet>
    package typealias Context = Process.Context

    /// True time.
    package private(set) var now = Instant(nanoseconds: 1_000_000_000)
    package var network = SimulatedNetwork()
    /// Called with what a process reports, its host and the host's own time. May not call back into the simulation.
    package var observer: (Int, Instant, Process.Report) -> Void = { _, _, _ in }
    /// Called with a line for each thing that happens, when somebody wants to read along.
    package var trace: ((Instant, String) -> Void)?
    /// A hash of everything that happened: when, where, and how long it was.
    package private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    /// Events so far.
    package private(set) var eventCount = 0

    var hosts: [SimulatedHost<Process>] = []
    var events = EventQueue<Event>()
    /// Randomness of the network.
    var random: SeededRandom
    /// Streams that are not over for both sides; never iterated.
    var connections: [Int: Connection] = [:]
    var lastConnection = 0
    private let seed: UInt64
    private var eventsAtThisTime = 0

    package init(seed: UInt64) {
        self.seed = seed
        random = SeededRandom(seed: seed, part: 1)
    }

    package var hostCount: Int { hosts.count }

    /// Adds a host without a process. Its clock shows `origin` now, and runs at `rate`.
    @discardableResult
    package func addHost(clockRate: Double = 1, origin: Instant = Instant(nanoseconds: 1_000_000_000)) -> Int {
        let clock = HostClock(showing: origin, at: now, rate: clockRate)
        hosts.append(SimulatedHost(clock: clock, random: SeededRandom(seed: seed, part: 2, number: hosts.count)))
        return hosts.count - 1
    }

    /// Lets time pass up to and including `end`.
    package func run(until end: Instant) {
        while let next = events.nextTime, next <= end, let (time, event) = events.removeFirst() {
            eventsAtThisTime = time == now ? eventsAtThisTime + 1 : 0
            precondition(eventsAtThisTime < Self.eventsPerInstant, "time stands still at \(now)")
            now = time
            eventCount += 1
            handle(event)
        }
        now = max(now, end)
    }

    /// Lets time pass.
    package func run(for duration: Duration) { run(until: now + duration) }

    /// A process that always wants to be called at once would keep the clock from moving.
    private static var eventsPerInstant: Int { 1_000_000 }

    /// Mixes something that happened into the digest.
    func record(_ kind: UInt64, _ host: Int, _ detail: Int) {
        for word in [now.nanoseconds, kind, UInt64(truncatingIfNeeded: host), UInt64(truncatingIfNeeded: detail)] {
            digest = (digest ^ word) &* 0x0000_0100_0000_01b3
            digest ^= digest >> 29
        }
    }

    func tell(_ line: @autoclosure () -> String) {
        if let trace { trace(now, line()) }
    }
}

// MARK: - Events

extension Simulation {
    func handle(_ event: Event) {
        switch event {
        case .wake(let host, let number): wake(host, number, event)
        case .datagram(let packet, let source, let host, let life): deliver(packet, source, host, life, event)
        case .connect(let number, let attempt): connect(number, attempt)
        case .request(let number): deliverRequest(number, event)
        case .answer(let packet, let number): deliverAnswer(packet, number, event)
        case .diallerFails(let number, let failure): failDialler(number, failure, event)
        case .acceptInVain(let host, let life, let failure, let wait): acceptInVain(host, life, failure, wait, event)
        case .acceptorFails(let host, let life, let stream, let failure):
            failAcceptor(host, life, stream, failure, event)
        case .slowHost(let host): alternate(host)
        }
    }

    /// True when the host's process stands still: the event waits.
    func waits(_ event: Event, at index: Int) -> Bool {
        guard hosts[index].isPaused else { return false }
        hosts[index].backlog.append(event)
        return true
    }

    private func wake(_ index: Int, _ number: Int, _ event: Event) {
        guard hosts[index].wakeNumber == number, hosts[index].process != nil, !waits(event, at: index) else { return }
        record(1, index, 0)
        call(index) { $0.timerFired(&$1) }
    }

    private func deliver(_ packet: Process.Packet, _ source: Int, _ index: Int, _ life: Int, _ event: Event) {
        let host = hosts[index]
        guard host.life == life, host.process != nil, host.isPowered else { return }
        guard !host.isPaused else {
            // The kernel drops what does not fit into the socket's buffer.
            guard host.backlogBytes + packet.byteCount <= Self.receiveBuffer else { return }
            host.backlogBytes += packet.byteCount
            host.backlog.append(event)
            return
        }
        record(2, index, packet.byteCount)
        call(index) { $0.datagramReceived(packet, from: source, &$1) }
    }

    /// Bytes of datagrams that wait for a process that stands still (memberlist asks for 2 MiB).
    private static var receiveBuffer: Int { 2 << 20 }
}

// MARK: - Calling processes

extension Simulation {
    /// Calls a process outside of any event, as its owner does. Nil when none runs on the host.
    @discardableResult
    package func command<Result>(
        _ index: Int,
        _ body: (inout Process, inout Context) throws -> Result
    ) rethrows -> Result? {
        guard hosts[index].process != nil else { return nil }
        return try call(index, body)
    }

    /// Looks at a process without copying it.
    package func inspect<Result>(_ index: Int, _ body: (borrowing Process) -> Result) -> Result? {
        guard let process = hosts[index].process else { return nil }
        return body(process)
    }

    @discardableResult
    func call<Result>(_ index: Int, _ body: (inout Process, inout Context) throws -> Result) rethrows -> Result? {
        let host = hosts[index]
        // Taken out of the host and put back: what it holds is changed in place.
        guard var process = host.process.take() else { return nil }
        var context = Context(now: host.clock.local(now), random: host.random)
        defer {
            host.process = process
            host.random = context.random
            carryOut(context.actions, of: index, at: context.now)
        }
        return try body(&process, &context)
    }

    private func carryOut(_ actions: [ProcessAction<Process.Packet, Process.Report>], of index: Int, at local: Instant)
    {
        for action in actions {
            switch action {
            case .send(let packet, let target): send(packet, from: index, to: target)
            case .dial(let stream, let target, let packet, let deadline, let expectsReply):
                dial(stream, from: index, to: target, packet, deadline: deadline, expectsReply: expectsReply)
            case .reply(let stream, let packet): reply(packet, on: stream, from: index)
            case .close(let stream): close(stream, at: index)
            case .wake(let time): setWake(index, at: time)
            case .report(let report): observer(index, local, report)
            case .exit: stop(index)
            }
        }
    }

    private func setWake(_ index: Int, at time: Instant) {
        let host = hosts[index]
        host.wakeNumber += 1
        events.add(.wake(host: index, number: host.wakeNumber), at: max(now, host.clock.global(time)))
    }

    private func send(_ packet: Process.Packet, from index: Int, to target: Int) {
        record(3, index, packet.byteCount)
        hosts[index].sent.addDatagram(packet.byteCount)
        guard hosts.indices.contains(target) else { return }
        for delay in network.copies(from: index, to: target, using: &random) {
            events.add(.datagram(packet, from: index, to: target, life: hosts[target].life), at: now + delay)
        }
    }
}

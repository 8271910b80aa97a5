internal import WeftCore

/// One host: a clock, randomness, perhaps a running process, and what waits for it.
final class SimulatedHost<Process: SimulatedProcess> {
    typealias Event = SimulationEvent<Process.Packet>

    /// Nil while nothing runs here.
    var process: Process?
    /// How many processes have run here: what was meant for an earlier one does not reach the next.
    var life = 0
    var clock: HostClock
    var random: SeededRandom
    /// Machine and kernel work: a dial without a process to answer is refused at once. Else packets vanish.
    var isPowered = true
    /// The process stands still; what comes for it waits.
    var isPaused = false
    var slowness: Slowness?
    /// What came during a pause, oldest first, and how many bytes of datagrams are in it.
    var backlog: [Event] = []
    var backlogBytes = 0
    /// Wake-ups asked for so far; only the last one counts.
    var wakeNumber = 0
    /// Accepted streams by the process's number, to the connection's. Never iterated.
    var accepted: [UInt64: Int] = [:]
    var sent = Traffic()

    init(clock: HostClock, random: SeededRandom) {
        self.clock = clock
        self.random = random
    }
}

/// How a process is held up again and again: it stands still for one of `stops`, then runs for one of `runs`.
package struct Slowness: Sendable, Equatable {
    package var stops: ClosedRange<Duration>
    package var runs: ClosedRange<Duration>

    package init(stops: ClosedRange<Duration>, runs: ClosedRange<Duration>) {
        self.stops = stops
        self.runs = runs
    }
}

/// What happens at a time.
enum SimulationEvent<Packet: SimulatedPacket> {
    case wake(host: Int, number: Int)
    case datagram(Packet, from: Int, to: Int, life: Int)
    /// A dialler tries to reach the other side.
    case connect(connection: Int, attempt: Int)
    /// The dialler's message is there.
    case request(connection: Int)
    case answer(Packet, connection: Int)
    /// The dialler is told that its stream is over; without a failure, by its deadline.
    case diallerFails(connection: Int, SimulatedStreamFailure)
    /// A stream is accepted, and ends after `wait` without its message.
    case acceptInVain(host: Int, life: Int, SimulatedStreamFailure, wait: Duration)
    case acceptorFails(host: Int, life: Int, stream: UInt64, SimulatedStreamFailure)
    /// A slow host stops or goes on.
    case slowHost(host: Int)
}

/// One stream between two hosts, seen from outside.
struct SimulatedConnection<Packet: SimulatedPacket> {
    let dialler: Int
    let diallerLife: Int
    let diallerStream: UInt64
    let target: Int
    let request: Packet
    let deadline: Instant
    let expectsReply: Bool
    /// Set once the target's machine has accepted.
    var acceptorLife = 0
    var hasReplied = false
}

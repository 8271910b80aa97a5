package import WeftCore

/// Something that is sent: all the simulator has to know is how long it is on the wire.
package protocol SimulatedPacket {
    /// Bytes of payload, without IP, UDP and TCP headers.
    var byteCount: Int { get }
}

extension [UInt8]: SimulatedPacket {
    package var byteCount: Int { count }
}

/// A program that the simulator can run on its hosts: a sans-IO core and the thin shell around it. Hosts are named by
/// their number in the simulation.
package protocol SimulatedProcess {
    associatedtype Packet: SimulatedPacket
    /// What the process tells the observer of the simulation.
    associatedtype Report

    typealias Context = ProcessContext<Packet, Report>

    mutating func start(_ context: inout Context)
    mutating func timerFired(_ context: inout Context)
    mutating func datagramReceived(_ packet: Packet, from host: Int, _ context: inout Context)
    /// Somebody dials. The number of the stream from now on; nil refuses it.
    mutating func streamAccepted(_ context: inout Context) -> UInt64?
    /// The whole message of the other side has come.
    mutating func streamReceived(_ packet: Packet, on stream: UInt64, _ context: inout Context)
    mutating func streamFailed(_ stream: UInt64, _ failure: SimulatedStreamFailure, _ context: inout Context)
}

/// What a process works with during one call.
package struct ProcessContext<Packet: SimulatedPacket, Report> {
    /// The time by the host's own clock.
    package let now: Instant
    /// The host's own randomness.
    package var random: SeededRandom
    /// What the process wants done, in order.
    package var actions: [ProcessAction<Packet, Report>] = []

    package init(now: Instant, random: SeededRandom) {
        self.now = now
        self.random = random
    }
}

/// What a process can want.
package enum ProcessAction<Packet: SimulatedPacket, Report> {
    case send(Packet, to: Int)
    /// Dial, send the packet, and wait for one in return until `deadline`, which is in the host's own time.
    case dial(UInt64, to: Int, Packet, deadline: Instant, expectsReply: Bool)
    /// Answer on a stream that was accepted.
    case reply(UInt64, Packet)
    case close(UInt64)
    /// Call `timerFired` then, in the host's own time; replaces any earlier wish.
    case wake(at: Instant)
    case report(Report)
    /// The process ends by itself.
    case exit
}

/// Why a simulated stream brought no message.
package enum SimulatedStreamFailure: Sendable, Equatable {
    case unreachable
    case timedOut
    case closed
}

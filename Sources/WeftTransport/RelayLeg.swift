internal import NIOCore
internal import WeftCore
internal import WeftProxy

/// One end of a relay: a TCP socket (`Leg`) or a stream in a tunnel (`TunnelStream`).
///
/// Bytes come only when asked for, with `read`; what is written counts against `isWritable`, which the owner respects.
/// Each end reports to its owner, and everything runs on the owner's event loop.
protocol RelayLeg: AnyObject {
    var side: RelayMachine.Leg { get }
    /// To whom the leg reports; nil when it is over, or not yet part of anything.
    var owner: (any LegOwner)? { get set }
    /// False while more is waiting to go out than a leg should hold.
    var isWritable: Bool { get }
    /// FIN arrived.
    var isInputEnded: Bool { get set }
    /// So many of the client's first bytes were sent before the relay began.
    var earlyCount: Int { get }

    /// The relay is about to begin: what a leg that still owes its peer an answer waits for.
    func opened()
    func write(_ bytes: ByteBuffer)
    func flush()
    /// Asks for bytes once; answered by `received`, any number of times, and one `readCompleted`.
    func read()
    /// FIN behind everything written; answered by `outputEnded` when it is on its way.
    func endOutput()
    /// RST behind everything written, and away. `ending` is why, and nothing is reported any more.
    func abort(_ ending: Ending)
    /// Away at once; both directions have ended, or what is left does not matter.
    func close()
}

extension RelayLeg {
    func opened() {}

    var earlyCount: Int { 0 }
}

/// What stands between the ends of a connection, and hears from them: a relay of bytes, or one that knows their meaning.
protocol LegOwner: AnyObject {
    func received(_ bytes: ByteBuffer, from leg: any RelayLeg)
    /// What `read` asked for is all there.
    func readCompleted(from leg: any RelayLeg)
    /// The leg's outgoing buffer has drained.
    func becameWritable(_ leg: any RelayLeg)
    /// FIN arrived.
    func inputEnded(_ leg: any RelayLeg)
    /// FIN is on its way.
    func outputEnded(_ leg: any RelayLeg)
    /// The leg broke. Nothing more comes from it.
    func failed(_ leg: any RelayLeg, _ ending: Ending)
}

/// What carries a connection once it is known where it goes, and by what rules: bytes (`Relay`) or requests.
protocol Carrier: AnyObject {
    var phase: RelayMachine.Phase { get }
    /// Payload bytes from the client to the destination.
    var bytesOut: UInt64 { get }
    /// Payload bytes from the destination to the client.
    var bytesIn: UInt64 { get }
    /// weftd is about to stop: ends at the next moment at which nobody loses anything, if there is such a moment.
    func drain()
    /// Ends the connection from outside: both sides see RST.
    func cancel(_ ending: Ending)
    /// Looks whether a connection with one direction ended has been silent for longer than `limit`. Called once a second.
    func checkSilence(now: Instant, limit: Duration)
}

/// A carrier of requests: each may go elsewhere.
protocol RequestCarrier: Carrier {
    /// The dial that the connection began has ended.
    func reached(_ result: Result<Dial.Reached, Refusal>)
}

/// Whom a relay tells about its life: the connection that it belongs to.
protocol RelayOwner: AnyObject {
    var now: Instant { get }
    func schedule(at time: Instant, _ task: @escaping () -> Void) -> Scheduled<Void>
    /// What is spoken is known. The owner may take the legs from the relay now.
    func relayDetected(_ detection: Detection)
    /// The client has said this, it is to go on as bytes, and the destination is not there yet.
    func relayHeard(early bytes: ByteBuffer)
    /// From now on `checkSilence` should be called once a second.
    func relayHalfClosed()
    /// Comes once, and last.
    func relayFinished(_ outcome: Outcome)
}

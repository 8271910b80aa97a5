internal import NIOCore
internal import WeftCore
internal import WeftProxy

/// Moves bytes between two legs until both directions have ended, by the rules of `RelayMachine`.
///
/// Both legs live on one loop. A leg is read only while the other one takes bytes, so that a relay never holds more than
/// the other's high-water mark and one read in each direction. `owner` keeps it and is told how it ended.
final class Relay: LegOwner, Carrier {
    private(set) var machine = RelayMachine()
    /// The side that began.
    let client: any RelayLeg
    /// There when the dial has succeeded.
    private(set) var destination: (any RelayLeg)?
    /// Cleared at the end, which breaks the cycle between the two.
    var owner: (any RelayOwner)?
    private(set) var bytesOut: UInt64
    private(set) var bytesIn: UInt64

    /// Bytes of the client that wait for the destination, or until it is known what they are (`+Detection`).
    var early = ByteBuffer()
    /// What a server said first that may be HTTP/2, until its client has said whether it is.
    var greeting = ByteBuffer()
    /// A read is due as soon as the other leg is writable again.
    private var isHeld = (client: false, destination: false)
    private var silence: (bytes: UInt64, since: Instant)?
    var listening = Listening.off
    var knowledge: ProtocolKnowledge?

    /// `bytesOut` and `bytesIn` were carried before, by something else.
    init(client: any RelayLeg, bytesOut: UInt64 = 0, bytesIn: UInt64 = 0) {
        self.client = client
        self.bytesOut = bytesOut
        self.bytesIn = bytesIn
        client.owner = self
    }

    var phase: RelayMachine.Phase { machine.phase }

    // MARK: What the owner says

    /// The destination accepted.
    func dialSucceeded(_ destination: any RelayLeg) {
        guard machine.phase == .dialling else { return destination.abort(.reset) }
        self.destination = destination
        destination.owner = self
        drive { $0.dialSucceeded(into: &$1) }
    }

    /// The destination did not accept, or weft refused to ask it: the client sees RST.
    func dialFailed(_ outcome: Outcome) { drive { $0.dialFailed(outcome.ending, side: outcome.side, into: &$1) } }

    /// Goes on with legs that meant something else so far, and with what they had said last.
    func resume(with destination: any RelayLeg, clientBytes: ByteBuffer, destinationBytes: ByteBuffer) {
        early = clientBytes
        if client.isInputEnded { drive { $0.inputEnded(.client, into: &$1) } }
        dialSucceeded(destination)
        if destinationBytes.readableBytes > 0 {
            received(destinationBytes, from: destination)
            client.flush()
        }
        if destination.isInputEnded { drive { $0.inputEnded(.destination, into: &$1) } }
    }

    /// Lets go of both legs, for another carrier. Nothing is reported any more.
    func release() -> (destination: (any RelayLeg)?, early: ByteBuffer, greeting: ByteBuffer) {
        listening = .off
        owner = nil
        client.owner = nil
        destination?.owner = nil
        defer { (destination, early, greeting) = (nil, ByteBuffer(), ByteBuffer()) }
        return (destination, early, greeting)
    }

    /// Bytes tell of no such moment.
    func drain() {}

    func cancel(_ ending: Ending) { drive { $0.cancel(ending, into: &$1) } }

    func checkSilence(now: Instant, limit: Duration) {
        let bytes = bytesOut &+ bytesIn
        guard let silence, silence.bytes == bytes else {
            self.silence = (bytes, now)
            return
        }
        if now - silence.since >= limit { drive { $0.silenceExpired(into: &$1) } }
    }

    // MARK: What the legs report

    func received(_ bytes: ByteBuffer, from leg: any RelayLeg) {
        if leg.side == .client, machine.phase == .dialling || isListening { return heard(bytes) }
        if isListening, holdGreeting(bytes) { return }
        stopListening()
        guard owner != nil else { return }
        carry(bytes, from: leg)
    }

    private func carry(_ bytes: ByteBuffer, from leg: any RelayLeg) {
        count(bytes, from: leg)
        other(leg)?.write(bytes)
    }

    func readCompleted(from leg: any RelayLeg) {
        if leg.side == .client, isListening { return listenOn() }
        guard machine.phase != .dialling, owner != nil else { return }
        other(leg)?.flush()
        readMore(leg)
    }

    /// The leg's outgoing buffer has drained: the other leg may be read again.
    func becameWritable(_ leg: any RelayLeg) {
        if let source = other(leg), held(source) { readMore(source) }
    }

    func inputEnded(_ leg: any RelayLeg) {
        guard !leg.isInputEnded else { return }
        leg.isInputEnded = true
        stopListening()
        guard owner != nil else { return }
        drive { $0.inputEnded(leg.side, into: &$1) }
    }

    func outputEnded(_ leg: any RelayLeg) { drive { $0.outputEnded(leg.side, into: &$1) } }

    func failed(_ leg: any RelayLeg, _ ending: Ending) {
        listening = .off
        drive { $0.legFailed(leg.side, ending, into: &$1) }
    }

    // MARK: Reading

    private func readMore(_ leg: any RelayLeg) {
        guard !leg.isInputEnded, machine.phase != .finished else { return }
        let mustWait = !(other(leg)?.isWritable ?? false)
        if leg.side == .client { isHeld.client = mustWait } else { isHeld.destination = mustWait }
        if !mustWait { leg.read() }
    }

    private func held(_ leg: any RelayLeg) -> Bool { leg.side == .client ? isHeld.client : isHeld.destination }

    private func other(_ leg: any RelayLeg) -> (any RelayLeg)? { leg.side == .client ? destination : client }

    private func count(_ bytes: ByteBuffer, from leg: any RelayLeg) {
        let count = UInt64(bytes.readableBytes)
        if leg.side == .client { bytesOut &+= count } else { bytesIn &+= count }
    }

    // MARK: The machine's actions

    /// Tells the machine what happened and carries out what follows.
    private func drive(_ event: (inout RelayMachine, inout [RelayMachine.Action]) -> Void) {
        var actions: [RelayMachine.Action] = []
        event(&machine, &actions)
        for action in actions { perform(action, of: actions) }
    }

    private func perform(_ action: RelayMachine.Action, of actions: [RelayMachine.Action]) {
        switch action {
        case .startRelay: start()
        case .endOutput(let side): leg(side)?.endOutput()
        case .abort(let side): leg(side)?.abort(actions.ending)
        case .watchSilence: owner?.relayHalfClosed()
        case .finish(let outcome): finish(outcome)
        }
    }

    private func leg(_ side: RelayMachine.Leg) -> (any RelayLeg)? { side == .client ? client : destination }

    private func start() {
        client.opened()
        destination?.opened()
        if isListening { listenOn() } else { sendEarly() }
        if let destination { readMore(destination) }
    }

    /// The client's first bytes go on, and are followed by the rest.
    func sendEarly() {
        guard let destination, machine.phase != .finished else { return }
        if greeting.readableBytes > 0 {
            carry(greeting, from: destination)
            greeting = ByteBuffer()
            client.flush()
        }
        if early.readableBytes > 0 {
            count(early, from: client)
            early.moveReaderIndex(forwardBy: min(destination.earlyCount, early.readableBytes))
            destination.write(early)
            early = ByteBuffer()
            destination.flush()
        }
        readMore(client)
    }

    private func finish(_ outcome: Outcome) {
        (early, greeting) = (ByteBuffer(), ByteBuffer())
        for leg in [client, destination] {
            leg?.close()
            leg?.owner = nil
        }
        let owner = self.owner
        self.owner = nil
        owner?.relayFinished(outcome)
    }
}

extension [RelayMachine.Action] {
    /// What the connection ends with when these actions are carried out.
    fileprivate var ending: Ending {
        guard case .finish(let outcome)? = last else { return .reset }
        return outcome.ending
    }
}

internal import NIOCore
internal import WeftCore
internal import WeftProxy

/// Carries a connection that speaks HTTP/1, request by request: the shell of `ExchangeMachine`.
///
/// Each request goes to an upstream of its own choice. Upstreams belong to this client and are kept while it is there,
/// one for each endpoint: what a server ties to a connection stays with the client that it met there.
///
/// What the legs report becomes an event; `pump` takes events one after the other and carries out all actions of one
/// before the next, as an action may well report something itself. Everything runs on the connection's loop.
final class HTTP1Session: LegOwner, RequestCarrier, GateWaiter {
    /// What has happened and not been told to the machine.
    struct Events: OptionSet {
        let rawValue: UInt8

        static let clientBytes = Events(rawValue: 1)
        static let clientEnded = Events(rawValue: 2)
        static let clientFailed = Events(rawValue: 4)
        static let upstreamReady = Events(rawValue: 8)
        static let upstreamBytes = Events(rawValue: 16)
        static let upstreamEnded = Events(rawValue: 32)
        static let upstreamFailed = Events(rawValue: 64)

        static let ofUpstream: Events = [.upstreamReady, .upstreamBytes, .upstreamEnded, .upstreamFailed]
    }

    /// How much of a client's bytes waits while they are of no use, so that its end is noticed.
    private static let waitingMax = 16 * 1024

    /// Nil when the session is over, which breaks the cycle between the two.
    private(set) var connection: Connection?
    let loop: DataLoop
    let client: any RelayLeg
    var machine = ExchangeMachine()
    var clientBytes: ByteBuffer
    var upstreamBytes = ByteBuffer()
    /// The upstream of the request that is under way.
    var upstream: Upstream?
    /// Those that wait for the next request.
    var idle: [Upstream] = []
    /// The request that is under way.
    var request: HTTPRequest?
    /// Whose retries are counted together.
    let retryKey: RetryKey
    var retryHint = TableHint()
    /// A retry that waits for its time, or the limit of the one that is under way.
    var timer: Scheduled<Void>?

    private var events: Events = []
    var actions: [ExchangeMachine.Action] = []
    private var isPumping = false
    private var written: (client: Bool, upstream: Bool) = (false, false)
    /// FIN to the client is ordered; what still comes from it is dropped.
    var isLingering = false
    private(set) var isOver = false
    private var silence: (bytes: UInt64, since: Instant)?
    var bytesOut: UInt64 = 0
    var bytesIn: UInt64 = 0

    init(for connection: Connection, calling service: ServiceName, clientBytes: ByteBuffer) {
        self.connection = connection
        self.loop = connection.loop
        self.client = connection.client
        self.clientBytes = clientBytes
        self.retryKey = RetryKey(source: connection.callerName, service: service)
        client.owner = self
    }

    /// Starts with what the relay had: perhaps an endpoint that has been reached already.
    func begin(with destination: (any RelayLeg)?) {
        client.opened()
        if let destination, let connection, let route = connection.route {
            keep(Upstream(destination, at: route, security: connection.security))
        }
        events.insert(.clientBytes)
        if client.isInputEnded { events.insert(.clientEnded) }
        pump()
    }

    var phase: RelayMachine.Phase {
        if isOver { return .finished }
        return isLingering ? .halfClosed : .open
    }

    // MARK: What the legs report

    func received(_ bytes: ByteBuffer, from leg: any RelayLeg) {
        if leg === client {
            guard !isLingering else { return }
            clientBytes.take(bytes)
            events.insert(.clientBytes)
        } else if leg === upstream?.leg {
            upstreamBytes.take(bytes)
            events.insert(.upstreamBytes)
        } else {
            // Nobody asked for this.
            forget(leg)
        }
    }

    func readCompleted(from leg: any RelayLeg) { pump() }

    func becameWritable(_ leg: any RelayLeg) { readMore() }

    func inputEnded(_ leg: any RelayLeg) {
        guard !leg.isInputEnded else { return }
        leg.isInputEnded = true
        if leg === client {
            if isLingering { return endIfDone() }
            events.insert(.clientEnded)
        } else if leg === upstream?.leg {
            events.insert(.upstreamEnded)
        } else {
            forget(leg)
        }
        pump()
    }

    func outputEnded(_ leg: any RelayLeg) {
        if leg === client { endIfDone() }
    }

    func failed(_ leg: any RelayLeg, _ ending: Ending) {
        if leg === client {
            guard !isLingering else { return finish(Outcome(.completed, side: .client)) }
            events.insert(.clientFailed)
        } else if leg === upstream?.leg {
            events.insert(.upstreamFailed)
        } else {
            forget(leg)
        }
        pump()
    }

    /// The upstream that was asked for is there.
    func becameReady() {
        events.insert(.upstreamReady)
        // A server may have ended before it was asked anything.
        if upstream?.leg.isInputEnded == true { events.insert(.upstreamEnded) }
        pump()
    }

    /// Tells the machine of something else.
    func drive(_ event: (inout ExchangeMachine, inout [ExchangeMachine.Action]) -> Void) {
        event(&machine, &actions)
        pump()
    }

    // MARK: Pumping

    private func pump() {
        guard !isPumping else { return }
        isPumping = true
        repeat {
            performActions()
        } while !isOver && tellNext()
        isPumping = false
        guard !isOver else { return }
        flush()
        readMore()
    }

    private func performActions() {
        var next = 0
        while next < actions.count {
            perform(actions[next])
            next += 1
        }
        actions.removeAll(keepingCapacity: true)
    }

    /// Tells the machine of one event; false when there is none.
    private func tellNext() -> Bool {
        if take(.clientFailed) {
            machine.clientFailed(into: &actions)
        } else if take(.upstreamReady) {
            // What cannot be tried elsewhere goes to the client as it is.
            let holdsErrors = request?.keeps == true && connection?.isBalanced == true
            machine.upstreamReady(holdsErrors: holdsErrors, into: &actions)
        } else if take(.upstreamBytes) {
            tellUpstreamBytes()
        } else if take(.upstreamEnded) {
            machine.upstreamEnded(into: &actions)
        } else if take(.upstreamFailed) {
            machine.upstreamFailed(into: &actions)
        } else if take(.clientBytes) {
            tellClientBytes()
        } else if take(.clientEnded) {
            machine.clientEnded(into: &actions)
        } else {
            return false
        }
        return true
    }

    private func tellUpstreamBytes() {
        if request?.firstByte == nil { request?.firstByte = connection?.now }
        let bytes = upstreamBytes
        machine.upstreamReceived(bytes.readableBytesSpan, into: &actions)
    }

    private func tellClientBytes() {
        let bytes = clientBytes
        machine.clientReceived(bytes.readableBytesSpan, into: &actions)
    }

    private func take(_ event: Events) -> Bool { events.remove(event) != nil }

    /// The client's bytes are to be looked at once more, behind everything else.
    func scanClient() { events.insert(.clientBytes) }

    /// What the upstream that was has reported counts no more.
    func dropUpstreamEvents() {
        events.subtract(.ofUpstream)
        upstreamBytes = ByteBuffer()
    }

    // MARK: Writing and reading

    func writeToClient(_ bytes: ByteBuffer) {
        client.write(bytes)
        written.client = true
    }

    func writeToUpstream(_ bytes: ByteBuffer) {
        upstream?.leg.write(bytes)
        written.upstream = true
    }

    private func flush() {
        if written.client { client.flush() }
        if written.upstream { upstream?.leg.flush() }
        written = (false, false)
    }

    /// An upstream that is let go gets what was written to it first.
    func flushUpstream() {
        if written.upstream { upstream?.leg.flush() }
        written.upstream = false
    }

    private func readMore() {
        guard !isOver else { return }
        if !client.isInputEnded, wantsClientBytes { client.read() }
        if let leg = upstream?.leg, !leg.isInputEnded, client.isWritable { leg.read() }
    }

    private var wantsClientBytes: Bool {
        if isLingering { return true }
        if machine.wantsClient { return upstream?.leg.isWritable ?? true }
        return clientBytes.readableBytes < Self.waitingMax
    }

    // MARK: The end

    /// An idle client's connection ends now, others' with the response that is under way.
    func drain() { drive { $0.drain(into: &$1) } }

    func cancel(_ ending: Ending) {
        guard !isOver else { return }
        leave()
        connection?.ended(request, .cancelled)
        client.abort(ending)
        finish(Outcome(ending, side: .weft))
    }

    func checkSilence(now: Instant, limit: Duration) {
        let bytes = bytesOut &+ bytesIn
        guard let silence, silence.bytes == bytes else {
            self.silence = (bytes, now)
            return
        }
        guard now - silence.since >= (isLingering ? min(limit, HTTPLimits.linger) : HTTPLimits.headTimeout) else {
            return
        }
        self.silence = nil
        if isLingering {
            finish(Outcome(.completed, side: .client))
        } else if machine.isInHead {
            drive { $0.clientTimedOut(into: &$1) }
        }
    }

    private func endIfDone() {
        if isLingering, client.isInputEnded { finish(Outcome(.completed, side: .client)) }
    }

    func finish(_ outcome: Outcome) {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        for other in idle + (upstream.map { [$0] } ?? []) { close(other) }
        (idle, upstream) = ([], nil)
        client.close()
        client.owner = nil
        letGo()?.relayFinished(outcome)
    }

    /// Becomes nothing: another carrier has the client now, or there is none.
    func letGo() -> Connection? {
        isOver = true
        defer { connection = nil }
        return connection
    }
}

/// Bounds of HTTP that are times.
enum HTTPLimits {
    /// How long a client that has had its last answer may take to end its side.
    static let linger = Duration.seconds(5)
    /// How long the head of a request may stand still.
    static let headTimeout = Duration.seconds(60)
}

extension ByteBuffer {
    /// Appends; what nothing is in front of is taken as it is.
    mutating func take(_ bytes: ByteBuffer) {
        if readableBytes == 0 { self = bytes } else { writeImmutableBuffer(bytes) }
    }
}

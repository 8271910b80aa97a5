package import WeftCore
package import WeftGossip

/// A gossip node with the thinnest possible shell around it, as the simulator runs it.
///
/// Each action of the core goes through an `ActionLedger` first, which knows what a core may do.
package struct GossipProcess: SimulatedProcess {
    package typealias Packet = [UInt8]

    package enum Report: Sendable {
        /// The core tells its owner something.
        case action(GossipAction)
        /// The core did something that it must not do.
        case violation(String)
    }

    package var node: GossipNode
    /// Nil: nobody watches, for large pools.
    package private(set) var ledger: ActionLedger?
    /// Large messages in one piece, instead of cut at random places.
    private let cutsStreams: Bool

    /// `isWatched` checks every action; it costs time.
    package init(_ node: GossipNode, isWatched: Bool) {
        self.node = node
        ledger = isWatched ? ActionLedger(own: node.configuration.name) : nil
        cutsStreams = isWatched
    }

    package mutating func start(_ context: inout Context) {
        perform(&context) { $0.start(now: $1, using: &$2, into: &$3) }
    }

    package mutating func timerFired(_ context: inout Context) {
        perform(&context) { $0.timerFired(now: $1, using: &$2, into: &$3) }
    }

    package mutating func datagramReceived(_ packet: [UInt8], from host: Int, _ context: inout Context) {
        let source = NetworkAddress(simulatedHost: host)
        perform(&context) { $0.datagramReceived(packet, from: source, now: $1, using: &$2, into: &$3) }
    }

    package mutating func streamAccepted(_ context: inout Context) -> UInt64? {
        guard let stream = node.streamAccepted(now: context.now) else { return nil }
        ledger?.accepted(stream, at: context.now)
        return stream.number
    }

    package mutating func streamReceived(_ packet: [UInt8], on number: UInt64, _ context: inout Context) {
        let stream = StreamID(number: number)
        ledger?.heard(stream)
        var decoder = node.streamDecoder(for: stream)
        let cut = cutsStreams ? context.random.number(0...packet.count) : 0
        do throws(WireError) {
            var message = try cut > 0 ? decoder.receive(packet[..<cut]) : nil
            if message == nil { message = try decoder.receive(packet[cut...]) }
            guard let message else {
                fail(stream, .closed, nil, &context)
                return
            }
            perform(&context) {
                $0.streamReceived(message, byteCount: packet.count, on: stream, now: $1, using: &$2, into: &$3)
            }
        } catch {
            fail(stream, .malformed, error, &context)
        }
    }

    package mutating func streamFailed(_ number: UInt64, _ failure: SimulatedStreamFailure, _ context: inout Context) {
        let stream = StreamID(number: number)
        ledger?.heard(stream)
        fail(stream, StreamFailure(failure), nil, &context)
    }

    private mutating func fail(
        _ stream: StreamID,
        _ failure: StreamFailure,
        _ error: WireError?,
        _ context: inout Context
    ) {
        perform(&context) { $0.streamFailed(stream, failure, error: error, now: $1, using: &$2, into: &$3) }
    }
}

// MARK: - Calling the core

extension GossipProcess {
    /// Calls the core, and hands on what it wants.
    @discardableResult
    package mutating func perform<Result, Failure: Error>(
        _ context: inout Context,
        _ body: (inout GossipNode, Instant, inout SeededRandom, inout [GossipAction]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var actions: [GossipAction] = []
        defer { for action in actions { handOn(action, &context) } }
        return try body(&node, context.now, &context.random, &actions)
    }

    private mutating func handOn(_ action: GossipAction, _ context: inout Context) {
        if let violation = ledger?.check(action, at: context.now) {
            context.actions.append(.report(.violation(violation)))
        }
        switch action {
        case .send(let bytes, let target): context.actions.append(.send(bytes, to: target.simulatedHost))
        case .openStream(let stream, let target, let message, let deadline, let expectsReply):
            context.actions.append(
                .dial(
                    stream.number,
                    to: target.simulatedHost,
                    message,
                    deadline: deadline,
                    expectsReply: expectsReply
                )
            )
        case .reply(let stream, let bytes): context.actions.append(.reply(stream.number, bytes))
        case .closeStream(let stream): context.actions.append(.close(stream.number))
        case .wake(let time): context.actions.append(.wake(at: time))
        case .left: context.actions += [.report(.action(action)), .exit]
        default: context.actions.append(.report(.action(action)))
        }
    }
}

extension StreamFailure {
    fileprivate init(_ failure: SimulatedStreamFailure) {
        self =
            switch failure {
            case .unreachable: .unreachable
            case .timedOut: .timedOut
            case .closed: .closed
            }
    }
}

// MARK: - Names and addresses of hosts

extension NetworkAddress {
    /// Host 0 is 10.0.0.1, host 1 10.0.0.2 and so on, all on port 7946.
    package init(simulatedHost index: Int) { self.init(.v4(0x0a00_0001 &+ UInt32(index)), port: 7946) }

    /// The host with this address; -1 when it is no host's.
    package var simulatedHost: Int {
        guard case .v4(let bits) = ip, bits > 0x0a00_0000, port == 7946 else { return -1 }
        return Int(bits - 0x0a00_0001)
    }
}

extension MemberName {
    /// Host 7 is called n7.
    package init(simulatedHost index: Int) { self.init("n\(index)") }

    /// The host with this name; -1 when it is no host's.
    package var simulatedHost: Int {
        guard bytes.first == UInt8(ascii: "n") else { return -1 }
        return Int(String(decoding: bytes.dropFirst(), as: UTF8.self)) ?? -1
    }
}

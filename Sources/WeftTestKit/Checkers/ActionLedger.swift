package import WeftCore
package import WeftGossip

/// A mock world that knows what a core may do, and names what it may not. One for each process.
///
/// It keeps its own books from the actions alone: which streams are open, how each member stands, which joins and
/// queries run, which events were delivered. It shares no code with the core.
package struct ActionLedger: Sendable {
    /// The name of the process's node.
    private let own: MemberName
    private var hasLeft = false
    private var lastOpened: UInt64 = 0
    /// Streams that others opened, and when; the value is true once answered.
    private var accepted: [StreamID: (since: Instant, isAnswered: Bool)] = [:]
    /// Streams that were dialled with a wish for an answer.
    private var dialled: [StreamID: Instant] = [:]
    /// How members stand by what was reported.
    private var standing: [MemberName: Standing] = [:]
    private var deliveredEvents: Set<EventKey> = []
    private var finishedJoins: Set<JoinID> = []
    private var finishedQueries: Set<QueryKey> = []

    package init(own: MemberName) { self.own = own }

    private enum Standing: Sendable { case present, failed, left }

    private struct EventKey: Hashable, Sendable {
        let name: String
        let payload: [UInt8]
        let time: LamportTime
    }

    /// The largest datagram: the budget for messages and the checksum's 5 bytes (serf-protocol.md section 1.6).
    private static let datagramLimit = 1405

    /// Tells that the shell accepted a stream.
    package mutating func accepted(_ stream: StreamID, at now: Instant) {
        accepted[stream] = (now, false)
        lastOpened = max(lastOpened, stream.number)
    }

    /// Tells that the shell has told the core the end of a stream.
    package mutating func heard(_ stream: StreamID) { dialled[stream] = nil }

    /// What is wrong with an action; nil when nothing is.
    package mutating func check(_ action: GossipAction, at now: Instant) -> String? {
        if hasLeft { return "\(action.kind) after having left" }
        switch action {
        case .send(let bytes, let target): return checkDatagram(bytes, target)
        case .openStream(let stream, let target, let message, let deadline, let expectsReply):
            guard deadline > now else { return "dials with a deadline that has passed" }
            return checkDial(stream, target, message, expectsReply, now)
        case .reply(let stream, let bytes): return checkReply(stream, bytes)
        case .closeStream(let stream):
            accepted[stream] = nil
            return stream.number <= lastOpened ? nil : "closes \(stream), which never was"
        case .wake: return nil
        case .memberChanged(let change): return check(change)
        case .userEvent(let event):
            let key = EventKey(name: event.name, payload: event.payload, time: event.time)
            return deliveredEvents.insert(key).inserted ? nil : "delivers \(event.name) at \(event.time) twice"
        case .joinFinished(let outcome):
            let isFirst = outcome.id == .rejoin || finishedJoins.insert(outcome.id).inserted
            return isFirst ? nil : "finishes \(outcome.id) twice"
        case .queryResponse(let response):
            return finishedQueries.contains(response.query) ? "a response after the end of its query" : nil
        case .queryFinished(let outcome):
            return finishedQueries.insert(outcome.query).inserted ? nil : "finishes a query twice"
        case .left:
            hasLeft = true
            return nil
        case .queryReceived, .keyOperationFinished, .sectionReceived, .directReceived, .keyringChanged,
            .nameConflictLost:
            return nil
        }
    }

    /// Streams that have been open for longer than any exchange may take.
    package func overdueStreams(at now: Instant, limit: Duration) -> Int {
        accepted.values.filter { now - $0.since > limit }.count + dialled.values.filter { now - $0 > limit }.count
    }
}

// MARK: - Traffic

extension ActionLedger {
    private func checkDatagram(_ bytes: [UInt8], _ target: NetworkAddress) -> String? {
        guard !bytes.isEmpty else { return "sends an empty datagram" }
        guard bytes.count <= Self.datagramLimit else { return "sends a datagram of \(bytes.count) bytes" }
        guard target.port != 0, !target.ip.isUnspecified else { return "sends to \(target)" }
        // To itself it may send: the answer to a query of its own goes that way, as with stock agents.
        return nil
    }

    private mutating func checkDial(
        _ stream: StreamID,
        _ target: NetworkAddress,
        _ message: [UInt8],
        _ expectsReply: Bool,
        _ now: Instant
    ) -> String? {
        guard stream.number > lastOpened else { return "uses \(stream) again" }
        lastOpened = stream.number
        if expectsReply { dialled[stream] = now }
        guard !message.isEmpty else { return "dials with nothing to say" }
        return target.simulatedHost == own.simulatedHost ? "dials itself" : nil
    }

    private mutating func checkReply(_ stream: StreamID, _ bytes: [UInt8]) -> String? {
        guard let entry = accepted[stream] else { return "answers on \(stream), which is not open" }
        guard !entry.isAnswered else { return "answers twice on \(stream)" }
        accepted[stream]?.isAnswered = true
        return bytes.isEmpty ? "answers with nothing" : nil
    }
}

// MARK: - Members

extension ActionLedger {
    private mutating func check(_ change: MemberChange) -> String? {
        let name = change.member.name
        let before = standing[name]
        let isLegal: Bool
        switch change.kind {
        case .joined:
            isLegal = before != .present
            standing[name] = .present
        case .updated, .availability: isLegal = before == .present
        case .failed:
            isLegal = before == .present
            standing[name] = .failed
        case .left:
            // Also of a failed member, whose leave is learned late or forced.
            isLegal = before == .present || before == .failed
            standing[name] = .left
        case .reaped:
            isLegal = before == .failed || before == .left
            standing[name] = nil
        }
        guard isLegal else { return "reports \(name) as \(change.kind) after \(before.map { "\($0)" } ?? "nothing")" }
        guard change.kind != .failed || name != own else { return "reports itself as failed" }
        return nil
    }
}

extension GossipAction {
    /// The case's name, for messages.
    fileprivate var kind: String { String("\(self)".prefix { $0 != "(" }) }
}

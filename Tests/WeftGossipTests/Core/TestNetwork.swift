import WeftCore

@testable import WeftGossip

/// A few gossip nodes on one virtual network: a clock that only moves when told, a fixed delay, and faults on demand.
/// Everything follows from the seed.
final class TestNetwork {
    /// What happened on a node, apart from traffic and wake-ups.
    struct Host {
        var node: GossipNode
        let address: NetworkAddress
        var log: [GossipAction] = []
        var wake: Instant?
        /// It has no process: nothing arrives, nothing is sent.
        var isDead = false
        /// Its process stands still: what arrives waits.
        var isPaused = false
        /// Its UDP is blocked, TCP is not.
        var losesDatagrams = false
    }

    private enum Event {
        case datagram([UInt8], from: NetworkAddress, to: NetworkAddress)
        case request([UInt8], stream: StreamID, from: Int, to: NetworkAddress, expectsReply: Bool)
        case answer([UInt8]?, stream: StreamID, to: Int)
    }

    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    var hosts: [Host] = []
    var random: WireRandom
    /// Pairs of hosts that cannot reach each other.
    private var cuts: Set<[Int]> = []
    private var events: [(time: Instant, number: Int, event: Event)] = []
    private var lastNumber = 0
    let delay = Duration.milliseconds(1)
    /// Datagrams that were sent: from, to, bytes.
    private(set) var traffic: [(from: Int, to: NetworkAddress, bytes: [UInt8])] = []

    init(seed: UInt64 = 1) { random = WireRandom(seed: seed) }

    static func address(_ index: Int) -> NetworkAddress {
        NetworkAddress(.v4(0x0a00_0001 + UInt32(index)), port: 7946)
    }

    /// Adds a started node called n0, n1 and so on.
    @discardableResult
    func add(
        snapshot: GossipSnapshot? = nil,
        _ change: (inout GossipConfiguration) -> Void = { _ in }
    ) throws -> Int {
        let index = hosts.count
        var configuration = GossipConfiguration(
            name: MemberName("n\(index)"),
            advertise: Self.address(index),
            tags: ["weft": "1"]
        )
        change(&configuration)
        let node = try GossipNode(configuration, snapshot: snapshot)
        hosts.append(Host(node: node, address: configuration.advertise))
        run(index) { $0.start(now: $1, using: &$2, into: &$3) }
        return index
    }

    /// A pool of this many nodes that all know each other.
    func pool(of count: Int, _ change: (inout GossipConfiguration) -> Void = { _ in }) throws {
        for _ in 0..<count { try add(change) }
        for index in 1..<count { try join(index, to: 0) }
        advance(.seconds(3))
    }

    /// Replaces a host's process by a new one.
    func restart(_ index: Int, _ configuration: GossipConfiguration, snapshot: GossipSnapshot? = nil) throws {
        hosts[index].node = try GossipNode(configuration, snapshot: snapshot)
        hosts[index].isDead = false
        hosts[index].wake = nil
        hosts[index].log = []
        run(index) { $0.start(now: $1, using: &$2, into: &$3) }
    }

    func join(_ index: Int, to other: Int) throws {
        let target = hosts[other].address
        try command(index) { node, now, random, actions throws(GossipError) in
            try node.join([target], now: now, using: &random, into: &actions)
        }
    }

    func kill(_ index: Int) { hosts[index].isDead = true }

    func pause(_ index: Int) { hosts[index].isPaused = true }

    func resume(_ index: Int) { hosts[index].isPaused = false }

    func cut(_ left: Int, _ right: Int) { cuts.insert([min(left, right), max(left, right)]) }

    func heal() { cuts = [] }

    func blockDatagrams(of index: Int) { hosts[index].losesDatagrams = true }

    func clearLogs() { for index in hosts.indices { hosts[index].log = [] } }

    func clearTraffic() { traffic = [] }

    /// Calls a node, and carries out what it wants.
    func run(
        _ index: Int,
        _ body: (inout GossipNode, Instant, inout WireRandom, inout [GossipAction]) -> Void
    ) {
        var actions: [GossipAction] = []
        body(&hosts[index].node, now, &random, &actions)
        carryOut(actions, of: index)
    }

    @discardableResult
    func command<Result>(
        _ index: Int,
        _ body: (inout GossipNode, Instant, inout WireRandom, inout [GossipAction]) throws(GossipError) -> Result
    ) throws(GossipError) -> Result {
        var actions: [GossipAction] = []
        let result = try body(&hosts[index].node, now, &random, &actions)
        carryOut(actions, of: index)
        return result
    }

    func inject(_ bytes: [UInt8], into index: Int, from source: NetworkAddress = address(99)) {
        run(index) { $0.datagramReceived(bytes, from: source, now: $1, using: &$2, into: &$3) }
    }

    /// Sends unencrypted messages to a node as if a member had.
    func inject(_ messages: [MemberlistMessage], into index: Int, from source: NetworkAddress = address(99)) {
        for message in messages { inject(message.encoded(), into: index, from: source) }
    }
}

// MARK: - Time

extension TestNetwork {
    /// Lets time pass.
    func advance(_ duration: Duration) {
        let end = now + duration
        while let next = nextTime(), next <= end {
            now = max(now, next)
            step()
        }
        now = end
    }

    /// Lets time pass until something holds, at most for `limit`; tells how long it took, nil if it never did.
    func advance(until limit: Duration, _ condition: () -> Bool) -> Duration? {
        let start = now
        while now - start <= limit {
            if condition() { return now - start }
            advance(.milliseconds(50))
        }
        return nil
    }

    private func isRunning(_ index: Int) -> Bool { !hosts[index].isDead && !hosts[index].isPaused }

    private func nextTime() -> Instant? {
        let wakes = hosts.indices.filter { isRunning($0) }.compactMap { hosts[$0].wake }
        return (wakes + [deliverable()].compactMap { $0.map { events[$0].time } }).min()
    }

    private func deliverable() -> Int? {
        events.indices.filter { !isWaiting(events[$0].event) }.min {
            (events[$0].time, events[$0].number) < (events[$1].time, events[$1].number)
        }
    }

    /// What goes to a paused host waits in its socket.
    private func isWaiting(_ event: Event) -> Bool {
        switch event {
        case .datagram(_, _, let target), .request(_, _, _, let target, _):
            hosts.contains { $0.address == target && $0.isPaused && !$0.isDead }
        case .answer(_, _, let target): hosts[target].isPaused
        }
    }

    private func step() {
        if let index = deliverable(), events[index].time <= now {
            let event = events.remove(at: index).event
            deliver(event)
            return
        }
        for index in hosts.indices where isRunning(index) {
            guard let wake = hosts[index].wake, wake <= now else { continue }
            hosts[index].wake = nil
            run(index) { $0.timerFired(now: $1, using: &$2, into: &$3) }
            return
        }
    }
}

// MARK: - Traffic

extension TestNetwork {
    private func carryOut(_ actions: [GossipAction], of index: Int) {
        for action in actions {
            switch action {
            case .send(let bytes, let target):
                traffic.append((index, target, bytes))
                guard !hosts[index].losesDatagrams else { continue }
                schedule(.datagram(bytes, from: hosts[index].address, to: target))
            case .openStream(let stream, let target, let message, _, let expectsReply):
                schedule(.request(message, stream: stream, from: index, to: target, expectsReply: expectsReply))
            case .reply, .closeStream: break
            case .wake(let time): hosts[index].wake = time
            default: hosts[index].log.append(action)
            }
        }
    }

    private func schedule(_ event: Event) {
        lastNumber += 1
        events.append((now + delay, lastNumber, event))
    }

    private func deliver(_ event: Event) {
        switch event {
        case .datagram(let bytes, let source, let target):
            guard let index = reachable(target, from: source), !hosts[index].losesDatagrams else { return }
            run(index) { $0.datagramReceived(bytes, from: source, now: $1, using: &$2, into: &$3) }
        case .request(let bytes, let stream, let index, let target, let expectsReply):
            guard let host = reachable(target, from: hosts[index].address) else {
                if expectsReply { schedule(.answer(nil, stream: stream, to: index)) }
                return
            }
            let answer = serve(bytes, at: host)
            if expectsReply { schedule(.answer(answer, stream: stream, to: index)) }
        case .answer(let bytes, let stream, let index):
            guard !hosts[index].isDead else { return }
            finish(stream, of: index, bytes)
        }
    }

    private func reachable(_ target: NetworkAddress, from source: NetworkAddress) -> Int? {
        guard let index = hosts.firstIndex(where: { $0.address == target && !$0.isDead }) else { return nil }
        guard let other = hosts.firstIndex(where: { $0.address == source }) else { return index }
        return cuts.contains([min(index, other), max(index, other)]) ? nil : index
    }

    /// The acceptor's side of a stream, all at once.
    private func serve(_ bytes: [UInt8], at index: Int) -> [UInt8]? {
        guard let stream = hosts[index].node.streamAccepted(now: now) else { return nil }
        var decoder = hosts[index].node.streamDecoder(for: stream)
        var actions: [GossipAction] = []
        do throws(WireError) {
            guard let message = try decoder.receive(bytes) else { return nil }
            hosts[index].node.streamReceived(
                message,
                byteCount: bytes.count,
                on: stream,
                now: now,
                using: &random,
                into: &actions
            )
        } catch {
            hosts[index].node.streamFailed(
                stream,
                .malformed,
                error: error,
                now: now,
                using: &random,
                into: &actions
            )
        }
        carryOut(actions, of: index)
        for case .reply(stream, let reply) in actions { return reply }
        return nil
    }

    private func finish(_ stream: StreamID, of index: Int, _ bytes: [UInt8]?) {
        var decoder = hosts[index].node.streamDecoder(for: stream)
        run(index) { node, now, random, actions in
            do throws(WireError) {
                guard let bytes, let message = try decoder.receive(bytes) else {
                    let failure: StreamFailure = bytes == nil ? .unreachable : .closed
                    node.streamFailed(stream, failure, now: now, using: &random, into: &actions)
                    return
                }
                node.streamReceived(
                    message,
                    byteCount: bytes.count,
                    on: stream,
                    now: now,
                    using: &random,
                    into: &actions
                )
            } catch {
                node.streamFailed(stream, .malformed, error: error, now: now, using: &random, into: &actions)
            }
        }
    }
}

// MARK: - Looking

extension TestNetwork {
    func state(_ name: MemberName, on index: Int) -> Member.State? { hosts[index].node.state(of: name) }

    /// How `name` is shown on each of these hosts.
    func states(_ name: MemberName, on indices: some Sequence<Int>) -> [Member.State?] {
        indices.map { state(name, on: $0) }
    }

    func changes(on index: Int, about name: MemberName) -> [MemberChange.Kind] {
        hosts[index].log.compactMap {
            guard case .memberChanged(let change) = $0, change.member.name == name else { return nil }
            return change.kind
        }
    }

    func userEvents(on index: Int) -> [UserEvent] {
        hosts[index].log.compactMap { if case .userEvent(let event) = $0 { event } else { nil } }
    }
}

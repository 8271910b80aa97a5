internal import Logging
internal import NIOCore
internal import WeftCore
internal import WeftGossip

/// The gossip node on its event loop: translates datagrams, streams and time for the core, and carries out its actions.
///
/// Confined to its loop, which carries nothing else: a merge of a large pool's state must not delay bytes, and bytes must
/// not delay an acknowledgement, for which other hosts wait half a second. `Gossip` is the way in from elsewhere.
final class GossipLoop {
    let eventLoop: any EventLoop
    let logger: Logger
    /// SO_MARK of dials, so that they are not captured; nil where no capture can be (tests).
    let dialMark: UInt32?
    var node: GossipNode
    private var random = SystemRandomNumberGenerator()
    private let deliver: (GossipNotices) -> Void

    /// One UDP socket for each family that this host has.
    private var sockets: [IPFamily: any Channel] = [:]
    var streams: [StreamID: GossipStream] = [:]
    /// Bytes that all streams together hold of messages which are not complete yet.
    var streamBytes = 0

    private var wake: Scheduled<Void>?
    private var actions: [GossipAction] = []
    private var notices: [GossipNotice] = []
    /// The core is at work: what happens meanwhile waits for the next turn of the loop.
    private var isBusy = false
    private(set) var isStopped = false
    private(set) var sendDrops: UInt64 = 0

    // Who waits for what.
    private var joins: [JoinID: EventLoopPromise<JoinOutcome>] = [:]
    private var keyOperations: [QueryKey: EventLoopPromise<KeyOutcome>] = [:]
    private var leaves: [EventLoopPromise<Void>] = []

    init(
        eventLoop: any EventLoop,
        node: GossipNode,
        dialMark: UInt32?,
        logger: Logger,
        deliver: @escaping (GossipNotices) -> Void
    ) {
        self.eventLoop = eventLoop
        self.node = node
        self.dialMark = dialMark
        self.logger = logger
        self.deliver = deliver
    }

    var now: Instant { Instant.now(on: eventLoop) }

    func attach(_ socket: any Channel, for family: IPFamily) { sockets[family] = socket }

    // MARK: One turn of the core

    /// Calls the core and carries out what it wants; afterwards when it is being carried out already. A dial to an address
    /// without a route fails at once, for one, in the middle of the action that asked for it.
    func turn(
        _ body: @escaping (inout GossipNode, Instant, inout SystemRandomNumberGenerator, inout [GossipAction]) -> Void
    ) {
        guard !isBusy else {
            eventLoop.assumeIsolated().execute {
                self.turn(body)
                self.flush()
            }
            return
        }
        guard !isStopped else { return }
        isBusy = true
        body(&node, now, &random, &actions)
        finishTurn()
    }

    /// The same for a command, which may be refused before it changes anything.
    func command<Value>(
        _ body: (inout GossipNode, Instant, inout SystemRandomNumberGenerator, inout [GossipAction]) throws -> Value
    ) throws -> Value {
        precondition(!isBusy, "the gossip core was called while its actions are carried out")
        guard !isStopped else { throw GossipError.leaving }
        isBusy = true
        defer { finishTurn() }
        return try body(&node, now, &random, &actions)
    }

    private func finishTurn() {
        for action in actions { carryOut(action) }
        actions.removeAll(keepingCapacity: true)
        isBusy = false
        guard !notices.isEmpty else { return }
        deliver(GossipNotices(notices: notices, isAfterGap: false, time: now))
        notices.removeAll(keepingCapacity: true)
    }

    private func carryOut(_ action: GossipAction) {
        switch action {
        case .send(let bytes, let address): send(bytes, to: address)
        case .openStream(let id, let address, let message, let deadline, let expectsReply):
            openStream(id, to: address, message: message, deadline: deadline, expectsReply: expectsReply)
        case .reply(let id, let bytes): streams[id]?.write(bytes)
        case .closeStream(let id): closeStream(id)
        case .wake(let time): schedule(at: time)
        case .memberChanged(let change): notices.append(.memberChanged(change))
        case .userEvent(let event): notices.append(.userEvent(event))
        case .queryReceived(let query): notices.append(.query(query))
        // Of queries that weft itself asks, of which there are none but for keys.
        case .queryResponse, .queryFinished: break
        case .keyOperationFinished(let outcome): keyOperations.removeValue(forKey: outcome.query)?.succeed(outcome)
        case .sectionReceived(let bytes, let name): notices.append(.section(bytes, from: name))
        case .directReceived(let bytes, let name): notices.append(.direct(bytes, from: name))
        case .joinFinished(let outcome): joins.removeValue(forKey: outcome.id)?.succeed(outcome)
        case .keyringChanged(let keys): notices.append(.keys(keys))
        case .left:
            for promise in leaves { promise.succeed() }
            leaves = []
        case .nameConflictLost: notices.append(.nameConflictLost)
        }
    }

    private func schedule(at time: Instant) {
        wake?.cancel()
        wake = eventLoop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(time.nanoseconds)) {
            self.wake = nil
            self.turn { node, now, random, actions in node.timerFired(now: now, using: &random, into: &actions) }
            self.flush()
        }
    }

    // MARK: Datagrams

    func datagramReceived(_ bytes: [UInt8], from source: NetworkAddress) {
        turn { node, now, random, actions in
            node.datagramReceived(bytes, from: source, now: now, using: &random, into: &actions)
        }
    }

    /// Gossip expects loss: what cannot be sent now is dropped, not kept.
    private func send(_ bytes: [UInt8], to address: NetworkAddress) {
        guard let socket = sockets[address.ip.family], socket.isWritable,
            let remote = try? SocketAddress(address)
        else {
            sendDrops += 1
            return
        }
        let envelope = AddressedEnvelope(remoteAddress: remote, data: socket.allocator.buffer(bytes: bytes))
        socket.write(envelope, promise: nil)
    }

    /// Hands to the kernel what the turns since the last flush wrote, in as few system calls as it takes.
    func flush() {
        for family in IPFamily.allCases { sockets[family]?.flush() }
    }

    // MARK: Commands with a later answer

    func join(_ addresses: [NetworkAddress], promise: EventLoopPromise<JoinOutcome>) {
        do {
            // The outcome may be among the actions already, so the promise is entered before they are carried out.
            try command { node, now, random, actions in
                joins[try node.join(addresses, now: now, using: &random, into: &actions)] = promise
            }
            flush()
        } catch {
            promise.fail(error)
        }
    }

    func manageKeys(_ operation: KeyOperation, promise: EventLoopPromise<KeyOutcome>) {
        do {
            try command { node, now, random, actions in
                let key = try node.manageKeys(operation, now: now, using: &random, into: &actions)
                keyOperations[key] = promise
            }
            flush()
        } catch {
            promise.fail(error)
        }
    }

    func leave(promise: EventLoopPromise<Void>) {
        guard node.isRunning else { return promise.succeed() }
        leaves.append(promise)
        turn { node, now, random, actions in node.leave(now: now, using: &random, into: &actions) }
        flush()
    }

    /// Ends everything at once; whoever waits is told.
    func stop() {
        guard !isStopped else { return }
        isStopped = true
        wake?.cancel()
        for (_, stream) in streams.sorted(by: { $0.key < $1.key }) { stream.abandon() }
        streams = [:]
        for family in IPFamily.allCases { sockets[family]?.close(promise: nil) }
        sockets = [:]
        for (_, promise) in joins { promise.fail(GossipError.leaving) }
        for (_, promise) in keyOperations { promise.fail(GossipError.leaving) }
        for promise in leaves { promise.succeed() }
        (joins, keyOperations, leaves) = ([:], [:], [])
    }
}

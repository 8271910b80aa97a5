package import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization
package import WeftCore
package import WeftGossip

/// This host's membership in the mesh: the gossip core with its sockets, on a thread of its own.
///
/// Every call submits to the gossip loop and returns when it has answered. What the core has to tell by itself comes
/// through `notices`, which has one reader.
///
/// Its methods are `@concurrent`: with Swift 6.3 an optimised build of one that inherits its caller's isolation can come
/// back from NIO's `get()` on the wrong executor, and an actor that called it then goes on outside of its isolation.
package final class Gossip: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let loop: NIOLoopBound<GossipLoop>
    private let listeners = Mutex<[any Channel]>([])
    private let isStopped = Mutex(false)
    /// What happened, in order and bounded: a reader that is too slow finds `isAfterGap`.
    package let notices: AsyncStream<GossipNotices>

    /// Turns of the loop whose notices may wait for the reader.
    private static let noticesMax = 4096

    private init(
        group: MultiThreadedEventLoopGroup,
        loop: NIOLoopBound<GossipLoop>,
        notices: AsyncStream<GossipNotices>
    ) {
        self.group = group
        self.loop = loop
        self.notices = notices
    }

    /// Binds UDP and TCP on all of this host's addresses and begins, as a mesh of one or on the way back into the one of
    /// the snapshot.
    ///
    /// - Parameter section: what goes with the first exchanges, as in `setSection`: a host on its way back has no later ones.
    /// - Parameter dialMark: SO_MARK for dials; nil leaves them unmarked.
    /// - Throws: `GossipConfigurationError`, or `GossipBindError` when the port is taken. Nothing is left running then.
    @concurrent package static func start(
        _ configuration: GossipConfiguration,
        snapshot: GossipSnapshot?,
        section: [UInt8] = [],
        bindAddresses: [IPAddress] = [.anyV4, .anyV6],
        dialMark: UInt32?,
        logger: Logger
    ) async throws -> Gossip {
        var node = try GossipNode(configuration, snapshot: snapshot)
        node.section = section
        let (notices, continuation) = AsyncStream.makeStream(
            of: GossipNotices.self,
            bufferingPolicy: .bufferingOldest(noticesMax)
        )
        let mailbox = Mailbox(continuation)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let eventLoop = group.next()
        let loop = try await eventLoop.submit { [node] in
            NIOLoopBound(
                GossipLoop(
                    eventLoop: eventLoop,
                    node: node,
                    dialMark: dialMark,
                    logger: logger,
                    deliver: { mailbox.deliver($0) }
                ),
                eventLoop: eventLoop
            )
        }.get()
        let gossip = Gossip(group: group, loop: loop, notices: notices)
        do {
            for address in bindAddresses {
                try await gossip.bind(NetworkAddress(address, port: configuration.advertise.port))
            }
        } catch {
            await gossip.stop()
            throw error
        }
        try await gossip.onLoop { loop in
            loop.turn { node, now, random, actions in node.start(now: now, using: &random, into: &actions) }
            loop.flush()
        }
        return gossip
    }

    /// One UDP socket and one TCP listener. A family that this host does not have is left out.
    @concurrent private func bind(_ address: NetworkAddress) async throws {
        let loop = loop
        do {
            var datagrams = DatagramBootstrap(group: group).channelOption(.socketOption(.so_reuseaddr), value: 1)
            var streams = ServerBootstrap(group: group).serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            if address.ip.family == .v6 {
                datagrams = datagrams.channelOption(Self.v6Only, value: 1)
                streams = streams.serverChannelOption(Self.v6Only, value: 1)
            }
            let socket =
                try await datagrams
                .channelOption(.datagramVectorReadMessageCount, value: Self.datagramsPerRead)
                .channelOption(
                    .recvAllocator,
                    value: FixedSizeRecvByteBufferAllocator(capacity: Self.datagramsPerRead * Self.datagramBytesMax)
                )
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(GossipDatagrams(loop.value))
                    }
                }
                .bind(to: try SocketAddress(address))
                .get()
            try await onLoop { $0.attach(socket, for: address.ip.family) }
            let listener =
                try await streams
                .serverChannelOption(.backlog, value: Self.backlog)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelInitializer { channel in loop.value.accept(channel) }
                .bind(to: try SocketAddress(address))
                .get()
            listeners.withLock { $0.append(listener) }
        } catch {
            if address.ip.family == .v6, GossipBindError.isMissingFamily(error) { return }
            throw GossipBindError(address: address, reason: "\(error)")
        }
    }

    /// Each family has sockets of its own: answers then carry addresses in the family that members know.
    private static let v6Only = ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only)
    /// A burst of datagrams is read with one system call. Each has room for more than gossip sends in one, and far less
    /// than UDP could carry: what is longer is cut off, cannot be decoded and is counted as such.
    private static let datagramsPerRead = 16
    private static let datagramBytesMax = 16 * 1024
    /// Dials that may wait to be accepted: the core takes 128 at a time.
    private static let backlog: CInt = 256

    // MARK: What the owner asks

    /// Everybody who is known, this host included, and the time by which their `since` counts.
    @concurrent package func members() async throws -> (members: [Member], now: Instant) {
        try await onLoop { ($0.node.members, $0.now) }
    }

    @concurrent package func report() async throws -> GossipReport {
        try await onLoop { loop in
            GossipReport(counters: loop.node.counters, gauges: loop.node.gauges, sendDrops: loop.sendDrops)
        }
    }

    /// What to keep for the next start.
    @concurrent package func snapshot() async throws -> GossipSnapshot { try await onLoop { $0.node.snapshot } }

    // MARK: What the owner does

    /// Exchanges states with the hosts at these addresses. Ends when all have answered or failed.
    @concurrent package func join(_ addresses: [NetworkAddress]) async throws -> JoinOutcome {
        let promise = loop.eventLoop.makePromise(of: JoinOutcome.self)
        loop.eventLoop.execute { [loop] in loop.value.join(addresses, promise: promise) }
        return try await promise.futureResult.get()
    }

    /// Tells the mesh that this host goes. Ends when that has been spread, a few seconds at most.
    @concurrent package func leave() async throws {
        let promise = loop.eventLoop.makePromise(of: Void.self)
        loop.eventLoop.execute { [loop] in loop.value.leave(promise: promise) }
        try await promise.futureResult.get()
    }

    /// Declares a failed host gone, everywhere.
    @concurrent package func forceLeave(_ name: MemberName) async throws {
        try await command { node, now, random, actions in
            try node.forceLeave(name, prune: false, now: now, using: &random, into: &actions)
        }
    }

    @concurrent package func sendUserEvent(name: String, payload: [UInt8], coalesce: Bool) async throws {
        try await command { node, now, random, actions in
            _ = try node.sendUserEvent(
                name: name,
                payload: payload,
                coalesce: coalesce,
                now: now,
                using: &random,
                into: &actions
            )
        }
    }

    /// What goes with every exchange of states with a weft host.
    package func setSection(_ section: [UInt8]) {
        loop.eventLoop.execute { [loop] in loop.value.node.section = section }
    }

    @concurrent package func setTags(_ tags: Tags) async throws {
        try await command { node, now, random, actions in
            try node.setTags(tags, now: now, using: &random, into: &actions)
        }
    }

    /// Sends bytes to one weft host over TCP, unconfirmed.
    @concurrent package func sendDirect(_ payload: [UInt8], to name: MemberName) async throws {
        try await command { node, now, random, actions in
            try node.sendDirect(payload, to: name, now: now, using: &random, into: &actions)
        }
    }

    /// Lists or changes the keys of all hosts; ends when all have answered, or after the time for a query.
    @concurrent package func manageKeys(_ operation: KeyOperation) async throws -> KeyOutcome {
        let promise = loop.eventLoop.makePromise(of: KeyOutcome.self)
        loop.eventLoop.execute { [loop] in loop.value.manageKeys(operation, promise: promise) }
        return try await promise.futureResult.get()
    }

    /// Replaces this host's keys and what they are used for. The others are not told: the steps from `have` to `send`
    /// and on to `only` are for all hosts, and nobody is lost only if none of them is ahead by more than one.
    @concurrent package func setEncryption(keys: [[UInt8]], mode: EncryptionMode) async throws {
        try await onLoop { try $0.node.setEncryption(keys: keys, mode: mode) }
    }

    // MARK: The end

    /// Closes everything at once; to the others this host has failed, unless it left before. Nothing may be asked of it
    /// afterwards.
    @concurrent package func stop() async {
        // A loop that has ended answers nobody.
        let isFirst = isStopped.withLock { stopped in
            defer { stopped = true }
            return !stopped
        }
        guard isFirst else { return }
        for listener in listeners.withLock({ $0 }) { try? await listener.close() }  // Closed already is as good.
        // Neither fails but for a loop that has ended already.
        try? await onLoop { $0.stop() }
        try? await group.shutdownGracefully()
    }

    @concurrent private func onLoop<Value: Sendable>(_ body: @escaping @Sendable (GossipLoop) throws -> Value)
        async throws -> Value
    {
        try await loop.eventLoop.submit { [loop] in try body(loop.value) }.get()
    }

    @concurrent private func command(
        _ body:
            @escaping @Sendable (
                inout GossipNode, Instant, inout SystemRandomNumberGenerator, inout [GossipAction]
            ) throws -> Void
    ) async throws {
        try await onLoop { loop in
            try loop.command(body)
            loop.flush()
        }
    }
}

/// The numbers of the gossip core and its shell.
package struct GossipReport: Sendable {
    package let counters: GossipCounters
    package let gauges: GossipGauges
    /// Datagrams that could not be handed to the kernel.
    package let sendDrops: UInt64
}

/// The gossip port could not be bound.
package struct GossipBindError: Error, CustomStringConvertible {
    package let address: NetworkAddress
    package let reason: String

    package var description: String { "gossip cannot listen on \(address): \(reason)" }

    static func isMissingFamily(_ error: any Error) -> Bool {
        guard let code = (error as? IOError)?.errnoCode else { return false }
        return code == EAFNOSUPPORT || code == EADDRNOTAVAIL
    }
}

/// Hands notices to the reader, and remembers when some had to be dropped. On the gossip loop only.
private final class Mailbox: @unchecked Sendable {
    // Protected by being called on the gossip loop only.
    private var hasGap = false
    private let continuation: AsyncStream<GossipNotices>.Continuation

    init(_ continuation: AsyncStream<GossipNotices>.Continuation) { self.continuation = continuation }

    func deliver(_ notices: GossipNotices) {
        let marked = GossipNotices(notices: notices.notices, isAfterGap: hasGap, time: notices.time)
        if case .dropped = continuation.yield(marked) { hasGap = true } else { hasGap = false }
    }
}

package import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization
package import WeftCatalog
package import WeftCore
package import WeftProxy

/// The event loops that carry bytes, and the only way for the control side to reach them.
///
/// Every call submits to the loops and returns when they have answered; nothing is shared with them and nothing locks.
/// Snapshots and settings are replaced whole: a connection sees one or the other, never a mixture.
package final class DataPlane: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let loops: [NIOLoopBound<DataLoop>]
    private let listeners: [CaptureListener]
    private let listening = Mutex<[any Channel]>([])
    private let logger: Logger
    package let budget: ConnectionBudget

    private init(
        group: MultiThreadedEventLoopGroup,
        loops: [NIOLoopBound<DataLoop>],
        listeners: [CaptureListener],
        budget: ConnectionBudget,
        logger: Logger
    ) {
        self.group = group
        self.loops = loops
        self.listeners = listeners
        self.budget = budget
        self.logger = logger
    }

    /// Starts the loops. Connections wait in the listeners' backlogs until `accept` is called: what decides about them
    /// should be published before.
    ///
    /// `makeLookup` is called once on each loop. Throws what it throws; nothing is left running then.
    package static func start(
        loopCount: Int,
        listeners: [CaptureListener],
        settings: DataPlaneSettings,
        snapshot: MeshSnapshot,
        makeLookup: @escaping @Sendable () throws -> any SocketLookup,
        resolveWorkload: @escaping WorkloadResolver,
        logger: Logger
    ) async throws -> DataPlane {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loopCount)
        let budget = ConnectionBudget(limit: settings.connectionsMax)
        let own = Set(listeners.map(\.address))
        do {
            var loops: [NIOLoopBound<DataLoop>] = []
            for (index, eventLoop) in group.makeIterator().enumerated() {
                let loop = try await eventLoop.submit {
                    let loop = DataLoop(
                        index: UInt8(truncatingIfNeeded: index),
                        eventLoop: eventLoop,
                        budget: budget,
                        lookup: try makeLookup(),
                        resolveWorkload: resolveWorkload,
                        ownListeners: own,
                        settings: settings,
                        loopCount: loopCount,
                        snapshot: snapshot,
                        logger: logger
                    )
                    return NIOLoopBound(loop, eventLoop: eventLoop)
                }.get()
                loops.append(loop)
            }
            return DataPlane(group: group, loops: loops, listeners: listeners, budget: budget, logger: logger)
        } catch {
            try? await group.shutdownGracefully()  // The error that matters is the one that brought us here.
            throw error
        }
    }

    /// Begins to accept on the listeners, whose descriptors the data plane owns from then on. Once.
    package func accept() async throws {
        for listener in listeners {
            let channel = try await accept(on: listener)
            listening.withLock { $0.append(channel) }
        }
    }

    private func accept(on listener: CaptureListener) async throws -> any Channel {
        let (budget, logger, loops) = (budget, logger, loops)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptGate(budget: budget, logger: logger))
                }
            }
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.writeBufferWaterMark, value: Carrying.waterMark)
            .childChannelOption(.maxMessagesPerRead, value: Carrying.readsPerTurn)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let bound = loops.first(where: { $0.eventLoop === channel.eventLoop }) else {
                        preconditionFailure("a connection was accepted on a loop that is not the data plane's")
                    }
                    let loop = bound.value
                    let connection = loop.register {
                        Connection(id: $0, loop: loop, kind: listener.kind, listener: listener.address)
                    }
                    try channel.pipeline.syncOperations.addHandler(connection.client)
                }
            }
            .withBoundSocket(listener.descriptor)
            .get()
        // NIO has called listen() on the socket with a backlog of its own choice.
        try RawSocket(listener.descriptor).listen(backlog: CaptureListener.backlog)
        return channel
    }

    // MARK: What the control side publishes

    package func publish(_ snapshot: MeshSnapshot) {
        forEachLoop { $0.snapshot = snapshot }
    }

    package func publish(workloads: [CgroupID: Workload]) {
        forEachLoop { $0.workloads = workloads }
    }

    /// Settings for connections that start from now on. The size of the decision ring stays what it was at the start.
    package func update(_ settings: DataPlaneSettings) {
        budget.setLimit(settings.connectionsMax)
        forEachLoop { $0.settings = settings }
    }

    // MARK: What the control side reads

    package func counters() async throws -> TrafficCounters {
        var sum = TrafficCounters()
        for counters in try await collect({ $0.counters }) { sum.merge(counters) }
        sum.acceptPauses = budget.pauseCount
        return sum
    }

    /// The live connections, oldest first.
    package func connections() async throws -> [LiveConnection] {
        try await collect { $0.liveConnections }.flatMap { $0 }.sorted { $0.age > $1.age }
    }

    /// The last finished connections, newest first.
    package func decisions(last count: Int) async throws -> [Decision] {
        let all = try await collect { $0.decisions.last(count) }.flatMap { $0 }
        let sorted = all.sorted { ($1.ended, $1.id) < ($0.ended, $0.id) }
        return Array(sorted.prefix(count))
    }

    /// Returns when every loop has taken its turn: the proof of life that the watchdog asks for.
    package func beat() async throws {
        _ = try await collect { $0.index }
    }

    // MARK: The end

    /// Ends in an orderly way, after capture has been taken away: accepts what is still on its way here, stops accepting,
    /// and waits until no connection is left. After `deadline` the remaining ones are reset.
    package func drain(deadline: ContinuousClock.Instant) async throws {
        // Connections whose SYN was captured just before arrive within moments.
        try await Task.sleep(for: .milliseconds(100))
        while budget.open > 0, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        await closeListeners()
        // What was accepted meanwhile has its chance too, be the deadline over or not.
        let last = max(deadline, .now + .milliseconds(500))
        while budget.open > 0, ContinuousClock.now < last {
            try await Task.sleep(for: .milliseconds(20))
        }
        forEachLoop { $0.cancelAll(.shutdown) }
        try await beat()
    }

    private func closeListeners() async {
        for channel in listening.withLock({ $0 }) { try? await channel.close() }  // Closed already is as good.
    }

    /// Closes the listeners, resets what is still open, and ends the loops.
    package func stop() async throws {
        await closeListeners()
        forEachLoop {
            $0.stopTicking()
            $0.cancelAll(.shutdown)
        }
        try await group.shutdownGracefully()
    }

    private func forEachLoop(_ body: @escaping @Sendable (DataLoop) -> Void) {
        for loop in loops {
            loop.eventLoop.execute { body(loop.value) }
        }
    }

    private func collect<Value: Sendable>(_ body: @escaping @Sendable (DataLoop) -> Value) async throws -> [Value] {
        // All loops are asked before the first answer is awaited.
        let answers = loops.map { loop in loop.eventLoop.submit { body(loop.value) } }
        var values: [Value] = []
        for answer in answers { values.append(try await answer.get()) }
        return values
    }
}

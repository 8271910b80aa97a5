package import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization
package import WeftCatalog
package import WeftCore
package import WeftIdentity
package import WeftProxy

/// The event loops that carry bytes, and the only way for the control side to reach them.
///
/// Every call submits to the loops and returns when they have answered; nothing is shared with them and nothing locks.
/// Snapshots and settings are replaced whole: a connection sees one or the other, never a mixture.
package final class DataPlane: Sendable {
    private let group: MultiThreadedEventLoopGroup
    let loops: [NIOLoopBound<DataLoop>]
    private let listeners: [CaptureListener]
    private let listening = Mutex<[(kind: CaptureListener.Kind, channel: any Channel)]>([])
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
    /// - Parameters:
    ///   - node: this host's name, for refusals that other hosts show.
    ///   - join: answers hosts that want to join; nil for a host without a tunnel port.
    ///
    /// `makeLookup` is called once on each loop. Throws what it throws; nothing is left running then.
    package static func start(
        loopCount: Int,
        listeners: [CaptureListener],
        settings: DataPlaneSettings,
        snapshot: MeshSnapshot,
        makeLookup: @escaping @Sendable () throws -> any SocketLookup,
        resolveWorkload: @escaping WorkloadResolver,
        node: NodeName? = nil,
        tunnelLimits: TunnelLimits = TunnelLimits(),
        hooks: TunnelHooks = .none,
        join: JoinServer? = nil,
        logger: Logger
    ) async throws -> DataPlane {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loopCount)
        let budget = ConnectionBudget(limit: settings.connectionsMax)
        let own = Set(listeners.map(\.address))
        let requests = SharedRequests()
        do {
            var loops: [NIOLoopBound<DataLoop>] = []
            for (index, eventLoop) in group.makeIterator().enumerated() {
                let loop = try await eventLoop.submit {
                    let tunnels = LoopTunnels(
                        eventLoop: eventLoop,
                        node: node,
                        limits: tunnelLimits,
                        hooks: hooks,
                        prepare: { try $0.prepareForTunnel(mark: settings.dialMark) }
                    )
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
                        tunnels: tunnels,
                        requests: requests,
                        logger: logger
                    )
                    tunnels.serve(as: loop, join: join, ownPorts: Set(listeners.map(\.address.port)))
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
            listening.withLock { $0.append((listener.kind, channel)) }
        }
    }

    private func accept(on listener: CaptureListener) async throws -> any Channel {
        let (budget, logger, loops) = (budget, logger, loops)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptGate(budget: budget, logger: logger))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let bound = loops.first(where: { $0.eventLoop === channel.eventLoop }) else {
                        preconditionFailure("a connection was accepted on a loop that is not the data plane's")
                    }
                    try bound.value.take(channel, from: listener)
                }
            }
        let channel = try await
            (listener.kind == .tunnel ? bootstrap.tunnelChannelOptions() : bootstrap.capturedChannelOptions())
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

    /// The certificates of this host and what it trusts. Tunnels of hosts that were revoked end at once.
    package func publish(_ identity: IdentitySnapshot) {
        forEachLoop { $0.tunnels.adopt(identity) }
    }

    /// Who may reach this host's services; live connections are judged again.
    ///
    /// - Parameter renames: other names of services, by the name that their units give them.
    package func publish(_ rules: AccessRules, renames: [ServiceName: ServiceName]) {
        forEachLoop { loop in
            loop.tunnels.adopt(rules, renames: renames)
            loop.judgeAgain()
        }
    }

    /// The numbers that govern requests; those under way keep what they began with.
    package func publish(_ policies: ServicePolicies) {
        forEachLoop { $0.requests.gates.policies = policies }
    }

    /// Which requests are to be recorded from now on.
    package func publish(_ wanted: RecordedRequests) {
        forEachLoop { $0.requests.recorder.wanted = wanted }
    }

    /// Which requests are to be reported as spans from now on; nil for none.
    package func publish(_ tracing: Tracing?) {
        forEachLoop { loop in
            loop.requests.sampler = tracing?.sampler
            loop.requests.traced.wanted =
                tracing.map { RecordedRequests(selection: .all, keptMax: $0.keptMax) } ?? .none
        }
    }

    /// How hard this host has to shed load.
    package func publish(_ pressure: Pressure) {
        forEachLoop { $0.requests.gates.pressureChanged(pressure) }
    }

    /// What is known of the other hosts' tunnels.
    package func publish(_ nodes: TunnelNodes) {
        forEachLoop { $0.tunnels.nodes = nodes }
    }

    /// How far away the other hosts are, for services that prefer near endpoints.
    package func publish(distances: [NodeName: Duration]) {
        forEachLoop { $0.requests.balancers.distances = distances }
    }

    /// Ends the tunnels to an address at once: its host has gone, or lives elsewhere now.
    package func closeTunnels(to ip: IPAddress) {
        forEachLoop { $0.tunnels.pool.close(to: ip) }
    }

    /// Tries whether a host can be reached by a tunnel; nil when it can.
    package func probe(_ node: NodeName, at address: NetworkAddress) async throws -> TunnelFailure? {
        guard let loop = loops.first else { return .cancelled(.shutdown) }
        let promise = loop.eventLoop.makePromise(of: TunnelFailure?.self)
        loop.eventLoop.execute {
            loop.value.tunnels.probe(node, at: address) { promise.succeed($0) }
        }
        return try await promise.futureResult.get()
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

    package func tunnelReport() async throws -> TunnelReport {
        var sum = TunnelReport()
        for report in try await collect({ $0.tunnels.report }) { sum.merge(report) }
        return sum
    }

    /// The live connections, oldest first.
    package func connections() async throws -> [LiveConnection] {
        try await collect { $0.liveConnections }.flatMap { $0 }.sorted { $0.age > $1.age }
    }

    /// What was counted of requests since the last call.
    package func takeRequestDeltas() async throws -> [MetricsDelta] {
        try await collect { $0.requests.metrics.takeDelta() }
    }

    /// Who speaks against endpoints that get no new requests now, by the endpoint's address: `gossip`, `traffic` or
    /// `both`. Only of services that this host has sent something to.
    package func speakers() async throws -> [NetworkAddress: String] {
        let loops = try await collect { $0.requests.balancers.summaries(now: .now()) }
        var speakers: [NetworkAddress: String] = [:]
        for summary in EndpointSummary.merged(loops) {
            speakers[summary.endpoint.endpoint.address] = summary.speaker?.rawValue
        }
        return speakers
    }

    /// Retries that were granted and refused since weftd started.
    package func retryCounts() async throws -> (granted: UInt64, refused: UInt64) {
        let all = try await collect { ($0.requests.budgets.granted, $0.requests.budgets.refused) }
        return (all.reduce(0) { $0 + $1.0 }, all.reduce(0) { $0 + $1.1 })
    }

    /// The requests that were recorded since the last call, in the order of their ends.
    package func takeRecorded() async throws -> RecordedBatch {
        RecordedBatch(try await collect { $0.requests.recorder.take() })
    }

    /// The same for requests that are to be reported as spans.
    package func takeTraced() async throws -> RecordedBatch {
        RecordedBatch(try await collect { $0.requests.traced.take() })
    }

    /// What was found to be spoken on connections to services.
    package func detections() async throws -> DetectionCounters {
        var sum = DetectionCounters()
        for counters in try await collect({ $0.requests.detections }) { sum.merge(counters) }
        return sum
    }

    /// The last finished connections, and requests that there is something to tell about, newest first.
    package func decisions(last count: Int) async throws -> [Decision] {
        let all = try await collect { $0.decisions.last(count) + $0.requests.notable.last(count) }.flatMap { $0 }
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
        // Other hosts' new tunnels wait in the backlog for the process that comes next, if there is one.
        await closeListeners(of: .tunnel)
        forEachLoop { $0.tunnels.drain() }
        // Connections whose SYN was captured just before arrive within moments.
        try await Task.sleep(for: .milliseconds(100))
        forEachLoop { $0.drain() }
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

    private func closeListeners(of kind: CaptureListener.Kind? = nil) async {
        for (listener, channel) in listening.withLock({ $0 }) where kind == nil || kind == listener {
            try? await channel.close()  // Closed already is as good.
        }
    }

    /// Closes the listeners, resets what is still open, and ends the loops.
    package func stop() async throws {
        await closeListeners()
        forEachLoop {
            $0.stopTicking()
            $0.cancelAll(.shutdown)
            $0.tunnels.stop()
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

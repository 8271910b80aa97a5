internal import Logging
internal import NIOCore
internal import WeftCatalog
package import WeftCore
package import WeftProxy

/// Everything that one event loop of the data plane owns: its connections, counters, snapshot and lookups.
///
/// Confined to its loop: every member is touched there and nowhere else, so nothing here locks. Other parts reach it
/// through `DataPlane`.
package final class DataLoop {
    let index: UInt8
    let eventLoop: any EventLoop
    let budget: ConnectionBudget
    let lookup: any SocketLookup
    let resolveWorkload: WorkloadResolver
    let logger: Logger
    /// Where weft itself listens: destinations that would make a loop.
    let ownListeners: Set<NetworkAddress>

    /// Replaced by a reload; connections copy what they need when they start.
    var settings: DataPlaneSettings
    /// What the mesh looks like; replaced whole.
    var snapshot: MeshSnapshot
    /// The units of this host by cgroup id; replaced whole.
    var workloads: [CgroupID: Workload] = [:]

    /// To and from other hosts.
    let tunnels: LoopTunnels

    /// What is known of requests.
    let requests: LoopRequests

    /// Ports for dials under clients' addresses.
    var foreignPorts: ForeignPorts

    package private(set) var counters = TrafficCounters()
    package private(set) var decisions: DecisionRing
    private var connections: [ConnectionID: Connection] = [:]
    private var silenceWatched: Set<ConnectionID> = []
    private var nextCount: UInt64 = 1
    private var tickTask: Scheduled<Void>?

    init(
        index: UInt8,
        eventLoop: any EventLoop,
        budget: ConnectionBudget,
        lookup: any SocketLookup,
        resolveWorkload: @escaping WorkloadResolver,
        ownListeners: Set<NetworkAddress>,
        settings: DataPlaneSettings,
        loopCount: Int,
        snapshot: MeshSnapshot,
        tunnels: LoopTunnels,
        requests: SharedRequests,
        logger: Logger
    ) {
        self.index = index
        self.eventLoop = eventLoop
        self.budget = budget
        self.lookup = lookup
        self.resolveWorkload = resolveWorkload
        self.ownListeners = ownListeners
        self.settings = settings
        self.snapshot = snapshot
        self.tunnels = tunnels
        self.requests = LoopRequests(
            shared: requests,
            eventLoop: eventLoop,
            loops: loopCount,
            decisionsMax: settings.decisionsMax / max(1, loopCount)
        )
        self.decisions = DecisionRing(capacity: settings.decisionsMax / max(1, loopCount))
        self.foreignPorts = ForeignPorts(loopIndex: Int(index), loopCount: loopCount)
        self.logger = logger
    }

    /// The live connections, in the order in which they came.
    package var liveConnections: [LiveConnection] {
        let now = Instant.now(on: eventLoop)
        return connections.values.sorted { $0.id < $1.id }.map { $0.live(at: now) }
    }

    // MARK: The life of a connection, as the table sees it

    func register(_ make: (ConnectionID) -> Connection) -> Connection {
        let connection = make(nextID())
        connections[connection.id] = connection
        counters.accepted += 1
        counters.open += 1
        budget.opened()
        return connection
    }

    /// The number of the next connection or request.
    func nextID() -> ConnectionID {
        defer { nextCount += 1 }
        return ConnectionID(loop: index, count: nextCount)
    }

    /// The numbers that govern requests to a service.
    func policy(of service: ServiceName?) -> ServicePolicy { requests.gates.policies[service].policy }

    func detected(_ detection: Detection, at target: NetworkAddress?) {
        requests.detections.count(detection)
        if let target { requests.learned.learn(detection, at: target) }
    }

    func opened(_ pair: TrafficPair) { counters.opened(pair) }

    func requestsBegan(_ pair: TrafficPair) { counters.requestsBegan(pair) }

    func countAttributionMiss() { counters.attributionMisses += 1 }

    /// Counts one look-up with its time.
    func countAttribution(_ time: Duration) {
        counters.attributions += 1
        counters.attributionTime += time
    }

    func watchSilence(of connection: Connection) {
        silenceWatched.insert(connection.id)
        if tickTask == nil { scheduleTick() }
    }

    func finished(_ connection: Connection, _ decision: Decision, pair: TrafficPair?) {
        guard connections.removeValue(forKey: connection.id) != nil else { return }
        silenceWatched.remove(connection.id)
        counters.open -= 1
        budget.closed()
        counters.closed(
            pair,
            bytesOut: decision.bytesOut,
            bytesIn: decision.bytesIn,
            outcome: decision.outcome,
            hadRequests: connection.hadRequests
        )
        counters.closed(decision.security, on: decision.path)
        decisions.append(decision)
    }

    // MARK: Time

    /// The coarse clock of this loop: one task a second looks after all half-closed connections, as long as there are any.
    private func scheduleTick() {
        tickTask = eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            self.tickTask = nil
            self.tick()
        }
    }

    func stopTicking() {
        tickTask?.cancel()
        tickTask = nil
    }

    private func tick() {
        guard !silenceWatched.isEmpty else { return }
        scheduleTick()
        let now = Instant.now(on: eventLoop)
        for id in silenceWatched.sorted() {
            if let connection = connections[id] {
                connection.carrier.checkSilence(now: now, limit: connection.settings.halfCloseTimeout)
            }
        }
    }

    /// Judges every connection to this host's services once more, after the rules or the services have changed.
    func judgeAgain() {
        for id in connections.keys.sorted() { connections[id]?.judgeAgain() }
    }

    /// Lets every connection end that can do so without a loss.
    func drain() {
        for id in connections.keys.sorted() { connections[id]?.carrier.drain() }
    }

    /// Ends every connection with RST.
    func cancelAll(_ ending: Ending) {
        for id in connections.keys.sorted() {
            connections[id]?.cancel(ending)
        }
    }
}

/// Asks for the unit behind a cgroup id that the loop's table does not know (yet). The answer may come on any thread;
/// nil means that no such cgroup exists.
package typealias WorkloadResolver = @Sendable (CgroupID, @escaping @Sendable (Workload?) -> Void) -> Void

/// A live connection as the control side sees it.
package struct LiveConnection: Sendable, Equatable {
    package let id: ConnectionID
    package let source: Source
    package let destination: OriginalDestination
    package let service: ServiceName?
    package let path: Path
    package let security: Security
    package let identity: IdentityPair
    /// What is spoken; nil while, or where, nobody has looked.
    package let wire: WireProtocol?
    package let phase: RelayMachine.Phase
    package let bytesOut: UInt64
    package let bytesIn: UInt64
    package let age: Duration
}

extension Instant {
    /// The loop's monotonic clock.
    static func now(on eventLoop: any EventLoop) -> Instant {
        Instant(nanoseconds: eventLoop.now.uptimeNanoseconds)
    }
}

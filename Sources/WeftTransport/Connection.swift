internal import NIOCore
internal import WeftCatalog
internal import WeftCore
internal import WeftProxy

/// One captured connection on its way through the rooms of the house:
///
///     accept ► attribute ► locate ► carry ► record
///
/// `run()` is that line; each stage is an extension in `Stages/`. (Detect and decide stand between locate and carry; they
/// arrive with the parts that need them.) A connection lives on one event loop with both of its channels, and is kept
/// alive by its loop's table until `record` removes it.
final class Connection {
    /// What `accept` learned from the kernel.
    struct Flow {
        let client: ClientAddress
        let destination: OriginalDestination
    }

    let id: ConnectionID
    let loop: DataLoop
    let kind: CaptureListener.Kind
    let listener: NetworkAddress
    let started: Instant
    let startedWall: WallTime
    let settings: DataPlaneSettings

    /// Set by the stages, in this order.
    var flow: Flow?
    var source: Source?
    var route: Route?

    var machine = RelayMachine()
    let client = Leg(.client)
    let destination = Leg(.destination)
    /// Bytes that the client sent before it ended its side while the destination was being dialled: NIO hands these over
    /// without being asked. At most what the kernel's receive buffer holds.
    var early: [(data: NIOAny, count: Int)] = []
    var bytesOut: UInt64 = 0
    var bytesIn: UInt64 = 0
    var silence: (bytes: UInt64, since: Instant)?

    init(id: ConnectionID, loop: DataLoop, kind: CaptureListener.Kind, listener: NetworkAddress) {
        self.id = id
        self.loop = loop
        self.kind = kind
        self.listener = listener
        self.started = .now(on: loop.eventLoop)
        self.startedWall = .now()
        self.settings = loop.settings
        client.connection = self
        destination.connection = self
    }

    /// Takes the connection through its stages. Called once, when the client's channel is active.
    func run() {
        switch accept() {
        case .refused(let ending): refuse(ending)
        case .accepted(let flow):
            self.flow = flow
            attribute(flow) { source in
                self.source = source
                guard let route = self.locate(flow) else { return self.refuse(.unreachable) }
                self.route = route
                self.loop.opened(self.pair(source, route))
                self.carry(along: route)
            }
        }
    }

    /// Ends a connection that cannot be carried: the client sees RST.
    private func refuse(_ ending: Ending) {
        drive { $0.dialFailed(ending, side: .weft, into: &$1) }
    }

    /// Ends the connection from outside: both sides see RST.
    func cancel(_ ending: Ending) {
        drive { $0.cancel(ending, into: &$1) }
    }

    func live(at now: Instant) -> LiveConnection {
        LiveConnection(
            id: id,
            source: source ?? unknownSource,
            destination: flow?.destination ?? OriginalDestination(listener),
            service: route?.service,
            path: route?.path ?? defaultPath,
            phase: machine.phase,
            bytesOut: bytesOut,
            bytesIn: bytesIn,
            age: now - started
        )
    }

    /// Who a connection is from before, or without, attribution.
    var unknownSource: Source {
        let address = flow?.client ?? ClientAddress(NetworkAddress(.anyV4, port: 0))
        return Source(workload: kind == .outbound ? .host : nil, owner: nil, address: address)
    }

    var defaultPath: Path { kind == .outbound ? .outside : .inbound }

    /// How the connection is counted.
    func pair(_ source: Source, _ route: Route) -> TrafficPair {
        TrafficPair(
            source: source.workload?.displayName ?? "remote",
            tenant: source.workload?.tenant.text ?? "",
            destination: route.service?.text ?? route.path.rawValue,
            path: route.path
        )
    }
}

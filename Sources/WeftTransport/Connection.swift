internal import NIOCore
internal import WeftCatalog
internal import WeftCore
internal import WeftProxy

/// One connection on its way through the rooms of the house:
///
///     accept ► attribute ► locate ► decide ► carry ► record
///                             └────► detect ◄──┘
///
/// `run()` is that line; each stage is an extension in `Stages/`. Detect needs what the client says and is done while the
/// destination is dialled. A connection lives on one event loop with all of its ends, and is kept alive by its loop's
/// table until `record` removes it.
final class Connection {
    /// How it came here.
    enum Origin {
        /// By the kernel, on one of weft's listeners.
        case captured(CaptureListener.Kind, NetworkAddress)
        /// Through a tunnel from another host, to an address of this one.
        case tunnel(TunnelRequest, NetworkAddress)
    }

    /// What `accept` learned.
    struct Flow {
        let client: ClientAddress
        let destination: OriginalDestination
    }

    /// What requests of one connection are counted apart by.
    struct CountedKey: Hashable {
        let target: NetworkAddress?
        let kind: RequestSeries.Kind
        let security: Security?
    }

    let id: ConnectionID
    let loop: DataLoop
    let origin: Origin
    let started: Instant
    let startedWall: WallTime
    let settings: DataPlaneSettings

    /// Set by the stages, in this order.
    var flow: Flow?
    var source: Source?
    var route: Route?
    var security = Security.plaintext
    var identity = IdentityPair()
    /// Why it was refused, and what went wrong between the hosts.
    var rule: String?
    var detail: String?

    let client: any RelayLeg
    /// What is spoken, once it is known.
    var detection: Detection?
    /// What carries the connection: the relay first, and whatever `detect` found to be better.
    var carrier: any Carrier
    var relay: Relay
    /// All that stand behind the virtual address that was dialled, and the one that was chosen first.
    var group: EndpointGroup?
    var choice: LoopBalancers.Choice?
    /// The connection's weight on that endpoint, as long as it is not carried request by request.
    var ticket: LoopBalancers.Ticket?
    /// The wait for the destination.
    var dial: Dial?
    /// What an HTTP client is told as soon as it has asked.
    var refusal: Refusal?
    /// The service of this host that the connection is counted for, and as whom its requests are.
    var entered: ServiceName?
    var caller: ServiceGate.Caller?
    /// Where requests to the last endpoints are counted.
    var counted: [CountedKey: [RequestMetrics.SeriesID]] = [:]
    /// Whether it was carried request by request, if only at first.
    var hadRequests = false
    /// On whose side the last request ended.
    var lastSide = Side.destination

    init(id: ConnectionID, loop: DataLoop, origin: Origin, client: any RelayLeg) {
        self.id = id
        self.loop = loop
        self.origin = origin
        self.started = .now(on: loop.eventLoop)
        self.startedWall = .now()
        self.settings = loop.settings
        self.client = client
        self.relay = Relay(client: client)
        self.carrier = relay
        relay.owner = self
    }

    /// Takes the connection through its stages. Called once, when its client is there.
    func run() {
        switch accept() {
        case .refused(let ending): refuse(Outcome(ending, side: .weft))
        case .accepted(let flow):
            self.flow = flow
            attribute(flow) { source in
                self.source = source
                guard let route = self.locate(flow) else { return self.refuse(Outcome(.unreachable, side: .weft)) }
                self.route = route
                self.loop.opened(self.pair(source, route))
                self.detect(along: route)
                self.carry(along: route, for: source)
            }
        }
    }

    /// Ends a connection that cannot be carried: the client sees RST.
    func refuse(_ outcome: Outcome) { relay.dialFailed(outcome) }

    /// Ends the connection from outside: both sides see RST.
    func cancel(_ ending: Ending) { carrier.cancel(ending) }

    func live(at now: Instant) -> LiveConnection {
        LiveConnection(
            id: id,
            source: source ?? unknownSource,
            destination: flow?.destination ?? unknownDestination,
            service: route?.service,
            path: route?.path ?? defaultPath,
            security: security,
            identity: identity,
            wire: detection?.found,
            phase: carrier.phase,
            bytesOut: carrier.bytesOut,
            bytesIn: carrier.bytesIn,
            age: now - started
        )
    }

    /// Who a connection is from before, or without, attribution.
    var unknownSource: Source {
        let address = flow?.client ?? ClientAddress(NetworkAddress(.anyV4, port: 0))
        return Source(workload: isOutbound ? .host : nil, owner: nil, address: address)
    }

    /// Where it goes before, or without, `accept`.
    var unknownDestination: OriginalDestination {
        switch origin {
        case .captured(_, let listener): OriginalDestination(listener)
        case .tunnel(_, let target): OriginalDestination(target)
        }
    }

    var isOutbound: Bool { if case .captured(.outbound, _) = origin { true } else { false } }

    var defaultPath: Path { isOutbound ? .outside : .inbound }

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

package import WeftCore

/// The host configuration, complete and valid by construction: `ConfigurationLoader` has checked every value in it.
///
/// `Configuration()` is the shipped default, which is what a host without `/etc/weft/weft.toml` runs.
/// `config/weft.toml` lists the same values, commented out; a test compares the two.
package struct Configuration: Sendable, Equatable {
    package var node = Node()
    package var capture = Capture()
    package var gossip = Gossip()
    package var proxy = Proxy()
    package var security = Security()
    package var identity = Identity()
    package var log = Log()
    package var metrics = Metrics()
    package var tracing = Tracing()
    /// What sets single tenants apart.
    package var tenants: [TenantName: Tenant] = [:]
    /// Overrides for single services, by the name that the service would have without them.
    package var services: [ServiceName: ServiceOverride] = [:]

    package init() {}

    /// `[node]`: what this host calls itself.
    package struct Node: Sendable, Equatable {
        /// One DNS label. Nil means the host's own name, up to the first dot.
        package var name: String?

        package init() {}
    }

    /// `[capture]`: what passes through weft.
    package struct Capture: Sendable, Equatable {
        /// Whether capture is on when weftd starts; `weft on` and `weft off` change it until the next start.
        package var enabled = true
        package var scope = CaptureScope.all
        package var failure = FailurePolicy.open
        /// Users whose new connections are refused while weft is away. Empty exactly when `failure` is `.open`.
        package var failClosedUsers: [UserReference] = []
        /// Plaintext connections from other hosts to services here.
        package var inbound = true
        /// Connections from this host to services at its own addresses (127/8 and ::1 never). Virtual addresses always.
        package var local = false
        /// The application sees the real address of a captured client on another host, not weft's.
        package var preserveClientAddress = true
        package var exclude = Exclusions()

        package init() {}
    }

    /// `[capture.exclude]`: what never passes through weft. SSH (22), link-local and multicast need no mention.
    ///
    /// Entries are in the order of the file, up to 1000 in each list and no two alike; ranges and blocks may overlap.
    package struct Exclusions: Sendable, Equatable {
        /// Destination ports, outbound and inbound.
        package var ports: [PortRange] = []
        /// Destination addresses, outbound.
        package var addresses: [IPPrefix] = []
        /// Units whose own connections go direct, such as `backup.service`: full names of services and scopes.
        package var units: [String] = []
        package var users: [UserReference] = []

        package init() {}
    }

    /// `[gossip]`: how this host and the others of the mesh find each other.
    package struct Gossip: Sendable, Equatable {
        package var enabled = true
        /// UDP and TCP, on all of this host's addresses.
        package var port: UInt16 = 7946
        /// The address at which others reach this host. Nil means the one that the host's routes choose.
        package var advertise: IPAddress?
        /// Hosts to ask for the others when this one starts, and as long as it knows none.
        package var join: [PeerAddress] = []
        /// An absolute path. Nil means no key: gossip is readable, and open to whoever reaches the port.
        package var keyFile: String?

        package init() {}
    }

    /// `[proxy]`: limits and patience of carried connections.
    package struct Proxy: Sendable, Equatable {
        /// Event loops that carry bytes, at most 256; nil (`"auto"`) means one for each core.
        package var loops: Int?
        /// How long a dial may take before the client is refused.
        package var connectTimeout: Duration = .seconds(10)
        /// How long a connection with one direction ended may stay silent in the other.
        package var halfCloseTimeout: Duration = .seconds(3600)
        /// Silence before the first TCP keepalive probe, on both legs; whole seconds.
        package var keepaliveIdle: Duration = .seconds(60)
        /// How long sent bytes may stay unacknowledged before a leg counts as dead (TCP_USER_TIMEOUT), on both legs.
        package var userTimeout: Duration = .seconds(120)
        /// How long connections may finish when weftd is told to stop.
        package var drainTimeout: Duration = .seconds(10)
        /// Carried connections at a time; beyond it new ones wait in the listener's backlog.
        package var connectionsMax = 50_000
        /// Finished connections that `weft decisions` remembers, over all loops.
        package var decisionsMax = 4096

        package init() {}
    }

    /// `[security]`: what passes without an identity.
    package struct Security: Sendable, Equatable {
        /// Refuses callers without an identity, and never sends to a host of the mesh in clear.
        package var strict = false
        /// TCP, on all of this host's addresses: tunnels from other hosts, and hosts that join.
        package var port: UInt16 = 15_008

        package init() {}
    }

    /// `[identity]`: how long certificates live that this host makes.
    package struct Identity: Sendable, Equatable {
        /// Of workloads.
        package var leafLifetime: Duration = .seconds(86_400)
        /// Of hosts, on hosts that hold the authority.
        package var intermediateLifetime: Duration = .seconds(30 * 86_400)

        package init() {}
    }

    /// `[tenant.NAME]`
    package struct Tenant: Sendable, Equatable {
        /// Only callers of the same tenant reach its services on this host.
        package var isolate = false

        package init() {}
    }

    /// `[log]`
    package struct Log: Sendable, Equatable {
        package var level = LogLevel.info
        /// Which requests have a record in the journal.
        package var requests = RequestLogMode.off

        package init() {}
    }

    /// `[metrics]`
    package struct Metrics: Sendable, Equatable {
        /// Gives Istio's standard metrics beside weft's own.
        package var istio = false

        package init() {}
    }

    /// `[tracing]`: spans of requests.
    package struct Tracing: Sendable, Equatable {
        /// The collector, which takes OTLP over HTTP; its port is always set. Nil means that nothing is reported.
        package var otlp: PeerAddress?
        /// The part of the traces that begin here which is reported, from 0 to 1.
        package var sample = 0.01

        package init() {}
    }

    /// `[service.NAME]`
    package struct ServiceOverride: Sendable, Equatable {
        /// Another name to offer the service under; no two services of a file share one.
        package var rename: ServiceName?
        /// `version`, `weight` (a whole number) and whatever else rules will match on.
        package var labels: [String: String] = [:]
        package var `protocol`: ProtocolHint?
        /// True offers it even from a loopback-only listener, false hides it; nil leaves the rule of section 5.
        package var expose: Bool?
        /// Who may call it: nil for every identity of the mesh. An empty list is nobody.
        package var allow: [AllowedCaller]?
        /// The numbers that govern requests to it.
        package var policy = ServicePolicy()

        package init() {}
    }
}

/// `capture.scope`
package enum CaptureScope: String, Sendable, CaseIterable {
    /// All outbound TCP of local processes.
    case all
    /// Only destinations that the mesh knows.
    case mesh
}

/// `capture.fail`: what happens to traffic while weft is away.
package enum FailurePolicy: String, Sendable, CaseIterable {
    /// It goes direct, as if weft had never been there.
    case open
    /// New connections of the named users are refused.
    case closed
}

/// A user in the configuration: a number, or a name that the daemon looks up when it applies the configuration.
package enum UserReference: Hashable, Sendable {
    case id(UserID)
    case name(String)
}

/// `service.NAME.protocol`: what a service speaks, when it is declared.
package enum ProtocolHint: String, Sendable, CaseIterable {
    case http
    case http2
    case grpc
    case tls
    case tcp
}

/// `log.requests`
package enum RequestLogMode: String, Sendable, CaseIterable {
    case off
    /// Those that failed, that weft answered itself, or that it tried again.
    case errors
    case all
}

/// `log.level`, as swift-log names them.
package enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
}

/// `GET /v1/status`: the whole host at a glance.
package struct StatusResponse: Codable, Sendable, Equatable {
    package var version: String
    package var node: String
    package var uptimeSeconds: Double
    package var capture: CaptureStatus
    package var connections: ConnectionTotals
    /// Resident set size of weftd.
    package var memoryBytes: UInt64
    /// User and system time of weftd since it started.
    package var cpuSeconds: Double
    package var services: Int
    package var workloads: Int
    /// Hosts of the mesh that are alive, this one included.
    package var peersAlive: Int
    /// Hosts that failed and have not been forgotten yet.
    package var peersFailed: Int
    /// What is wrong on this host, most severe first; empty when all is well.
    package var problems: [Problem]

    package init(
        version: String,
        node: String,
        uptimeSeconds: Double,
        capture: CaptureStatus,
        connections: ConnectionTotals,
        memoryBytes: UInt64,
        cpuSeconds: Double,
        services: Int,
        workloads: Int,
        peersAlive: Int,
        peersFailed: Int,
        problems: [Problem]
    ) {
        self.version = version
        self.node = node
        self.uptimeSeconds = uptimeSeconds
        self.capture = capture
        self.connections = connections
        self.memoryBytes = memoryBytes
        self.cpuSeconds = cpuSeconds
        self.services = services
        self.workloads = workloads
        self.peersAlive = peersAlive
        self.peersFailed = peersFailed
        self.problems = problems
    }
}

/// Whether and what the kernel hands to weft.
package struct CaptureStatus: Codable, Sendable, Equatable {
    package enum State: String, Codable, Sendable {
        case on, off, failed
    }

    package var state: State
    /// `all` or `mesh`.
    package var scope: String
    /// Rules in weft's table; 0 when capture is not on.
    package var rules: Int
    /// What this kernel cannot do and weft therefore does without, one sentence each.
    package var degraded: [String]
    /// Why capture failed: the rule and the kernel's reason. Only when `state` is `failed`.
    package var error: String?

    package init(state: State, scope: String, rules: Int, degraded: [String], error: String?) {
        self.state = state
        self.scope = scope
        self.rules = rules
        self.degraded = degraded
        self.error = error
    }
}

/// Connections since weftd started.
package struct ConnectionTotals: Codable, Sendable, Equatable {
    package var open: Int
    package var total: UInt64
    package var failed: UInt64

    package init(open: Int, total: UInt64, failed: UInt64) {
        self.open = open
        self.total = total
        self.failed = failed
    }
}

/// Something wrong: a stable code, what it is with its values, and the next command to type.
package struct Problem: Codable, Sendable, Equatable {
    package enum Severity: String, Codable, Sendable {
        case warning, error
    }

    /// Stable, in kebab-case, such as `capture-failed`.
    package var code: String
    package var severity: Severity
    package var text: String
    package var next: String

    package init(code: String, severity: Severity, text: String, next: String) {
        self.code = code
        self.severity = severity
        self.text = text
        self.next = next
    }
}

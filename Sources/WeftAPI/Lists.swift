/// Where a service answers: one row of `ServiceRow.endpoints`.
package struct EndpointRow: Codable, Sendable, Equatable {
    package var node: String
    package var address: String
    package var port: UInt16
    /// Whether new connections to the service may go there.
    package var healthy: Bool
    package var labels: [String: String]
    /// Who says that it is not well: `gossip` (its own host, or the mesh of its host), `traffic` (what this host's requests
    /// met there) or `both`. Nil when nobody does.
    package var speaker: String?

    package init(
        node: String,
        address: String,
        port: UInt16,
        healthy: Bool,
        labels: [String: String],
        speaker: String? = nil
    ) {
        self.node = node
        self.address = address
        self.port = port
        self.healthy = healthy
        self.labels = labels
        self.speaker = speaker
    }
}

/// One row of `GET /v1/services`: a port of a service of the mesh.
package struct ServiceRow: Codable, Sendable, Equatable {
    package var name: String
    /// The unit that offers it on this host; nil when only other hosts do.
    package var unit: String?
    package var tenant: String
    package var port: UInt16
    /// Where it listens on this host; empty when only other hosts offer it.
    package var addresses: [String]
    package var virtualAddresses: [String]
    /// Whether other hosts may reach it through weft.
    package var exposed: Bool
    /// On all hosts, this one included if it exposes the service.
    package var endpoints: [EndpointRow]
    package var labels: [String: String]
    /// What it speaks, when declared.
    package var `protocol`: String?

    package init(
        name: String,
        unit: String?,
        tenant: String,
        port: UInt16,
        addresses: [String],
        virtualAddresses: [String],
        exposed: Bool,
        endpoints: [EndpointRow],
        labels: [String: String],
        protocol: String?
    ) {
        self.name = name
        self.unit = unit
        self.tenant = tenant
        self.port = port
        self.addresses = addresses
        self.virtualAddresses = virtualAddresses
        self.exposed = exposed
        self.endpoints = endpoints
        self.labels = labels
        self.protocol = `protocol`
    }
}

/// One row of `GET /v1/workloads`: a local process group and what it carried since weftd started.
package struct WorkloadRow: Codable, Sendable, Equatable {
    package var unit: String
    package var slice: String?
    package var tenant: String
    package var processes: Int
    /// Names of the services that it offers.
    package var services: [String]
    package var connectionsOpen: Int
    package var connectionsTotal: UInt64
    package var bytesOut: UInt64
    package var bytesIn: UInt64

    package init(
        unit: String,
        slice: String?,
        tenant: String,
        processes: Int,
        services: [String],
        connectionsOpen: Int,
        connectionsTotal: UInt64,
        bytesOut: UInt64,
        bytesIn: UInt64
    ) {
        self.unit = unit
        self.slice = slice
        self.tenant = tenant
        self.processes = processes
        self.services = services
        self.connectionsOpen = connectionsOpen
        self.connectionsTotal = connectionsTotal
        self.bytesOut = bytesOut
        self.bytesIn = bytesIn
    }
}

/// Who opened a connection.
package struct SourceRow: Codable, Sendable, Equatable {
    /// The unit, `host` for the host itself, or nil for a client on another host.
    package var unit: String?
    package var uid: UInt32?
    package var tenant: String?
    /// Known when the unit has a single process.
    package var pid: Int32?
    /// The client's own address and port.
    package var address: String

    package init(unit: String?, uid: UInt32?, tenant: String?, pid: Int32?, address: String) {
        self.unit = unit
        self.uid = uid
        self.tenant = tenant
        self.pid = pid
        self.address = address
    }
}

/// How the bytes of a connection are protected on their way.
package enum ConnectionSecurity: String, Codable, Sendable, Equatable {
    /// Mutual TLS between two hosts.
    case mtls
    /// As the program sent them.
    case plaintext
    /// They do not leave the host.
    case local
}

/// Who talks to whom, as certificates say; nil for an end without one.
package struct IdentityRow: Codable, Sendable, Equatable {
    package var source: String?
    package var destination: String?

    package init(source: String?, destination: String?) {
        self.source = source
        self.destination = destination
    }
}

/// One row of `GET /v1/connections`: a live connection.
package struct ConnectionRow: Codable, Sendable, Equatable {
    package var id: String
    package var source: SourceRow
    /// What the client dialled, such as `10.0.0.12:8080`.
    package var destination: String
    package var service: String?
    /// `outside`, `local`, `peer` or `inbound`.
    package var path: String
    package var security: ConnectionSecurity
    package var identity: IdentityRow
    /// `http/1.1`, `http/2`, `tls` or `opaque`; nil while, or where, weft has not looked.
    package var `protocol`: String?
    /// `dialling`, `open`, `half-closed`.
    package var state: String
    package var bytesOut: UInt64
    package var bytesIn: UInt64
    package var ageSeconds: Double

    package init(
        id: String,
        source: SourceRow,
        destination: String,
        service: String?,
        path: String,
        security: ConnectionSecurity,
        identity: IdentityRow,
        protocol: String? = nil,
        state: String,
        bytesOut: UInt64,
        bytesIn: UInt64,
        ageSeconds: Double
    ) {
        self.id = id
        self.source = source
        self.destination = destination
        self.service = service
        self.path = path
        self.security = security
        self.identity = identity
        self.protocol = `protocol`
        self.state = state
        self.bytesOut = bytesOut
        self.bytesIn = bytesIn
        self.ageSeconds = ageSeconds
    }
}

/// One row of `GET /v1/decisions`: a finished connection, or a request that there is something to tell about.
package struct DecisionRow: Codable, Sendable, Equatable {
    package var id: String
    /// RFC 3339, UTC, milliseconds.
    package var time: String
    package var source: SourceRow
    package var destination: String
    package var service: String?
    package var path: String
    package var security: ConnectionSecurity
    package var identity: IdentityRow
    /// `http/1.1`, `http/2`, `tls` or `opaque`; nil where weft has not looked.
    package var `protocol`: String?
    /// Set for a request; nil for a connection.
    package var request: RequestRow?
    /// The rule that refused it, here or on the other host: `allow of api on db-1`. Nil when none did.
    package var rule: String?
    /// What went wrong between the hosts, in words; nil when nothing did.
    package var detail: String?
    package var bytesOut: UInt64
    package var bytesIn: UInt64
    package var durationSeconds: Double
    /// `completed`, `reset`, `refused`, `unreachable`, ...
    package var ending: String
    /// `client`, `destination` or `weft`.
    package var side: String

    package init(
        id: String,
        time: String,
        source: SourceRow,
        destination: String,
        service: String?,
        path: String,
        security: ConnectionSecurity,
        identity: IdentityRow,
        protocol: String? = nil,
        request: RequestRow? = nil,
        rule: String?,
        detail: String?,
        bytesOut: UInt64,
        bytesIn: UInt64,
        durationSeconds: Double,
        ending: String,
        side: String
    ) {
        self.id = id
        self.time = time
        self.source = source
        self.destination = destination
        self.service = service
        self.path = path
        self.security = security
        self.identity = identity
        self.protocol = `protocol`
        self.request = request
        self.rule = rule
        self.detail = detail
        self.bytesOut = bytesOut
        self.bytesIn = bytesIn
        self.durationSeconds = durationSeconds
        self.ending = ending
        self.side = side
    }
}

/// The one record of what was done with a connection or a request: who, where, which way, how it ended and how long it
/// took.
///
/// Made by the record stage on the connection's event loop; metrics, `weft decisions` and the access log are its readers.
/// Nothing else measures.
package struct Decision: Sendable, Equatable {
    /// Unique on this host since weftd started.
    package let id: ConnectionID
    package let started: WallTime
    package let source: Source
    package let destination: OriginalDestination
    /// The service that the destination belongs to, if the mesh knows one.
    package let service: ServiceName?
    package let path: Path
    package let security: Security
    package let identity: IdentityPair
    /// What was spoken, such as `http/1.1`; nil where nobody has looked.
    package let wire: String?
    /// Set for a request; nil for a connection.
    package let request: RequestFacts?
    /// The rule that refused it, here or on the other host; nil when none did.
    package let rule: String?
    /// What went wrong between the hosts, in words.
    package let detail: String?
    /// Payload bytes from the client to the destination.
    package let bytesOut: UInt64
    /// Payload bytes from the destination to the client.
    package let bytesIn: UInt64
    package let duration: Duration
    package let outcome: Outcome

    package init(
        id: ConnectionID,
        started: WallTime,
        source: Source,
        destination: OriginalDestination,
        service: ServiceName?,
        path: Path,
        security: Security,
        identity: IdentityPair,
        wire: String? = nil,
        request: RequestFacts? = nil,
        rule: String? = nil,
        detail: String? = nil,
        bytesOut: UInt64,
        bytesIn: UInt64,
        duration: Duration,
        outcome: Outcome
    ) {
        self.id = id
        self.started = started
        self.source = source
        self.destination = destination
        self.service = service
        self.path = path
        self.security = security
        self.identity = identity
        self.wire = wire
        self.request = request
        self.rule = rule
        self.detail = detail
        self.bytesOut = bytesOut
        self.bytesIn = bytesIn
        self.duration = duration
        self.outcome = outcome
    }

    /// When the connection ended.
    package var ended: WallTime {
        WallTime(millisecondsSince1970: started.millisecondsSince1970 + duration.wholeNanoseconds / 1_000_000)
    }
}

/// What a decision about a request knows beyond the connection.
package struct RequestFacts: Sendable, Equatable {
    /// Bytes of a request line that are kept.
    package static let lineMax = 256

    /// The connection that it came on.
    package let connection: ConnectionID
    /// The method and the target without its query, cut at `lineMax`; empty for what was no request.
    package let line: String
    /// Of the response that the client got; nil when it got none.
    package let status: UInt16?
    /// Why weft answered itself, or the response broke off: a response flag.
    package let flag: String?
    /// How often it was sent to an endpoint.
    package let tries: Int
    /// The endpoint of the last try.
    package let target: NetworkAddress?
    /// Set for a request that is reported as spans.
    package let trace: TraceFacts?

    package init(
        connection: ConnectionID,
        line: String,
        status: UInt16?,
        flag: String?,
        tries: Int,
        target: NetworkAddress?,
        trace: TraceFacts? = nil
    ) {
        self.connection = connection
        self.line = line
        self.status = status
        self.flag = flag
        self.tries = tries
        self.target = target
        self.trace = trace
    }
}

/// A connection's or request's number on this host: the event loop's index in the top 8 bits, then a count.
package struct ConnectionID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let number: UInt64

    package init(number: UInt64) { self.number = number }

    package init(loop: UInt8, count: UInt64) { self.number = UInt64(loop) << 56 | count & 0x00ff_ffff_ffff_ffff }

    package static func < (left: ConnectionID, right: ConnectionID) -> Bool { left.number < right.number }

    /// Hexadecimal, as shown and as accepted by the API.
    package var description: String { String(number, radix: 16) }
}

/// Who opened a connection.
package struct Source: Hashable, Sendable {
    /// The local workload; nil for a client on another host, whose identity plaintext cannot tell.
    package let workload: Workload?
    /// The kernel's record of the socket; nil when there was none to find.
    package let owner: SocketOwner?
    package let address: ClientAddress

    package init(workload: Workload?, owner: SocketOwner?, address: ClientAddress) {
        self.workload = workload
        self.owner = owner
        self.address = address
    }
}

/// Which way a connection took through this host.
package enum Path: String, Hashable, Sendable, CaseIterable {
    /// From a local process to an address that the mesh does not know, as it was dialled.
    case outside
    /// From a local process to a service on this host.
    case local
    /// From a local process to a service on another host of the mesh.
    case peer
    /// From another host to a service on this host.
    case inbound
}

/// How the bytes of a connection are protected on their way.
package enum Security: String, Hashable, Sendable, CaseIterable {
    /// Mutual TLS between two hosts.
    case mtls
    /// As the program sent them.
    case plaintext
    /// They do not leave the host.
    case local
}

/// Who talks to whom; nil for an end that no certificate speaks for.
package struct IdentityPair: Hashable, Sendable {
    package var source: SpiffeID?
    package var destination: SpiffeID?

    package init(source: SpiffeID? = nil, destination: SpiffeID? = nil) {
        self.source = source
        self.destination = destination
    }
}

/// How a connection ended, and on whose side the cause lies.
package struct Outcome: Hashable, Sendable {
    package let ending: Ending
    package let side: Side

    package init(_ ending: Ending, side: Side) {
        self.ending = ending
        self.side = side
    }

    /// Whether the connection did what its client wanted of the network: both sides ended it in order.
    package var isFailure: Bool { ending != .completed }
}

/// The way in which a connection ended. The raw values are what the API and the metrics say.
package enum Ending: String, Hashable, Sendable, CaseIterable {
    /// Both directions ended with FIN.
    case completed
    /// A side sent RST or vanished (keepalive, TCP_USER_TIMEOUT).
    case reset
    /// The destination answered the dial with RST.
    case refused
    /// No route, or ICMP said unreachable.
    case unreachable
    /// The destination did not answer the dial in time.
    case connectTimeout = "connect-timeout"
    /// One direction ended and the other stayed silent past the half-close limit.
    case lingerTimeout = "linger-timeout"
    /// The destination is weft itself.
    case loop
    /// The kernel could not tell where the client was going.
    case destinationUnknown = "destination-unknown"
    /// weftd was at its limit of connections or descriptors.
    case overLimit = "over-limit"
    /// A rule does not allow it, here or on the other host.
    case denied
    /// The other host could not be reached by a tunnel, or the tunnel broke; `detail` has the reason.
    case tunnelFailed = "tunnel-failed"
    /// weftd stopped and the drain deadline passed.
    case shutdown
    /// weftd failed in a way that has no name here; the log has the cause.
    case internalError = "internal-error"
}

/// Whose side an ending belongs to.
package enum Side: String, Hashable, Sendable, CaseIterable {
    case client
    case destination
    case weft
}

/// The one record of what was done with a connection: who, where, which way, how it ended and how long it took.
///
/// Made by the record stage on the connection's event loop; metrics, `weft decisions` and later the access log are its
/// readers. Nothing else measures.
package struct Decision: Sendable, Equatable {
    /// Unique on this host since weftd started.
    package let id: ConnectionID
    package let started: WallTime
    package let source: Source
    package let destination: OriginalDestination
    /// The service that the destination belongs to, if the mesh knows one.
    package let service: ServiceName?
    package let path: Path
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

/// A connection's number on this host: the event loop's index in the top 8 bits, then a count.
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
    /// From a local process to a service on another host of the mesh, in plaintext.
    case peer
    /// From another host, in plaintext, to a service on this host.
    case inbound
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

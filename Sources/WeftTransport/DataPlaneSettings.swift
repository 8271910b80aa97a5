/// What carrying connections depends on and may change by a reload. New connections use new values, live ones keep theirs.
package struct DataPlaneSettings: Sendable, Equatable {
    /// How long a dial may take.
    package var connectTimeout: Duration
    /// How long a connection with one direction ended may stay silent in the other.
    package var halfCloseTimeout: Duration
    /// Silence before the first TCP keepalive probe, on both legs.
    package var keepaliveIdle: Duration
    /// How long sent bytes may stay unacknowledged, on both legs.
    package var userTimeout: Duration
    /// Whether applications see the address of a client on another host.
    package var preserveClientAddress: Bool
    /// SO_MARK of weft's own dials, which the capture rules let pass; nil only in tests that have no capture.
    package var dialMark: UInt32?
    /// SO_MARK of dials that use a client's address (capture.md section 6).
    package var transparentMark: UInt32
    /// Carried connections at a time, over all loops.
    package var connectionsMax: Int
    /// Finished connections remembered, over all loops; as many requests that there is something to tell about.
    package var decisionsMax: Int
    /// Whether weft looks at what is spoken on connections to services; without it all are carried as bytes.
    package var detects = true
    /// What HTTP/2 clients may send for nothing.
    package var http2Floods = HTTP2FloodLimits()

    package init(
        connectTimeout: Duration,
        halfCloseTimeout: Duration,
        keepaliveIdle: Duration,
        userTimeout: Duration,
        preserveClientAddress: Bool,
        dialMark: UInt32?,
        transparentMark: UInt32,
        connectionsMax: Int,
        decisionsMax: Int
    ) {
        self.connectTimeout = connectTimeout
        self.halfCloseTimeout = halfCloseTimeout
        self.keepaliveIdle = keepaliveIdle
        self.userTimeout = userTimeout
        self.preserveClientAddress = preserveClientAddress
        self.dialMark = dialMark
        self.transparentMark = transparentMark
        self.connectionsMax = connectionsMax
        self.decisionsMax = decisionsMax
    }
}

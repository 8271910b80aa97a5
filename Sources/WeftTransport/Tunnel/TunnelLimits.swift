/// The numbers of tunnels: windows, streams and times (hbone.md sections 4, 7 and 8). Tests shorten the times.
package struct TunnelLimits: Sendable, Equatable {
    /// Streams that weft opens on one connection, if the peer allows as many.
    package var streamsPerConnection = 100
    /// Streams that a peer may have open on one connection.
    package var streamsAccepted = 200
    /// Bytes that a peer may send on one stream before the application has taken any.
    package var streamWindow = 4 << 20
    /// Bytes that may be on their way on all streams of a connection: four times the stream's, so that an application
    /// that reads one stream before another does not stop both.
    package var connectionWindow = 16 << 20
    /// Bytes of a connection that may wait for slow applications before they count against its window: what a few
    /// stalled readers hold does not take the room from the others. With the window, the bound of a connection's memory.
    package var unreadMax = 48 << 20
    /// The largest frame that weft takes. It sends what its peer takes.
    package var frameSize = 64 << 10
    /// Opens that may wait for one connection to be made, for each key.
    package var waitersMax = 2048

    /// Connections for each key: a peer that allows few streams on each must not make weft dial without end.
    package var tunnelsMax = 64

    /// TCP, TLS and the peer's SETTINGS together.
    package var openTimeout = Duration.seconds(5)
    /// From CONNECT to its answer: the peer dials the application meanwhile, for up to 10 s.
    package var answerTimeout = Duration.seconds(15)
    /// How long a connection without streams is kept.
    package var idleTimeout = Duration.seconds(300)
    package var pingInterval = Duration.seconds(10)
    /// From an unanswered PING to the end.
    package var pingTimeout = Duration.seconds(20)
    /// How long opens wait on full connections, while no stream is answered or ends there, before another is dialled.
    /// Keeps a burst of short conversations on one connection.
    package var patience = Duration.milliseconds(100)
    /// The longest that the first of them waits, streams ending or not.
    package var patienceMax = Duration.seconds(2)
    /// How long a stream that is given up may take to send what was written before its reset.
    package var abortTimeout = Duration.seconds(5)
    /// The second GOAWAY of a drain follows the answer to a PING, or this.
    package var farewellPause = Duration.seconds(1)
    /// How often connections are looked after.
    package var tick = Duration.seconds(1)

    package init() {}

    /// Outgoing bytes of one stream that wait for the peer's window: at the first, the other leg is no longer read; at
    /// the second, it is again.
    static let outgoing = (high: 64 * 1024, low: 32 * 1024)
    /// Bytes given to a leg in one go when it asks.
    static let delivery = 64 * 1024
}

internal import NIOCore
internal import NIOHTTP2

/// The numbers of HTTP/2 connections that weft terminates: windows, streams, and what a peer may send for nothing.
struct HTTP2Limits {
    /// Streams that a client may have open on one connection. Without weft the server says how many: many gRPC servers
    /// set no limit, so this is meant to be enough for programs that keep all their conversations on one connection.
    static let streamsAccepted = 2048
    /// Connections that one client's session may have to one endpoint: a server that takes few streams on each would
    /// otherwise keep long conversations waiting for each other.
    static let upstreamsMax = 32
    /// Streams that are opened before the peer's SETTINGS have come, and where these set no limit: then the library holds
    /// what is above back, and another connection is better.
    static let streamsUnknown = 10
    static let streamsUnlimited = 100
    /// The largest frame that weft takes. It sends what its peer takes.
    static let frameSize = 64 << 10
    /// Bytes of a field section, as for HTTP/1 heads.
    static let fieldsSize = 64 << 10
    /// Interim responses to one request.
    static let interimsMax = 64
    /// How long clients that were told of the end may take to stop sending requests.
    static let farewellPause = Duration.seconds(1)

    /// Bytes that a peer may send on one stream before the other side has taken any.
    let streamWindow: Int
    /// Bytes that may be on their way on all streams of a connection, and how many more may wait for slow streams before
    /// they count (`TunnelWindows`). Together they bound a connection's memory.
    let connectionWindow: Int
    let unreadMax: Int
    /// What costs the peer nothing.
    let floods: HTTP2FloodLimits

    /// To a program on this host.
    init(for leg: any RelayLeg, floods: HTTP2FloodLimits) {
        // To another host as much as the tunnel has, so that the distance costs no more than it does there.
        let scale = leg is TunnelStream ? 4 : 1
        streamWindow = scale << 20
        connectionWindow = 4 * scale << 20
        unreadMax = 12 * scale << 20
        self.floods = floods
    }
}

/// What an HTTP/2 client may send for nothing before its connection ends with ENHANCE_YOUR_CALM.
package struct HTTP2FloodLimits: Sendable, Equatable {
    /// Requests that it may reset before they were answered, within `TunnelFlood.resetWindow`. Clients with short
    /// deadlines do that all day; it costs two frames upstream, not a dial as in a tunnel.
    package var earlyResetsMax = 5_000
    /// PING and SETTINGS frames within `controlFrameWindow`.
    package var controlFramesMax = 1024
    package var controlFrameWindow = Duration.milliseconds(100)

    package init() {}
}

extension HTTP2Limits {
    /// SETTINGS, and what the library bounds by itself. Its rates are queues with room for all events of their window, so
    /// short windows keep them small. gRPC measures its way with a PING for each round trip while data comes.
    func connectionConfiguration(as mode: NIOHTTP2Handler.ParserMode) -> NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        var settings: HTTP2Settings = [
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
            HTTP2Setting(parameter: .maxFrameSize, value: Self.frameSize),
            HTTP2Setting(parameter: .maxHeaderListSize, value: Self.fieldsSize),
        ]
        switch mode {
        case .client: settings.append(HTTP2Setting(parameter: .enablePush, value: 0))
        case .server: settings.append(HTTP2Setting(parameter: .maxConcurrentStreams, value: Self.streamsAccepted))
        }
        configuration.initialSettings = settings
        configuration.maximumSequentialEmptyDataFrames = 100
        configuration.maximumBufferedControlFrames = 1000
        configuration.maximumRecentlyResetStreams = 1024
        // Errors are limited by their rate; a connection of months may have any number.
        configuration.maximumConnectionGlitches = .max
        configuration.controlFrameRateLimit.maximumCount = floods.controlFramesMax
        configuration.controlFrameRateLimit.windowLength = TimeAmount(floods.controlFrameWindow)
        return configuration
    }

    /// A client that ends resets all of its streams at once.
    var streamConfiguration: NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.streamResetFrameRateLimit.maximumCount = Self.streamsAccepted + 512
        configuration.streamResetFrameRateLimit.windowLength = .milliseconds(100)
        configuration.streamErrorRateLimit.maximumCount = 256
        configuration.streamErrorRateLimit.windowLength = .seconds(1)
        return configuration
    }
}

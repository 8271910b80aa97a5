internal import NIOCore
internal import NIOHTTP2
internal import NIOPosix
internal import NIOSSL
internal import WeftCore

/// The pipeline of a tunnel: TLS ► FlushGate ► HTTP/2 ► TunnelConnection.
struct TunnelHandlers {
    private let tls: NIOSSLHandler
    private let tunnel: TunnelConnection

    /// The end that dials; the peer must be `destination`.
    static func client(
        _ tunnel: TunnelConnection,
        context: NIOSSLContext,
        trust: any TunnelTrust,
        expecting destination: SpiffeID
    ) throws -> TunnelHandlers {
        let tls = try NIOSSLClientHandler(
            context: context,
            serverHostname: trust.serverName(for: destination),
            customVerificationCallback: verification(tunnel, trust, expecting: destination)
        )
        return TunnelHandlers(tls: tls, tunnel: tunnel)
    }

    /// The end that was dialled; who the peer is decides about each stream.
    static func server(
        _ tunnel: TunnelConnection,
        context: NIOSSLContext,
        trust: any TunnelTrust
    ) -> TunnelHandlers {
        let tls = NIOSSLServerHandler(
            context: context,
            customVerificationCallback: verification(tunnel, trust, expecting: nil)
        )
        return TunnelHandlers(tls: tls, tunnel: tunnel)
    }

    private static func verification(
        _ tunnel: TunnelConnection,
        _ trust: any TunnelTrust,
        expecting expected: SpiffeID?
    ) -> NIOSSLCustomVerificationCallback {
        { presented, promise in
            let verdict = trust.verify(presented, as: tunnel.role)
            promise.succeed(tunnel.verified(verdict, expecting: expected) ? .certificateVerified : .failed)
        }
    }

    func add(to channel: any Channel) throws {
        let http2 = NIOHTTP2Handler(
            mode: tunnel.role == .server ? .client : .server,
            frameDelegate: tunnel,
            connectionConfiguration: tunnel.limits.connectionConfiguration(for: tunnel.role),
            streamConfiguration: tunnel.limits.streamConfiguration
        )
        try channel.pipeline.syncOperations.addHandlers([tls, FlushGate(), http2, tunnel])
    }
}

extension TunnelLimits {
    /// SETTINGS, and what the library bounds by itself. Its own defaults would end a tunnel over 200 aborted
    /// conversations in its whole life.
    fileprivate func connectionConfiguration(for peer: TunnelRole) -> NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        var settings: HTTP2Settings = [
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
            HTTP2Setting(parameter: .maxFrameSize, value: frameSize),
            HTTP2Setting(parameter: .headerTableSize, value: 4096),
        ]
        switch peer {
        case .server:
            settings.append(HTTP2Setting(parameter: .enablePush, value: 0))
            settings.append(HTTP2Setting(parameter: .maxHeaderListSize, value: 16 << 10))
        case .client:
            settings.append(HTTP2Setting(parameter: .maxConcurrentStreams, value: streamsAccepted))
            settings.append(HTTP2Setting(parameter: .maxHeaderListSize, value: 64 << 10))
        }
        configuration.initialSettings = settings
        // What follows a CONNECT is a tunnel and not content.
        configuration.contentLengthValidation = .disabled
        configuration.maximumSequentialEmptyDataFrames = 100
        configuration.maximumBufferedControlFrames = 1000
        configuration.maximumRecentlyResetStreams = 1024
        configuration.maximumConnectionGlitches = 10_000
        configuration.controlFrameRateLimit.maximumCount = 500
        configuration.controlFrameRateLimit.windowLength = .seconds(30)
        return configuration
    }

    fileprivate var streamConfiguration: NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.streamResetFrameRateLimit.maximumCount = 5000
        configuration.streamResetFrameRateLimit.windowLength = .seconds(10)
        configuration.streamErrorRateLimit.maximumCount = 1000
        configuration.streamErrorRateLimit.windowLength = .seconds(30)
        return configuration
    }
}

extension ClientBootstrap {
    /// Tunnels are always read; how much may come is said by HTTP/2's windows.
    func tunnelChannelOptions() -> ClientBootstrap {
        channelOption(.writeBufferWaterMark, value: TunnelHandlers.waterMark)
    }
}

extension TunnelHandlers {
    /// Encrypted bytes that wait for the socket before HTTP/2 holds its frames back.
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 128 * 1024, high: 256 * 1024)
}

extension Channel {
    /// Calls `body` with the channel's descriptor.
    func withSocket(_ body: (RawSocket) throws -> Void) throws {
        try pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            try body(RawSocket($0))
        }
    }
}

internal import NIOCore
internal import NIOPosix
package import WeftCore

/// Trying ways without carrying anything, for `weft ping` and for finding out whom tunnels reach.
extension DataPlane {
    /// Opens a stream along `key` and gives it up again. Nil when the application on the other end had accepted.
    package func trial(_ authority: TunnelAuthority, along key: TunnelKey) async throws -> TunnelFailure? {
        guard let loop = loops.first else { return .cancelled(.shutdown) }
        let promise = loop.eventLoop.makePromise(of: TunnelFailure?.self)
        loop.eventLoop.execute {
            loop.value.tunnels.pool.open(authority, along: key) { result in
                switch result {
                case .success(let stream):
                    stream.abandon()
                    promise.succeed(nil)
                case .failure(let failure): promise.succeed(failure)
                }
            }
        }
        return try await promise.futureResult.get()
    }

    /// Connects to an address as weft itself and closes again. Nil when something accepted.
    package func trial(_ address: NetworkAddress, timeout: Duration) async throws -> Ending? {
        guard let loop = loops.first else { return .shutdown }
        let promise = loop.eventLoop.makePromise(of: Ending?.self)
        loop.eventLoop.execute {
            let mark = loop.value.settings.dialMark
            ClientBootstrap(group: loop.eventLoop)
                .connectTimeout(.nanoseconds(timeout.wholeNanoseconds))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.withSocket { try $0.prepareForTunnel(mark: mark) }
                    }
                }
                .connect(host: address.ip.description, port: Int(address.port))
                .whenComplete { result in
                    switch result {
                    case .success(let channel):
                        channel.close(promise: nil)
                        promise.succeed(nil)
                    case .failure(let error): promise.succeed(Outcome(dialError: error).ending)
                    }
                }
        }
        return try await promise.futureResult.get()
    }
}

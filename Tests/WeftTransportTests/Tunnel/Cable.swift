import NIOCore
import NIOPosix
import Synchronization
import WeftCore

@testable import WeftTransport

/// A wire between two nodes that can be cut: forwards TCP both ways, until it resets everything at once.
final class Cable: Sendable {
    let address: NetworkAddress
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let plug: Plug

    /// What the far end is plugged into, and the connections that run through.
    private final class Plug: Sendable {
        let target = Mutex<NetworkAddress?>(nil)
        let channels = Mutex<[any Channel]>([])
    }

    private init(_ group: MultiThreadedEventLoopGroup, _ listener: any Channel, _ plug: Plug) throws {
        guard let address = listener.localAddress.flatMap({ NetworkAddress($0) }) else { throw TestError("no address") }
        self.address = address
        self.group = group
        self.listener = listener
        self.plug = plug
    }

    static func with(_ body: (Cable) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let plug = Plug()
        let listener = try await ServerBootstrap(group: group)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { near in forward(near, plug, group) }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(try Cable(group, listener, plug))
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    func plug(into target: NetworkAddress) { plug.target.withLock { $0 = target } }

    /// Resets every connection.
    func cut() async throws {
        let channels = plug.channels.withLock { channels in
            defer { channels = [] }
            return channels
        }
        for channel in channels {
            // One whose other end has gone already is as good as cut.
            try? await channel.eventLoop.submit {
                try channel.withSocket { try $0.setAbortOnClose(true) }
                channel.close(promise: nil)
            }.get()
        }
    }

    private static func forward(_ near: any Channel, _ plug: Plug, _ group: any EventLoopGroup) -> EventLoopFuture<Void>
    {
        guard let target = plug.target.withLock({ $0 }), let address = try? NIOCore.SocketAddress(target) else {
            return near.eventLoop.makeFailedFuture(TestError("not plugged in"))
        }
        return ClientBootstrap(group: near.eventLoop).channelOption(.autoRead, value: false)
            .connect(to: address)
            .flatMapThrowing { far in
                try near.pipeline.syncOperations.addHandler(Wire(far))
                try far.pipeline.syncOperations.addHandler(Wire(near))
                plug.channels.withLock { $0 += [near, far] }
                for channel in [near, far] { channel.setOption(.autoRead, value: true).whenComplete { _ in } }
            }
    }

    private final class Wire: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let other: any Channel

        init(_ other: any Channel) { self.other = other }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            other.write(unwrapInboundIn(data), promise: nil)
        }

        func channelReadComplete(context: ChannelHandlerContext) { other.flush() }

        func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

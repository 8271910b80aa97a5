internal import NIOCore
internal import NIOPosix
internal import WeftCore
internal import WeftGossip

/// TCP exchanges: of whole states, of direct messages, and pings where UDP does not get through.
extension GossipLoop {
    /// How long a dialler may take to send its message and read the answer (memberlist's TCPTimeout).
    private static let acceptedTimeout = Duration.seconds(10)
    /// Incomplete messages of all streams together. Room for several states of a pool of 10,000; one that would pass it
    /// ends its stream.
    static let streamBytesMax = 64 << 20

    /// Somebody dialled this host.
    func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            guard !isStopped, let id = node.streamAccepted(now: now)
            else {
                throw GossipStreamRefusal()
            }
            let stream = GossipStream(
                id,
                loop: self,
                opening: nil,
                expectsReply: true,
                deadline: now + Self.acceptedTimeout
            )
            streams[id] = stream
            try channel.pipeline.syncOperations.addHandler(stream)
        }
    }

    func openStream(
        _ id: StreamID,
        to address: NetworkAddress,
        message: [UInt8],
        deadline: Instant,
        expectsReply: Bool
    ) {
        let stream = GossipStream(id, loop: self, opening: message, expectsReply: expectsReply, deadline: deadline)
        streams[id] = stream
        let bound = NIOLoopBound(stream, eventLoop: eventLoop)
        var bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.nanoseconds((deadline - now).wholeNanoseconds))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
        if let dialMark {
            bootstrap = bootstrap.channelOption(
                .socketOption(.init(rawValue: SocketOption.mark.name)),
                value: Int(dialMark)
            )
        }
        do {
            bootstrap.connect(to: try SocketAddress(address)).assumeIsolated().whenFailure { _ in
                stream.fail(.unreachable)
            }
        } catch {
            stream.fail(.unreachable)
        }
    }

    func closeStream(_ id: StreamID) {
        streams.removeValue(forKey: id)?.finish()
    }

    func streamReceived(_ message: StreamMessage, byteCount: Int, on id: StreamID) {
        guard streams[id] != nil else { return }
        turn { node, now, random, actions in
            node.streamReceived(message, byteCount: byteCount, on: id, now: now, using: &random, into: &actions)
        }
        flush()
    }

    func streamFailed(_ id: StreamID, _ failure: StreamFailure, _ error: WireError?) {
        guard let stream = streams[id] else { return }
        turn { node, now, random, actions in
            node.streamFailed(id, failure, error: error, now: now, using: &random, into: &actions)
        }
        flush()
        // What the core did not close is over all the same.
        if streams.removeValue(forKey: id) != nil { stream.abandon() }
    }
}

/// There are too many exchanges at once.
struct GossipStreamRefusal: Error {}

extension NetworkAddress {
    /// Nil for Unix sockets. By way of text: a look at the C structures inside would make the compiler take those of NIO's
    /// own module for those of Glibc, here and in every other file of this target.
    init?(_ address: SocketAddress) {
        guard let port = address.port.flatMap({ UInt16(exactly: $0) }),
            let ip = address.ipAddress.flatMap({ IPAddress($0) })
        else { return nil }
        self.init(ip, port: port)
    }
}

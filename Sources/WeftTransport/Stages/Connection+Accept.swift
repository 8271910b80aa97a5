internal import Logging
internal import NIOCore
internal import WeftCore

/// The first room: what the kernel knows about a connection that it handed to weft.
extension Connection {
    enum Accepted {
        case accepted(Flow)
        case refused(Ending)
    }

    /// Prepares the client's socket and asks where the connection comes from and where it was going.
    func accept() -> Accepted {
        let (kind, listener): (CaptureListener.Kind, NetworkAddress)
        switch origin {
        case .captured(let captured, let address): (kind, listener) = (captured, address)
        case .tunnel(let request, let target):
            return .accepted(Flow(client: ClientAddress(request.remote), destination: OriginalDestination(target)))
        }
        guard let socket = (client as? Leg)?.socket else { return .refused(.reset) }
        do {
            try socket.prepareForCarrying(settings)
            guard let flow = try flow(of: socket, kind, listener) else { return .refused(.destinationUnknown) }
            // Somebody dialled weft's own listener: carrying that would come back here until descriptors run out.
            guard !loop.ownListeners.contains(flow.destination.address) else {
                self.flow = flow
                return .refused(.loop)
            }
            return .accepted(flow)
        } catch let error as SocketError where error.isDisconnect {
            return .refused(.reset)
        } catch {
            loop.logger.warning("connection refused: accept failed", metadata: ["error": "\(error)"])
            return .refused(.internalError)
        }
    }

    private func flow(of socket: RawSocket, _ kind: CaptureListener.Kind, _ listener: NetworkAddress) throws -> Flow? {
        let peer = try socket.peerAddress()
        switch kind {
        case .inbound, .tunnel:
            // tproxy leaves the packet as it was: both ends of the accepted socket are the true ones.
            return Flow(client: ClientAddress(peer), destination: OriginalDestination(try socket.localAddress()))
        case .outbound:
            // The redirect may have changed the client's port as well (capture.md section 4), so both ends come from
            // conntrack.
            guard let (client, destination) = try loop.lookup.original(listener: listener, peer: peer) else {
                return nil
            }
            return Flow(client: client, destination: destination)
        }
    }
}

extension RawSocket {
    /// What both legs of every carried connection have: no delay, a reset if weftd dies, and an end if the peer is gone.
    func prepareForCarrying(_ settings: DataPlaneSettings) throws(SocketError) {
        try setAbortOnClose(true)
        try set(.noDelay, to: 1)
        try set(.keepAlive, to: 1)
        try set(.keepIdle, to: CInt(clamping: max(1, settings.keepaliveIdle.components.seconds)))
        try set(.userTimeout, to: CInt(clamping: settings.userTimeout.wholeNanoseconds / 1_000_000))
    }

    /// What both ends of every tunnel have: no delay, and an end if the peer is gone (hbone.md section 2).
    func prepareForTunnel(mark: UInt32?) throws(SocketError) {
        try set(.noDelay, to: 1)
        try set(.keepAlive, to: 1)
        try set(.keepIdle, to: 60)
        try set(.userTimeout, to: 30_000)
        if let mark { try set(.mark, to: CInt(bitPattern: mark)) }
    }
}

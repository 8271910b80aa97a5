internal import NIOCore
internal import WeftCatalog
internal import WeftCore
internal import WeftProxy

/// The services of this host as the server of tunnels sees them.
extension DataLoop {
    /// Takes over a channel that was accepted on one of weft's listeners; called from its initializer.
    func take(_ channel: any Channel, from listener: CaptureListener) throws {
        if listener.kind == .tunnel {
            try channel.withSocket { try $0.prepareForTunnel(mark: settings.dialMark) }
            try tunnels.server?.adopt(channel)
            return
        }
        let client = Leg(.client)
        let connection = register {
            Connection(id: $0, loop: self, origin: .captured(listener.kind, listener.address), client: client)
        }
        client.whenActive = { connection.run() }
        try channel.pipeline.syncOperations.addHandler(client)
    }
}

extension DataLoop: TunnelHost {
    func decide(_ request: TunnelRequest) -> TunnelDecision {
        guard !budget.isExhausted else { return .refuse(status: 503, reason: Ending.overLimit.rawValue) }
        // weft never exposes what was not reachable before: services only. Whether this caller may is judged with the
        // connection, so that a refusal is a decision like any other.
        guard let target = target(of: request.authority), snapshot.service(exposedAt: target) != nil else {
            return .refuse(status: 503, reason: "no service answers there")
        }
        return .allow
    }

    func carry(_ stream: TunnelStream, for request: TunnelRequest) {
        guard let target = target(of: request.authority) else { return stream.abort(.unreachable) }
        register { Connection(id: $0, loop: self, origin: .tunnel(request, target), client: stream) }.run()
    }

    /// An address of this host; a name is that of a service here, with or without what follows the first dot.
    private func target(of authority: TunnelAuthority) -> NetworkAddress? {
        switch authority {
        case .address(let address): return address
        case .host(let name, let port):
            guard let label = name.split(separator: ".").first, let service = ServiceName(String(label)) else {
                return nil
            }
            let found = snapshot.localServices.first { $0.name == service && $0.port == port && $0.isExposed }
            return found?.localEndpoint(preferring: .v4)
        }
    }
}

internal import Logging
internal import NIOCore
internal import NIOPosix
internal import WeftCore
internal import WeftProxy

/// By a socket of weft's own.
extension Dial {
    func connect() {
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        let address: NIOCore.SocketAddress
        do {
            address = try NIOCore.SocketAddress(route.target)
        } catch {
            end(.failure(Refusal(outcome: Outcome(.internalError, side: .weft))))
            return
        }
        ClientBootstrap(group: loop.eventLoop)
            .connectTimeout(.nanoseconds(settings.connectTimeout.wholeNanoseconds))
            .carriedChannelOptions()
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let dial = bound.value
                    try channel.pipeline.syncOperations.addHandler(dial.socket)
                    try dial.prepare()
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success:
                    self.end(.success(Reached(leg: self.socket, security: self.security, detail: self.detail)))
                case .failure(let error): self.failed(error)
                }
            }
    }

    private var security: Security { route.path == .local ? .local : .plaintext }

    /// Marks weft's own socket, so that capture lets it pass, and gives it the address that the destination should see.
    private func prepare() throws {
        guard let socket = socket.socket else { throw ChannelError.ioOnClosedChannel }
        try socket.prepareForCarrying(settings)
        switch route.sourceAddress {
        case .any:
            try mark(socket, settings.dialMark)
        case .own(let ip):
            try mark(socket, settings.dialMark)
            guard !ip.isUnspecified, ip.family == route.target.ip.family else { return }
            try socket.set(.bindAddressNoPort, to: 1)
            // The address may have left the host since the client connected; the kernel then chooses another.
            do { try socket.bind(to: NetworkAddress(ip, port: 0)) } catch  where error.isAddressGone { return }
        case .foreign(let ip):
            guard try loop.foreignPorts.bind(socket, to: ip) else {
                // All of this client's are taken: its address is less important than its connection.
                try mark(socket, settings.dialMark)
                return
            }
            try mark(socket, settings.transparentMark)
        }
    }

    private func mark(_ socket: RawSocket, _ mark: UInt32?) throws {
        if let mark { try socket.set(.mark, to: CInt(bitPattern: mark)) }
    }

    private func failed(_ error: any Error) {
        let outcome = Outcome(dialError: error)
        if outcome.ending == .internalError {
            loop.logger.warning("dial failed", metadata: ["error": "\(error)", "target": "\(route.target)"])
        }
        end(.failure(Refusal(outcome: outcome, detail: detail)))
    }
}

extension ClientBootstrap {
    /// What both legs' channels have in common.
    func carriedChannelOptions() -> ClientBootstrap {
        channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.writeBufferWaterMark, value: Carrying.waterMark)
            .channelOption(.maxMessagesPerRead, value: Carrying.readsPerTurn)
    }
}

extension NIOCore.SocketAddress {
    init(_ address: NetworkAddress) throws {
        try self.init(packedIPAddress: ByteBuffer(bytes: address.ip.bytes), port: Int(address.port))
    }
}

internal import Logging
internal import NIOCore
internal import NIOPosix
internal import WeftCore
internal import WeftProxy

/// The room where bytes move: dial the target, then relay between the two legs until both directions have ended.
///
/// Both channels live on this loop. A leg is read only while the other one's outgoing buffer is below its high-water
/// mark, so that a connection never holds more than that mark and one read in each direction.
extension Connection {
    // MARK: Dialling

    func carry(along route: Route) {
        let bound = NIOLoopBound((self, route), eventLoop: loop.eventLoop)
        let address: NIOCore.SocketAddress
        do {
            address = try NIOCore.SocketAddress(route.target)
        } catch {
            drive { $0.dialFailed(.internalError, side: .weft, into: &$1) }
            return
        }
        ClientBootstrap(group: loop.eventLoop)
            .connectTimeout(.nanoseconds(settings.connectTimeout.wholeNanoseconds))
            .carriedChannelOptions()
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (connection, route) = bound.value
                    try channel.pipeline.syncOperations.addHandler(connection.destination)
                    try connection.prepareDial(along: route)
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success: self.drive { $0.dialSucceeded(into: &$1) }
                case .failure(let error): self.dialFailed(error)
                }
            }
    }

    /// Marks weft's own socket, so that capture lets it pass, and gives it the address that the destination should see.
    private func prepareDial(along route: Route) throws {
        guard let socket = destination.socket else { throw ChannelError.ioOnClosedChannel }
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

    private func dialFailed(_ error: any Error) {
        let outcome = Outcome(dialError: error)
        if outcome.ending == .internalError {
            loop.logger.warning(
                "dial failed",
                metadata: ["error": "\(error)", "target": "\(route?.target.description ?? "?")"]
            )
        }
        drive { $0.dialFailed(outcome.ending, side: outcome.side, into: &$1) }
    }

    // MARK: Bytes

    func received(_ data: NIOAny, count: Int, from leg: Leg) {
        guard machine.phase != .dialling else {
            early.append((data, count))
            return
        }
        if leg.side == .client { bytesOut &+= UInt64(count) } else { bytesIn &+= UInt64(count) }
        other(leg).context?.write(data, promise: nil)
    }

    func readCompleted(from leg: Leg) {
        guard machine.phase != .dialling, let partner = other(leg).context else { return }
        partner.flush()
        readMore(leg)
    }

    /// The leg's outgoing buffer has drained: the other leg may be read again.
    func becameWritable(_ leg: Leg) {
        let source = other(leg)
        if source.isReadHeld { readMore(source) }
    }

    private func readMore(_ leg: Leg) {
        guard !leg.isInputEnded, !leg.isClosing, let partner = other(leg).context else { return }
        leg.isReadHeld = !partner.channel.isWritable
        if !leg.isReadHeld { leg.context?.read() }
    }

    private func other(_ leg: Leg) -> Leg { leg.side == .client ? destination : client }

    // MARK: Ends

    func inputEnded(_ leg: Leg) {
        guard !leg.isClosing, !leg.isInputEnded else { return }
        leg.isInputEnded = true
        drive { $0.inputEnded(leg.side, into: &$1) }
    }

    func failed(_ leg: Leg, _ error: any Error) {
        guard !leg.isClosing else { return }
        drive { $0.legFailed(leg.side, .reset, into: &$1) }
    }

    func becameInactive(_ leg: Leg) {
        guard !leg.isClosing else { return }
        leg.isClosing = true
        if leg.isOutputEnded, !leg.isInputEnded {
            // NIO closes a channel whose output we ended as soon as its FIN arrives, and reports only that.
            leg.isInputEnded = true
            drive { $0.inputEnded(leg.side, into: &$1) }
        } else {
            drive { $0.legFailed(leg.side, .reset, into: &$1) }
        }
    }

    /// Looks whether a half-closed connection has been silent for too long. Called once a second.
    func checkSilence(now: Instant) {
        let bytes = bytesOut &+ bytesIn
        guard let silence, silence.bytes == bytes else {
            self.silence = (bytes, now)
            return
        }
        if now - silence.since >= settings.halfCloseTimeout {
            drive { $0.silenceExpired(into: &$1) }
        }
    }

    // MARK: The machine's actions

    /// Tells the machine what happened and carries out what follows.
    func drive(_ event: (inout RelayMachine, inout [RelayMachine.Action]) -> Void) {
        var actions: [RelayMachine.Action] = []
        event(&machine, &actions)
        for action in actions { perform(action) }
    }

    private func perform(_ action: RelayMachine.Action) {
        switch action {
        case .startRelay: startRelay()
        case .endOutput(let side): endOutput(side == .client ? client : destination)
        case .abort(let side): abort(side == .client ? client : destination)
        case .watchSilence: loop.watchSilence(of: self)
        case .finish(let outcome): finish(outcome)
        }
    }

    private func startRelay() {
        for (data, count) in early {
            bytesOut &+= UInt64(count)
            destination.context?.write(data, promise: nil)
        }
        early = []
        destination.context?.flush()
        readMore(client)
        readMore(destination)
    }

    /// FIN behind everything written. A leg that has sent its own FIN is closed with it.
    private func endOutput(_ leg: Leg) {
        afterFlush(leg) {
            guard let context = leg.context, !leg.isClosing else { return }
            // From here on an orderly end is the truth, also if weftd dies.
            do { try leg.socket?.setAbortOnClose(false) } catch {
                self.failed(leg, error)
                return
            }
            leg.isOutputEnded = true
            if leg.isInputEnded {
                leg.isClosing = true
                context.close(mode: .all, promise: nil)
            } else {
                context.close(mode: .output, promise: nil)
            }
            self.drive { $0.outputEnded(leg.side, into: &$1) }
        }
    }

    /// RST behind everything written: what the other side had sent before its own reset still arrives.
    private func abort(_ leg: Leg) {
        guard let context = leg.context, !leg.isClosing else { return }
        leg.isClosing = true
        // A reader that has stalled must not keep the connection: after this it is cut.
        let deadline = loop.eventLoop.assumeIsolated().scheduleTask(in: .seconds(5)) {
            self.closeAborting(context, leg)
        }
        afterFlush(leg) {
            deadline.cancel()
            self.closeAborting(context, leg)
        }
    }

    private func closeAborting(_ context: ChannelHandlerContext, _ leg: Leg) {
        // An end that was already sent cannot be taken back; the option then fails or does nothing, and both are right.
        try? leg.socket?.setAbortOnClose(true)
        context.close(mode: .all, promise: nil)
    }

    /// Calls back when everything written to the leg is with the kernel: at once if it is already, never if the leg
    /// breaks before (which reports itself).
    private func afterFlush(_ leg: Leg, _ body: @escaping () -> Void) {
        guard let context = leg.context else { return }
        let pending = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
        if pending == 0 {
            body()
            return
        }
        context.writeAndFlush(NIOAny(ByteBuffer())).assumeIsolated().whenSuccess(body)
    }

    private func finish(_ outcome: Outcome) {
        for leg in [client, destination] where !leg.isClosing {
            leg.isClosing = true
            leg.context?.close(mode: .all, promise: nil)
        }
        early = []
        record(outcome)
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

/// Bounds of carried connections.
enum Carrying {
    /// Reading from one leg stops when the other has this much waiting, and goes on at the lower mark.
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 32 * 1024, high: 64 * 1024)
    /// Reads in one turn of the loop, so that one busy connection does not keep the others waiting.
    static let readsPerTurn: UInt = 2
}

extension NIOCore.SocketAddress {
    init(_ address: NetworkAddress) throws {
        try self.init(packedIPAddress: ByteBuffer(bytes: address.ip.bytes), port: Int(address.port))
    }
}

internal import NIOCore
internal import WeftCore
internal import WeftProxy

/// What the machine asks for.
extension HTTP1Session {
    func perform(_ action: ExchangeMachine.Action) {
        guard !isOver else { return }
        switch action {
        case .request(let head): begin(head)
        case .sendRequest(let head): send(head)
        case .resendRequest: resend()
        case .sendRequestBody(let count): sendBody(count)
        case .endRequest: break
        case .endUpstreamOutput: upstream?.leg.endOutput()
        case .judgeResponse(let head): judge(head)
        case .sendResponse(let head, let closes): forward(head, closes: closes)
        case .sendResponseBody(let count): forwardBody(count)
        case .endResponse: break
        case .dropClient(let count): clientBytes.moveReaderIndex(forwardBy: count)
        case .dropUpstream(let count): upstreamBytes.moveReaderIndex(forwardBy: count)
        case .attemptFailed(let lost): tryFailed(lost)
        case .answer(let status, let closes): answer(status, closes: closes)
        case .releaseUpstream(let isReusable): release(isReusable: isReusable)
        case .abortUpstream: abortUpstream()
        case .endExchange(let ending): end(ending)
        case .scanClient: scanClient()
        case .becomeOpaque: becomeOpaque()
        case .endClient: endClient()
        case .abortClient: abortClient()
        }
    }

    // MARK: The request

    private func begin(_ head: RequestHead) {
        guard let connection else { return }
        var line = clientBytes
        line.moveReaderIndex(forwardBy: head.methodName.range.lowerBound)
        let length = head.target.range.upperBound - head.methodName.range.lowerBound
        let start = line.readSlice(length: length) ?? ByteBuffer()
        request = connection.makeRequest(head, line: start)
        request?.affinity = connection.affinity { key(of: $0, in: clientBytes, head) }
        request?.trace = trace(of: head)
        loop.requests.budgets.countRequest(retryKey, hint: &retryHint, now: connection.now)
        choose()
    }

    /// What a field keeps the request together with others by.
    private func key(of field: String, in bytes: ByteBuffer, _ head: RequestHead) -> AffinityKey? {
        guard let value = head.value(of: Array(field.utf8), in: bytes.readableBytesSpan) else { return nil }
        return AffinityKey(bytes.readableBytesView.dropFirst(value.range.lowerBound).prefix(value.range.count))
    }

    private func send(_ head: RequestHead) {
        guard var request, var bytes = clientBytes.readSlice(length: head.length) else { return }
        bytes = traced(bytes, head, for: &request)
        bytes.moveReaderIndex(forwardBy: head.leading)
        bytesOut += UInt64(bytes.readableBytes)
        if request.keeps { request.kept.append(bytes) }
        self.request = request
        writeToUpstream(bytes)
    }

    /// A gateway error: again elsewhere, or to the client.
    private func judge(_ head: ResponseHead) {
        if retries(after: head.status) {
            machine.retryRequest(into: &actions)
        } else {
            let bytes = upstreamBytes
            machine.passResponse(bytes.readableBytesSpan, into: &actions)
        }
    }

    private func resend() {
        for bytes in request?.kept ?? [] {
            bytesOut += UInt64(bytes.readableBytes)
            writeToUpstream(bytes)
        }
    }

    private func sendBody(_ count: Int) {
        guard let bytes = clientBytes.readSlice(length: count) else { return }
        bytesOut += UInt64(count)
        request?.sent(bytes)
        writeToUpstream(bytes)
    }

    // MARK: The response

    private func forward(_ head: ResponseHead, closes: Bool) {
        guard var bytes = upstreamBytes.readSlice(length: head.length) else { return }
        if closes { bytes = bytes.inserting(Array("connection: close\r\n".utf8), at: head.insertionOffset) }
        bytesIn += UInt64(bytes.readableBytes)
        writeToClient(bytes)
        guard !head.isInterim, let now = connection?.now else { return }
        timer?.cancel()
        request?.answered(head.status, now: now)
        judge(RequestVerdict(httpStatus: Int(head.status)), now: now)
    }

    private func forwardBody(_ count: Int) {
        guard let bytes = upstreamBytes.readSlice(length: count) else { return }
        bytesIn += UInt64(count)
        request?.bytesIn += UInt64(count)
        writeToClient(bytes)
    }

    /// weft's own word.
    private func answer(_ status: UInt16, closes: Bool) {
        guard let connection else { return }
        if request == nil { request = connection.makeRequest(nil, line: ByteBuffer()) }
        let flag = request?.flag ?? ResponseFlag(clientFault: status)
        request?.flag = flag
        guard let request else { return }
        let answer = GatewayAnswer(
            flag,
            decision: request.id,
            reason: request.reason,
            retryAfter: request.retryAfter
        )
        let form = GatewayAnswer.Request(
            isHead: request.method == .head,
            closes: closes || !request.persists,
            date: .now()
        )
        guard let bytes = answer.http1(to: form) else { return }
        self.request?.answered(flag.httpStatus ?? status, now: connection.now)
        self.request?.bytesIn += UInt64(bytes.count)
        bytesIn += UInt64(bytes.count)
        writeToClient(ByteBuffer(bytes: bytes))
    }

    private func end(_ ending: ExchangeEnding) {
        timer?.cancel()
        timer = nil
        leave()
        connection?.ended(request, ending)
        if let now = connection?.now { settle(ending, now: now) }
        request = nil
    }

    // MARK: The end

    private func becomeOpaque() {
        guard let upstream, let connection = letGo() else { return }
        self.upstream = nil
        client.flush()
        for other in idle { close(other) }
        let relay = Relay(client: client, bytesOut: bytesOut, bytesIn: bytesIn)
        relay.owner = connection
        connection.relay = relay
        connection.carrier = relay
        relay.resume(with: upstream.leg, clientBytes: clientBytes, destinationBytes: upstreamBytes)
    }

    private func endClient() {
        guard let connection else { return }
        isLingering = true
        clientBytes = ByteBuffer()
        loop.watchSilence(of: connection)
        client.endOutput()
    }

    private func abortClient() {
        client.abort(.reset)
        finish(Outcome(.reset, side: connection?.lastSide ?? .destination))
    }
}

extension ByteBuffer {
    /// A head with one more field, as one piece.
    func inserting(_ field: [UInt8], at offset: Int) -> ByteBuffer { replacing(offset..<offset, with: field) }

    /// A head with other bytes in place of some, as one piece.
    func replacing(_ range: Range<Int>, with bytes: [UInt8]) -> ByteBuffer {
        var whole = ByteBuffer()
        whole.reserveCapacity(readableBytes - range.count + bytes.count)
        whole.writeBytes(readableBytesView.prefix(range.lowerBound))
        whole.writeBytes(bytes)
        whole.writeBytes(readableBytesView.dropFirst(range.upperBound))
        return whole
    }
}

extension ResponseFlag {
    /// Why weft answers what is no request.
    fileprivate init(clientFault status: UInt16) {
        switch status {
        case 408: self = .clientTimeout
        case 414, 431: self = .clientHeadTooLarge
        case 501: self = .unsupported
        default: self = .clientProtocolError
        }
    }
}

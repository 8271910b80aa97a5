internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import WeftCore
internal import WeftProxy

/// What comes back from the application, and what follows when it breaks off.
extension HTTP2Exchange {
    func receivedResponse(_ fields: HPACKHeaders, isEnd: Bool) {
        guard let now = connection?.now else { return }
        if request.firstByte == nil { request.firstByte = now }
        if isAnswered {
            takeGRPCStatus(fields)
            responses.receive(trailers: fields)
            return goOn()
        }
        guard let status = fields.first(name: ":status").flatMap(UInt16.init) else {
            return upstreamReset(.protocolError)
        }
        if status < 200 {
            interims += 1
            guard interims <= HTTP2Limits.interimsMax, !isEnd else {
                return failTry(.protocolError, of: .reset(reachedApplication: true))
            }
            client.write(id, .headers(.init(headers: fields)))
            request.retries.responseStarted()
            return
        }
        if isHeld(status), retries(after: .status(status)) { return dropTry() }
        answered(status, now: now)
        if isEnd { takeGRPCStatus(fields) }
        judge(status, fields, isEnd: isEnd, now: now)
        // A conversation is a connection of its own, and does not take a place from requests for hours.
        if kind == .grpc, !isEnd, !requests.isEnded { leave() }
        if isEnd { _ = responses.receive(ByteBuffer(), isEnd: true) }
        client.write(id, .headers(.init(headers: fields, endStream: isEnd)))
    }

    private func takeGRPCStatus(_ fields: HPACKHeaders) {
        guard kind == .grpc, request.status == 200 else { return }
        request.grpcStatus = fields.first(name: "grpc-status").flatMap(UInt32.init)
    }

    /// The head of a gRPC response says nothing of its success, unless it is all of it.
    private func judge(_ status: UInt16, _ fields: HPACKHeaders, isEnd: Bool, now: Instant) {
        let isDecided = kind == .grpc && status == 200 && isEnd
        let retryAfter = status >= 429 ? fields.first(name: "retry-after").flatMap(Int32.init) : nil
        let verdict =
            isDecided
            ? request.grpcVerdict
            : RequestVerdict(httpStatus: Int(status), retryAfter: retryAfter.map { .seconds($0) })
        loop.requests.answered(&request, verdict, now: now)
    }

    /// What the balancer hears last.
    func settle(_ ending: ExchangeEnding, now: Instant) {
        if ending == .completed, kind == .grpc, request.status == 200 {
            loop.requests.ended(&request, request.grpcVerdict, now: now)
        } else {
            loop.requests.ended(&request, ending, now: now)
        }
    }

    // MARK: Ends of the upstream's stream

    func upstreamReset(_ code: HTTP2ErrorCode) {
        if code == .refusedStream { return failTry(code, of: .refusedStream) }
        failTry(code, of: .reset(reachedApplication: true))
    }

    /// The upstream's GOAWAY says that it has not looked at the stream.
    func notServed() { failTry(.refusedStream, of: .beyondGoAway) }

    /// The upstream's connection broke.
    func lost() { failTry(nil, of: .reset(reachedApplication: true)) }

    /// Nothing more comes from the upstream. `code` is the peer's word; nil when its connection broke.
    private func failTry(_ code: HTTP2ErrorCode?, of failure: AttemptFailure) {
        if isClientDone { return end(.completed, upstream: .cancel) }
        if responses.isEnded {
            // The response is complete; the rest of the request is not wanted (RFC 9113, section 8.1).
            releaseUpstream()
            return resetWhenWritten(.noError)
        }
        // "No error" in the middle of something is one.
        let code = code == .noError ? .internalError : code
        guard !isAnswered else { return breakOff(code) }
        timer?.cancel()
        timer = nil
        dropTry()
        guard !retries(after: failure) else { return }
        guard let code else { return giveUp(.upstreamReset) }
        request.flag = .upstreamReset
        resetWhenWritten(code)
    }

    /// Whether a response is a gateway's error that may be another one elsewhere.
    private func isHeld(_ status: UInt16) -> Bool {
        (502...504).contains(status) && request.keeps && kind != .grpc && connection?.isBalanced == true
    }

    /// The response stays a part: the client hears it as it would without weft.
    private func breakOff(_ code: HTTP2ErrorCode?) {
        request.flag = .upstreamReset
        releaseUpstream()
        if code == nil, kind == .grpc {
            // A lost connection is "unavailable" for gRPC; a reset would be an internal error.
            record(.responseTruncated)
            let answer = GatewayAnswer(.upstreamReset, decision: request.id)
            responses.receive(trailers: HPACKHeaders(answer.grpcTrailers))
            goOn()
            if !requests.isEnded { resetWhenWritten(.noError) }
        } else {
            resetWhenWritten(code ?? .internalError)
        }
    }

    /// The stream is over, and what it brought still goes on to the client.
    private func releaseUpstream() {
        client.consumed(requests.drop())
        guard let upstream, upstream.side.streams.removeValue(forKey: upstream.id) != nil else { return }
        upstream.side.write(upstream.id, .rstStream(.cancel))
        upstream.side.streamEnded()
    }
}

extension HTTPRequest {
    /// What the end of a gRPC call says of the endpoint; one without a status is a broken one.
    fileprivate var grpcVerdict: RequestVerdict { RequestVerdict(grpcStatus: Int(grpcStatus ?? 2)) }
}

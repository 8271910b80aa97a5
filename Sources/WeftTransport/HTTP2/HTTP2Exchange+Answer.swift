internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import WeftCore
internal import WeftProxy

/// What weft says itself, in place of the application.
extension HTTP2Exchange {
    func giveUp(_ flag: ResponseFlag) {
        guard let connection, !isOver else { return }
        request.flag = flag
        if flag == .connectFailed, client.leg is TunnelStream { return refuse() }
        let answer = GatewayAnswer(flag, decision: request.id, reason: request.reason, retryAfter: request.retryAfter)
        answered(flag.httpStatus ?? 503, now: connection.now)
        if kind == .grpc { request.grpcStatus = UInt32(flag.grpcStatus.rawValue) }
        write(answer)
        record(.refused(status: flag.httpStatus ?? 503))
        client.consumed(requests.drop())
        // The rest of the request is not wanted (RFC 9113, section 8.1).
        if !requests.isEnded { resetWhenWritten(.noError) }
    }

    /// Tells another host's weft that this request has reached nobody, so that it tries elsewhere whatever the method
    /// (RFC 9113, section 8.7). Its next one comes by another stream of the tunnel, whose refusal has a reason.
    private func refuse() {
        record(.refused(status: 503))
        client.consumed(requests.drop())
        session.drain()
        resetWhenWritten(.refusedStream)
    }

    private func write(_ answer: GatewayAnswer) {
        if kind == .grpc {
            guard let fields = answer.grpc() else { return }
            return write(fields, then: [])
        }
        let form = GatewayAnswer.Request(isHead: request.method == .head, date: .now())
        guard let (fields, body) = answer.http2(to: form) else { return }
        write(fields, then: body)
    }

    private func write(_ fields: [AnswerField], then body: [UInt8]) {
        client.write(id, .headers(.init(headers: HPACKHeaders(fields), endStream: body.isEmpty)))
        guard !body.isEmpty else { return }
        request.bytesIn += UInt64(body.count)
        if let piece = responses.receive(ByteBuffer(bytes: body), isEnd: true) { respond(piece) }
    }
}

extension HPACKHeaders {
    init(_ fields: [AnswerField]) { self.init(fields.map { ($0.name, $0.value) }) }
}

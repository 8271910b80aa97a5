/// The upstream's side: responses, and how an upstream may end.
extension ExchangeMachine {
    /// Bytes came from the upstream: `bytes` is all that is in its buffer.
    package mutating func upstreamReceived(_ bytes: RawSpan, into actions: inout [Action]) {
        guard case .exchange(var exchange) = state, bytes.byteCount > 0 else { return }
        switch exchange.upstream {
        case .wanted, .refused: break
        case .answered:
            exchange.isSpoiled = true
            state = .exchange(exchange)
            actions.append(.dropUpstream(bytes.byteCount))
        case .answering(var answer):
            answer.sawBytes = true
            receive(bytes, exchange, answer, into: &actions)
        }
    }

    /// FIN came from the upstream.
    package mutating func upstreamEnded(into actions: inout [Action]) {
        guard case .exchange(let exchange) = state else { return }
        if case .answering(let answer) = exchange.upstream, let body = answer.body, body.mayEndHere {
            actions.append(.endResponse)
            answered(exchange, into: &actions)
        } else {
            lose(exchange, .ended, into: &actions)
        }
    }

    /// The upstream was reset, or broke in another way: not even a body that ends with the connection is complete.
    package mutating func upstreamFailed(into actions: inout [Action]) {
        guard case .exchange(let exchange) = state else { return }
        lose(exchange, .failed, into: &actions)
    }

    /// The upstream takes too long. False when a part of the final response is with the client, so that only `cancel` is
    /// left; else `attemptFailed` follows.
    package mutating func abandonAttempt(into actions: inout [Action]) -> Bool {
        guard case .exchange(let exchange) = state, case .answering(let answer) = exchange.upstream, answer.body == nil
        else { return false }
        lose(exchange, .abandoned, into: &actions)
        return true
    }

    /// A gateway error shall go to the client: `bytes` is all that is in the upstream's buffer.
    package mutating func passResponse(_ bytes: RawSpan, into actions: inout [Action]) {
        guard case .exchange(let exchange) = state, case .answering(var answer) = exchange.upstream else { return }
        answer.holdsErrors = false
        receive(bytes, exchange, answer, into: &actions)
    }

    /// A gateway error shall not go to the client: another upstream is wanted.
    package mutating func retryRequest(into actions: inout [Action]) {
        guard case .exchange(var exchange) = state, case .answering(let answer) = exchange.upstream, answer.holdsErrors,
            !exchange.hasReachedClient
        else { return }
        exchange.upstream = .wanted
        state = .exchange(exchange)
        actions.append(.abortUpstream)
    }

    // MARK: - Responses

    private mutating func receive(
        _ bytes: RawSpan,
        _ last: Exchange,
        _ before: Exchange.Answer,
        into actions: inout [Action]
    ) {
        var (exchange, answer, offset) = (last, before, 0)
        do throws(FramingError) {
            while answer.body == nil {
                guard let head = try answer.heads.scan(bytes.extracting(offset..<bytes.byteCount)) else {
                    exchange.upstream = .answering(answer)
                    state = .exchange(exchange)
                    return
                }
                if try switchProtocol(head, exchange, into: &actions) { return }
                if try isHeld(head, exchange, answer) {
                    exchange.upstream = .answering(answer)
                    state = .exchange(exchange)
                    return actions.append(.judgeResponse(head))
                }
                try take(head, &exchange, &answer, into: &actions)
                offset += head.length
            }
            try takeBody(bytes, from: offset, &exchange, answer, into: &actions)
        } catch {
            exchange.upstream = .answering(answer)
            lose(exchange, .malformed(error), into: &actions)
        }
    }

    /// Whether both sides are opaque from here on: after 101 (RFC 9110, section 15.2.2), and after a CONNECT that was
    /// let through.
    private mutating func switchProtocol(
        _ head: ResponseHead,
        _ exchange: Exchange,
        into actions: inout [Action]
    ) throws(FramingError) -> Bool {
        guard head.status == 101 || head.opensTunnel(answering: exchange.request.method) else { return false }
        _ = try head.framing(answering: exchange.request.method)
        if head.status == 101 {
            let isAskedFor = exchange.request.offersUpgrade && exchange.body.isComplete
            guard isAskedFor, !head.upgrade.isEmpty else { throw .unexpectedSwitch }
        }
        state = .opaque
        actions += [.sendResponse(head, closes: false), .endExchange(.upgraded), .becomeOpaque]
        return true
    }

    /// Whether the shell has to say what becomes of a response. Its head is read again then: the scanner begins anew.
    private func isHeld(
        _ head: ResponseHead,
        _ exchange: Exchange,
        _ answer: Exchange.Answer
    ) throws(FramingError) -> Bool {
        guard answer.holdsErrors, head.isGatewayError, !exchange.hasReachedClient, answer.interims == 0 else {
            return false
        }
        _ = try head.framing(answering: exchange.request.method)
        return true
    }

    private func take(
        _ head: ResponseHead,
        _ exchange: inout Exchange,
        _ answer: inout Exchange.Answer,
        into actions: inout [Action]
    ) throws(FramingError) {
        let framing = try head.framing(answering: exchange.request.method)
        if head.isInterim {
            answer.interims += 1
            guard answer.interims <= HTTP1Limits.interimResponses else { throw .tooManyInterimResponses }
            // HTTP/1.0 has none (RFC 9110, section 15.2).
            let isKnown = exchange.request.version == .http11
            actions.append(isKnown ? .sendResponse(head, closes: false) : .dropUpstream(head.length))
            if isKnown { exchange.sentInterimHead(head) }
            return
        }
        exchange.sentFinalHead(head, framing: framing)
        answer.body = BodyScanner(framing)
        let wouldPersist = exchange.request.persists && head.persists
        let persists = exchange.persists && !isDraining
        actions.append(.sendResponse(head, closes: wouldPersist && !persists && framing != .untilClose))
    }

    private mutating func takeBody(
        _ bytes: RawSpan,
        from start: Int,
        _ exchange: inout Exchange,
        _ answer: Exchange.Answer,
        into actions: inout [Action]
    ) throws(FramingError) {
        guard var body = answer.body else { return }
        var (offset, answer) = (start, answer)
        let failure = body.failure(scanning: bytes, at: &offset)
        if offset > start { actions.append(.sendResponseBody(offset - start)) }
        if let failure { throw failure }
        guard body.isComplete else {
            answer.body = body
            exchange.upstream = .answering(answer)
            state = .exchange(exchange)
            return
        }
        actions.append(.endResponse)
        exchange.isSpoiled = offset < bytes.byteCount
        answered(exchange, into: &actions)
    }

    /// The response is through. The request may not be: an upstream that goes on takes the rest of it, one that closes
    /// does not want it (RFC 9112, section 9.3).
    private mutating func answered(_ last: Exchange, into actions: inout [Action]) {
        var exchange = last
        exchange.upstream = .answered
        if exchange.body.isComplete {
            complete(exchange, into: &actions)
        } else if exchange.persists, !exchange.isSpoiled {
            exchange.isSpoiled = true
            state = .exchange(exchange)
        } else {
            abandonRequest(into: &actions)
        }
    }

    private mutating func abandonRequest(into actions: inout [Action]) {
        actions += [.abortUpstream, .endExchange(.completed)]
        end(into: &actions)
    }

    /// The upstream is of no use any more, and what follows depends on what the client has got from it.
    private mutating func lose(_ last: Exchange, _ cause: LostAttempt.Cause, into actions: inout [Action]) {
        switch last.upstream {
        case .wanted, .refused: return
        case .answered: abandonRequest(into: &actions)
        case .answering(let answer) where answer.body == nil:
            var exchange = last
            exchange.upstream = .wanted
            state = .exchange(exchange)
            let failure = LostAttempt(cause, sawResponse: answer.sawBytes)
            actions += [.abortUpstream, .attemptFailed(failure)]
        case .answering:
            state = .finished
            let ending: ExchangeEnding =
                if case .malformed(let error) = cause { .malformedResponse(error) } else { .responseTruncated }
            actions += [.abortUpstream, .endExchange(ending), .abortClient]
        }
    }
}

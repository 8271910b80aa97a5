internal import NIOCore
internal import WeftCore
internal import WeftProxy

/// The room beside the others: what is spoken, found out while the destination is dialled. What is HTTP is carried
/// request by request from then on, everything else as bytes.
extension Connection {
    /// How long a client that dialled what cannot be reached has to begin a request, to be told why. Others see a reset,
    /// as a dial of their own would have shown.
    private static let refusalPatience = Duration.milliseconds(20)

    /// Listens to the client, where weft has a say in what it asks for: services of the mesh.
    func detect(along route: Route) {
        guard route.service != nil, settings.detects else { return }
        let isLearned = loop.requests.learned.knows(route.target)
        relay.listen(now: now, knowing: route.declared.map { .declared($0) } ?? (isLearned ? .learned : nil))
    }

    /// Refuses the connection: with an answer if the client speaks HTTP, else with RST.
    func refuse(_ refusal: Refusal) {
        (rule, detail) = (refusal.rule, refusal.detail)
        if let rule, let stream = client as? TunnelStream {
            stream.refuse(.denied(by: rule, on: loop.tunnels.node?.text))
        }
        guard relay.isListening, !(client is TunnelStream) else { return refuse(refusal.outcome) }
        self.refusal = refusal
        _ = schedule(at: now + Self.refusalPatience) {
            if self.carrier === self.relay { self.refuse(refusal.outcome) }
        }
    }
}

extension Connection: RelayOwner {
    var now: Instant { .now(on: loop.eventLoop) }

    func schedule(at time: Instant, _ task: @escaping () -> Void) -> Scheduled<Void> {
        loop.eventLoop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(time.nanoseconds), task)
    }

    func relayDetected(_ detection: Detection) {
        self.detection = detection
        loop.detected(detection, at: route?.target)
        switch detection.found {
        case .http1 where relay.greeting.readableBytes == 0: speakHTTP1()
        case .http2: speakHTTP2()
        case .http1, .tls, .opaque: if let refusal { refuse(refusal.outcome) }
        }
    }

    func relayHeard(early bytes: ByteBuffer) { dial?.send(early: bytes) }

    func relayHalfClosed() { loop.watchSilence(of: self) }

    func relayFinished(_ outcome: Outcome) {
        dial?.cancel()
        dial = nil
        record(outcome)
    }

    /// From here on a session has both sides, and each request is counted for itself.
    private func requestsBegin() {
        if var ticket { loop.requests.balancers.withdrawn(&ticket, now: now) }
        ticket = nil
        hadRequests = true
        guard let source, let route else { return }
        loop.requestsBegan(pair(source, route))
    }

    private func speakHTTP2() {
        guard let service = route?.service else { return }
        requestsBegin()
        let (destination, early, greeting) = relay.release()
        let session = HTTP2Session(for: self, calling: service)
        carrier = session
        session.begin(with: destination, clientBytes: early, destinationBytes: greeting)
    }

    private func speakHTTP1() {
        guard let service = route?.service else { return }
        requestsBegin()
        let (destination, early, _) = relay.release()
        let session = HTTP1Session(for: self, calling: service, clientBytes: early)
        carrier = session
        session.begin(with: destination)
    }
}

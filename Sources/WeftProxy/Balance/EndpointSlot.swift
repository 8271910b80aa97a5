internal import WeftCore

/// All that a balancer knows of one endpoint but its identity. A slot is taken by one endpoint after the other; the
/// generation tells them apart, so that what is left over from one is not counted for the next.
struct EndpointSlot: Sendable {
    private(set) var generation: UInt32 = 0
    private(set) var isTaken = false
    var load: EndpointLoad
    var outlier = OutlierRecord()
    /// When slow start began; nil for an endpoint that has its full share.
    private var warmingSince: Instant?
    private(set) var weight = EndpointWeight.standard.number
    private(set) var hash: UInt64 = 0
    private(set) var distance = EndpointDistance.unknown
    private(set) var word = GossipWord.healthy
    /// Whether new requests go to it, by both words and the panic rule: kept by the roster.
    var isUsable = false

    init(start: Duration, at now: Instant) { load = EndpointLoad(start: start, at: now) }

    /// An endpoint moves in. One that joins others which carry the load already starts slowly.
    mutating func take(start: Duration, isJoining: Bool, at now: Instant) {
        isTaken = true
        load = EndpointLoad(start: start, at: now)
        outlier = OutlierRecord()
        warmingSince = isJoining ? now : nil
    }

    /// The estimated round-trip time to it, as far as it is known.
    var roundTrip: Duration? {
        switch distance {
        case .here: .zero
        case .roundTrip(let time): max(.zero, time)
        case .unknown: nil
        }
    }

    /// When a request may probe it; nil unless it is ejected and gossip has nothing against it.
    func probeTime(isRetryable: Bool, _ settings: BalanceSettings) -> Instant? {
        word == .healthy ? outlier.probeTime(isRetryable: isRetryable, settings) : nil
    }

    /// Its endpoint is gone.
    mutating func release() {
        isTaken = false
        isUsable = false
        generation &+= 1
    }

    /// Takes over what the catalogue says.
    mutating func learn(_ endpoint: BalancedEndpoint<some Hashable & Sendable>) {
        // Weight 0 is drained; should all be, they share evenly.
        weight = max(1, endpoint.weight.number)
        hash = AffinityKey.mixed(endpoint.hash)
        distance = endpoint.distance
        word = endpoint.word
    }

    /// Gossip spoke against the endpoint and no longer does: it may have been restarted, and starts slowly.
    mutating func recovered(at now: Instant) { warmingSince = now }

    /// Takes the endpoint into service again, slowly: it may have been restarted, or have been ill from load.
    mutating func readmit(at now: Instant) {
        outlier.readmit(at: now)
        load.sample { $0.forgive() }
        warmingSince = now
    }

    /// The part of its share that an endpoint gets at `now`: below 1 in slow start.
    func warmth(at now: Instant, _ settings: BalanceSettings) -> Double {
        guard let warmingSince else { return 1 }
        let age = now - warmingSince
        guard age < settings.slowStart else { return 1 }
        return max(settings.slowStartFloor, age.inSeconds / settings.slowStart.inSeconds)
    }
}

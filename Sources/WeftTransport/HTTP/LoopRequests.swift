internal import NIOCore
internal import WeftCatalog
internal import WeftCore
internal import WeftProxy

/// What one event loop knows of requests: counts, balancers, retry budgets and the last decisions about requests. Part of
/// `DataLoop`, and confined to its loop. A class, so that its parts can be changed at the same time.
final class LoopRequests {
    var metrics = RequestMetrics()
    var balancers = LoopBalancers()
    let gates: LoopGates
    let secret: UInt64
    var budgets: RetryBudgets
    var random: LoopRandom
    var detections = DetectionCounters()
    var learned = LearnedProtocols()
    /// Where the bytes of a field are put together.
    var scratch: [UInt8] = []
    /// For whoever looks on.
    var recorder = RequestRecorder()
    /// For spans: which traces begin as reported ones, nil while none is; and what became of those requests.
    var sampler: TraceSampler?
    var traced = RequestRecorder()
    /// Requests that weft answered, tried again, or saw fail.
    var notable: DecisionRing

    init(shared: SharedRequests, eventLoop: any EventLoop, loops: Int, decisionsMax: Int) {
        gates = LoopGates(eventLoop: eventLoop, counts: shared.counts, loops: loops)
        secret = shared.secret
        budgets = RetryBudgets(floors: shared.floors, secret: shared.secret)
        random = LoopRandom(seed: .random(in: .min ... .max))
        notable = DecisionRing(capacity: decisionsMax)
    }

    // MARK: Balancing

    /// The endpoint for a request's next try.
    func pick(from group: EndpointGroup, for request: HTTPRequest, now: Instant) -> LoopBalancers.Choice? {
        balancers.pick(
            from: group,
            preferringNear: gates.policies[group.service].policy.prefersNear,
            affinity: request.affinity,
            excluding: request.tried,
            isRetryable: request.method.isIdempotent,
            now: now,
            using: &random
        )
    }

    /// The endpoint for a connection, or for its first request.
    func pick(from group: EndpointGroup, for connection: Connection, now: Instant) -> LoopBalancers.Choice? {
        let policy = gates.policies[group.service].policy
        return balancers.pick(
            from: group,
            preferringNear: policy.prefersNear,
            affinity: policy.affinity == .source ? connection.sourceAffinity : nil,
            excluding: .init(),
            isRetryable: false,
            now: now,
            using: &random
        )
    }

    /// A try begins.
    func started(_ request: inout HTTPRequest, now: Instant) {
        guard let choice = request.choice else { return }
        request.choice = nil
        request.ticket = balancers.started(choice, now: now)
    }

    func answered(_ request: inout HTTPRequest, _ verdict: RequestVerdict, now: Instant) {
        guard var ticket = request.ticket else { return }
        balancers.answered(&ticket, verdict, now: now, using: &random)
        request.ticket = ticket
    }

    /// A try has failed, and the endpoint is not to blame: a connection that had stood idle was dead.
    func withdrawn(_ request: inout HTTPRequest, now: Instant) {
        guard var ticket = request.ticket else { return }
        request.ticket = nil
        balancers.withdrawn(&ticket, now: now)
    }

    /// A try has failed; the next one goes elsewhere.
    func failed(_ request: inout HTTPRequest, now: Instant) {
        started(&request, now: now)
        guard var ticket = request.ticket else { return }
        request.ticket = nil
        balancers.ended(&ticket, .failure(), now: now, using: &random)
        request.tried.insert(ticket)
    }

    /// A connection that was carried as bytes has ended.
    func ended(_ ticket: inout LoopBalancers.Ticket, isReached: Bool, now: Instant) {
        balancers.ended(&ticket, isReached ? .success : .failure(), now: now, using: &random)
    }

    func ended(_ request: inout HTTPRequest, _ ending: ExchangeEnding, now: Instant) {
        ended(&request, ending.verdict, now: now)
    }

    func ended(_ request: inout HTTPRequest, _ verdict: RequestVerdict, now: Instant) {
        guard var ticket = request.ticket else { return }
        request.ticket = nil
        balancers.ended(&ticket, verdict, now: now, using: &random)
    }
}

/// What the loops of a data plane share, without locks.
struct SharedRequests: Sendable {
    let floors = SharedBuckets()
    let counts: SharedCounts
    let secret: UInt64

    init() {
        secret = .random(in: .min ... .max)
        counts = SharedCounts(secret: secret)
    }
}

extension ExchangeEnding {
    /// What the end says of the endpoint.
    fileprivate var verdict: RequestVerdict {
        switch self {
        case .completed, .upgraded: .success
        case .malformedResponse, .responseTruncated: .failure()
        case .refused, .malformedRequest, .clientLeft, .clientTimeout, .cancelled: .abandoned
        }
    }
}

/// xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016): what a loop
/// draws endpoints, waits and trace ids with. Nothing that has to be secret.
struct LoopRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_f491_4f6c_dd1d
    }
}

import WeftCore
import WeftProxy

/// Plays a script of events on what decides where a request goes and whether it goes again: the balancer, and the plan of
/// each request. The tests and the fuzzer (Tests/Fuzz) share it.
///
/// An event is `number << 3 | op` and sometimes a byte more. Traps when a rule is broken.
struct DecisionExercise {
    private struct Request {
        var retries: RequestRetries
        var ticket: LoadBalancer<Int>.Ticket
        var tried = LoadBalancer<Int>.Tried()
        var triedEndpoints: Set<Int> = []
        let isIdempotent: Bool
        /// How often the group had changed when it came: an endpoint that goes and returns is another one.
        let changes: Int
        var isAnswered = false
    }

    private static let requestsMax = 32
    private static let group = 6

    private var balancer = LoadBalancer<Int>()
    private var endpoints: [BalancedEndpoint<Int>] = []
    private var budgets: RetryBudgets
    private var hint = TableHint()
    private var requests: [Request] = []
    private var now = Instant(nanoseconds: 1_000_000_000)
    private var rng = SplitMix64(seed: 7)
    private var changes = 0
    private(set) var retried = 0

    private static let key: RetryKey = {
        guard let service = ServiceName("api") else { preconditionFailure("a service's name") }
        return RetryKey(source: "web", service: service)
    }()

    private init() {
        budgets = RetryBudgets(floors: SharedBuckets(), secret: 1)
        become(0xff, words: 0)
    }

    @discardableResult
    static func play(_ script: [UInt8]) -> DecisionExercise {
        var exercise = DecisionExercise()
        var bytes = script.prefix(4096).makeIterator()
        while let event = bytes.next() { exercise.play(event & 7, Int(event >> 3)) { bytes.next() ?? 0 } }
        while !exercise.requests.isEmpty { exercise.end(0, .success) }
        precondition(exercise.pending == 0, "\(exercise.pending) requests are left over")
        return exercise
    }

    private mutating func play(_ op: UInt8, _ number: Int, _ more: () -> UInt8) {
        switch op {
        case 0: now = now + .milliseconds(50 * number)
        case 1: begin(isIdempotent: number & 1 == 0)
        case 2: fail(number, more())
        case 3: answer(number, status: 200 + 100 * (number % 4))
        case 4: end(number, .success)
        case 5: become(more(), words: number)
        case 6: send(number, 1024 * Int(more()))
        default: end(number, .abandoned)
        }
        check()
    }

    // MARK: Events

    private mutating func begin(isIdempotent: Bool) {
        guard requests.count < Self.requestsMax else { return }
        budgets.countRequest(Self.key, hint: &hint, now: now)
        guard let ticket = start(LoadBalancer.Tried(), isRetryable: isIdempotent) else {
            precondition(endpoints.isEmpty, "nobody was chosen of \(endpoints.count)")
            return
        }
        var retries = RequestRetries(policy: ServicePolicy(), isIdempotent: isIdempotent, now: now)
        _ = retries.attemptStarted(now: now)
        requests.append(Request(retries: retries, ticket: ticket, isIdempotent: isIdempotent, changes: changes))
    }

    private mutating func start(
        _ tried: LoadBalancer<Int>.Tried,
        isRetryable: Bool
    ) -> LoadBalancer<Int>.Ticket? {
        balancer.pick(excluding: tried, isRetryable: isRetryable, at: now, using: &rng)
            .flatMap { balancer.started($0, at: now) }
    }

    private mutating func fail(_ number: Int, _ kind: UInt8) {
        guard let index = index(number) else { return }
        let failures: [AttemptFailure] = [
            .connectFailed, .refusedStream, .beyondGoAway, .reset(reachedApplication: true),
            .reset(reachedApplication: false), .timedOut(reachedApplication: true), .status(503), .status(500),
        ]
        let failure = failures[Int(kind & 7)]
        var request = requests.remove(at: index)
        balancer.ended(&request.ticket, .failure(), at: now, using: &rng)
        request.tried.insert(request.ticket)
        request.triedEndpoints.insert(request.ticket.endpoint)
        let action = request.retries.attemptFailed(
            failure,
            isConnectionReused: false,
            isAnotherEndpointLeft: !Set(endpoints.map(\.id)).subtracting(request.triedEndpoints).isEmpty,
            budget: &budgets,
            key: Self.key,
            hint: &hint,
            now: now,
            using: &rng
        )
        guard case .retry(let time) = action else { return }
        precondition(!request.isAnswered, "tried again after an answer")
        precondition(request.isIdempotent || failure.safety == .always, "\(failure) tried again for any method")
        precondition(request.retries.attempts < RequestRetries.attemptsMax, "too many tries")
        precondition(time >= now && time <= now + .milliseconds(250), "a wait of \(time - now)")
        again(request)
    }

    private mutating func again(_ request: Request) {
        var request = request
        guard let ticket = start(request.tried, isRetryable: request.isIdempotent) else { return }
        precondition(
            request.changes != changes || !request.triedEndpoints.contains(ticket.endpoint),
            "the same endpoint again"
        )
        _ = request.retries.attemptStarted(now: now)
        request.ticket = ticket
        requests.append(request)
        retried += 1
    }

    private mutating func answer(_ number: Int, status: Int) {
        guard let index = index(number) else { return }
        requests[index].isAnswered = true
        requests[index].retries.responseStarted()
        balancer.answered(&requests[index].ticket, RequestVerdict(httpStatus: status), at: now, using: &rng)
    }

    private mutating func send(_ number: Int, _ bytes: Int) {
        if let index = index(number) { _ = requests[index].retries.bodyReceived(bytes: bytes) }
    }

    private mutating func end(_ number: Int, _ verdict: RequestVerdict) {
        guard let index = index(number) else { return }
        var request = requests.remove(at: index)
        balancer.ended(&request.ticket, verdict, at: now, using: &rng)
        // A second end changes nothing.
        balancer.ended(&request.ticket, .failure(), at: now, using: &rng)
    }

    /// The group becomes those of the mask; `words` chooses what gossip says of them.
    private mutating func become(_ mask: UInt8, words: Int) {
        endpoints = (0..<Self.group).filter { mask & (1 << $0) != 0 }.map { number in
            let word = GossipWord.allCases[(words >> number) & 1 == 0 ? 0 : number % GossipWord.allCases.count]
            return BalancedEndpoint(number, hash: UInt64(number), word: word)
        }
        balancer.update(endpoints, at: now)
        changes += 1
    }

    // MARK: Rules

    private func index(_ number: Int) -> Int? { requests.isEmpty ? nil : number % requests.count }

    private var pending: Int { balancer.summary(at: now).reduce(0) { $0 + $1.pending } }

    private func check() {
        let summary = balancer.summary(at: now)
        precondition(summary.count == endpoints.count, "\(summary.count) endpoints of \(endpoints.count)")
        precondition(pending <= requests.count && summary.allSatisfy { $0.pending >= 0 }, "\(pending) pending")
        let group = summary.count { $0.word != .draining }
        let ejected = summary.count { $0.word != .draining && $0.ejectedLoops > 0 }
        precondition(ejected * 2 <= group, "\(ejected) of \(group) are ejected")
    }
}

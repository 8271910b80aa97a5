import Testing
import WeftCore
import WeftProxy

/// The bar of the issue in a queueing model: tenant A floods with ten times what the service can carry, and tenant B
/// keeps its success at 100 % and its p99 under three times what it is without A.
///
/// The service has eight workers; requests arrive at random (Poisson) and take random times (exponential). B asks for a
/// fifth of what the service can carry, in requests of 10 ms.
@Suite struct FairnessTests {
    struct Flood: Sendable, CustomTestStringConvertible {
        /// How long one of A's requests takes.
        let service: Duration
        /// A's load in parts of what the service can carry.
        let load: Double

        var testDescription: String { "\(load) x capacity in requests of \(service)" }
    }

    @Test(arguments: [
        Flood(service: .milliseconds(10), load: 10), Flood(service: .milliseconds(100), load: 10),
        Flood(service: .milliseconds(1), load: 10), Flood(service: .milliseconds(10), load: 0.9),
    ])
    func aFloodTakesItsShare(_ flood: Flood) throws {
        var quiet = FloodedService()
        var loaded = FloodedService(flood: flood)
        quiet.run()
        loaded.run()
        let before = try #require(quiet.p99)
        let after = try #require(loaded.p99)
        #expect(loaded.refusedOfB == 0)
        #expect(after.inSeconds < 3 * before.inSeconds)
        // A has what B leaves: at least half of the places.
        let capacity = Double(FloodedService.workers) * (FloodedService.length.inSeconds / flood.service.inSeconds)
        #expect(Double(loaded.finishedOfA) > 0.5 * min(flood.load, 1) * capacity)
    }

    @Test func withoutTenantsTheSameFloodDrownsB() {
        var service = FloodedService(flood: Flood(service: .milliseconds(10), load: 10), tenantOfA: "b")
        service.run()
        #expect(service.refusedOfB > service.latenciesOfB.count)
    }
}

/// The service, its two tenants and what became of their requests.
private struct FloodedService {
    static let workers = 8
    static let length = Duration.seconds(8)
    private static let serviceOfB = Duration.milliseconds(10)

    private enum Event {
        case arrival(isB: Bool)
        case completion(UInt64)
    }

    private struct Request {
        let isB: Bool
        let came: Instant
        let service: Duration
        let place: TenantPlace
    }

    private let flood: FairnessTests.Flood?
    private let tenants: [TenantName]
    private var rng = SplitMix64(seed: 1)
    private var admission: FairAdmission
    private var hints = [TableHint(), TableHint()]
    private var agenda = Agenda<Event>()
    private var requests: [UInt64: Request] = [:]
    private var count: UInt64 = 0
    private(set) var latenciesOfB: [Duration] = []
    private(set) var refusedOfB = 0
    private(set) var finishedOfA = 0

    init(flood: FairnessTests.Flood? = nil, tenantOfA: String = "a") {
        self.flood = flood
        tenants = [tenant(tenantOfA), tenant("b")]
        var policy = ServicePolicy()
        policy.requestsMax = Self.workers
        policy.pendingMax = 256
        admission = FairAdmission(policy: policy, loops: 1)
    }

    var p99: Duration? { latenciesOfB.sorted().dropFirst(latenciesOfB.count * 99 / 100).first }

    mutating func run() {
        let start = Instant.at(.seconds(1))
        scheduleArrival(isB: true, after: start)
        if flood != nil { scheduleArrival(isB: false, after: start) }
        while let (now, event) = agenda.removeFirst(until: start + Self.length) {
            var actions: [FairAdmission.Action] = []
            switch event {
            case .arrival(let isB): arrive(isB, now, &actions)
            case .completion(let number): complete(number, now, &actions)
            }
            admission.expire(now: now, into: &actions)
            carryOut(actions, now)
        }
    }

    private mutating func scheduleArrival(isB: Bool, after now: Instant) {
        let load = isB ? 0.2 : flood?.load ?? 0
        let between = meanService(isB) * (1 / (load * Double(Self.workers)))
        agenda.add(.arrival(isB: isB), at: now + rng.exponential(between))
    }

    private func meanService(_ isB: Bool) -> Duration { isB ? Self.serviceOfB : flood?.service ?? .zero }

    private mutating func arrive(_ isB: Bool, _ now: Instant, _ actions: inout [FairAdmission.Action]) {
        scheduleArrival(isB: isB, after: now)
        count += 1
        let (arrival, place) = admission.arrived(
            RequestToken(count),
            tenant: tenants[isB ? 1 : 0],
            hint: &hints[isB ? 1 : 0],
            now: now,
            into: &actions
        )
        guard arrival != .refused(.pendingOverflow) else {
            refusedOfB += isB ? 1 : 0
            return
        }
        let service = rng.exponential(meanService(isB))
        requests[count] = Request(isB: isB, came: now, service: service, place: place)
        if arrival == .started { agenda.add(.completion(count), at: now + service) }
    }

    private mutating func complete(_ number: UInt64, _ now: Instant, _ actions: inout [FairAdmission.Action]) {
        guard let request = requests.removeValue(forKey: number) else { return }
        if request.isB { latenciesOfB.append(now - request.came) } else { finishedOfA += 1 }
        admission.finished(request.place, into: &actions)
    }

    private mutating func carryOut(_ actions: [FairAdmission.Action], _ now: Instant) {
        for action in actions {
            switch action {
            case .start(let token):
                guard let request = requests[token.number] else { continue }
                agenda.add(.completion(token.number), at: now + request.service)
            case .refuse(let token, _):
                guard let request = requests.removeValue(forKey: token.number) else { continue }
                refusedOfB += request.isB ? 1 : 0
            }
        }
    }
}

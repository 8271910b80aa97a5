internal import WeftCore
internal import WeftGossip

/// Nobody is declared dead without a reason: either the member was away, or a fault was there, not long ago, that can
/// make a live member look dead.
struct DeathChecker {
    /// How long the effects of a fault may last: the longest suspicion, and time for the news of it.
    let memory: Duration
    /// Killing faults under way.
    private var active = 0
    private var lastKillingFault: Instant?
    /// Deaths of live members that a fault explains.
    private(set) var excused = 0
    /// Members shown as failed first that had said that they leave: the death notice overtook the intent.
    private(set) var overtakenLeaves = 0
    /// The pool has recovered: from now on no fault is an excuse.
    private(set) var isCalm = false

    init(memory: Duration) { self.memory = memory }

    mutating func faultBegan(_ kind: FaultKind, at now: Instant) {
        isCalm = false
        if kind.canKill { active += 1 }
    }

    mutating func faultEnded(_ kind: FaultKind, at now: Instant) {
        guard kind.canKill else { return }
        active -= 1
        lastKillingFault = now
    }

    mutating func poolRecovered() { isCalm = true }

    /// A node reports a member as failed. Says what is wrong with that, if anything.
    mutating func failed(_ member: Int, by host: Int, truth: HostTruth, at now: Instant) -> String? {
        let memory = memory
        func recently(_ time: Instant?) -> Bool { time.map { now - $0 <= memory } ?? false }
        switch truth.state {
        case .crashed, .absent, .left: return nil
        case .leaving:
            overtakenLeaves += 1
            return nil
        case .running:
            if recently(truth.lastAway) { return nil }
            guard !isCalm, active > 0 || recently(lastKillingFault) else {
                return "n\(host) declares n\(member) dead, which runs, without any fault that explains it"
            }
            excused += 1
            return nil
        }
    }
}

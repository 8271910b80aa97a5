/// What can go wrong. Each run has some of these switched off altogether, so that a fault which only shows without the
/// noise of others is found as well.
package enum FaultKind: String, CaseIterable, Sendable {
    /// Up to 5 % of the packets are lost: this must not bring anybody down.
    case lightLoss = "light loss"
    /// 10 to 40 % of the packets are lost.
    case heavyLoss = "heavy loss"
    /// Up to 100 ms each way.
    case delay
    /// Longer each way than a probe waits for its answer.
    case longDelay = "long delay"
    case duplication
    case reordering
    /// Two islands.
    case partition
    /// Some links carry nothing in one direction.
    case oneWay = "one-way links"
    /// One host hears and says nothing, or loses much.
    case badHost = "bad host"
    /// A process stands still for a while.
    case pause
    /// A process is held up again and again.
    case slowness
    /// A process ends without a word, and comes back later, or never.
    case crash
    /// Streams are refused, swallowed, broken or stalled.
    case streams
    /// Clocks run up to 2 % fast or slow.
    case drift

    /// Such a fault can make the pool take a live member for dead, and is an excuse for it.
    package var canKill: Bool {
        switch self {
        case .heavyLoss, .longDelay, .partition, .oneWay, .badHost, .pause, .slowness: true
        case .lightLoss, .delay, .duplication, .reordering, .crash, .streams, .drift: false
        }
    }

    /// How often one begins, beside the others.
    var weight: Int {
        switch self {
        case .crash, .pause: 3
        case .partition: 2
        default: 1
        }
    }
}

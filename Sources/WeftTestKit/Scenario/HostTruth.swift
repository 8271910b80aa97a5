internal import WeftCore
internal import WeftGossip

/// What is really the case with one host, as the one who runs the pool knows it.
struct HostTruth {
    var state = State.absent
    /// How often its tags have changed.
    var tagVersion = 0
    /// What it announces.
    var tags = Tags()
    /// What its shell last wrote to disk.
    var snapshot: GossipSnapshot?
    /// It has got into the pool since its process started.
    var isInPool = false
    /// Addresses that its core was told to join since then, and will dial again.
    var seeds: Set<Int> = []
    /// User events from before this time may be unknown to it.
    var firstEventTime: LamportTime = 0
    /// When it last was away, or began to go.
    var lastAway: Instant?

    enum State: Equatable {
        /// Never started.
        case absent
        case running
        /// It has been told to leave.
        case leaving
        case left
        case crashed
    }

    /// It ought to be alive to everybody.
    var isUp: Bool { state == .running }
}

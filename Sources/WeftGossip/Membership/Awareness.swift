/// Lifeguard's local health: how much this node doubts itself. Failed probes, missing nacks and having to refute raise
/// the score, answered probes lower it; a doubtful node probes more slowly, as the fault may be its own.
package struct Awareness: Sendable, Equatable {
    /// 0 is healthy.
    package private(set) var score = 0
    /// The score stays below this.
    package let bound: Int

    /// Scores run from 0 to `bound` - 1; a bound of 1 turns health off.
    package init(bound: Int) { self.bound = max(1, bound) }

    /// Moves the score, held within its range.
    package mutating func apply(_ delta: Int) { score = min(max(0, score + delta), bound - 1) }

    /// The interval of a probe at this health: interval x (score + 1).
    package func scaled(_ interval: Duration) -> Duration { interval * (score + 1) }
}

internal import Glibc
package import WeftCore

/// How slowly an endpoint answers: a moving average that follows a slow answer at once and forgets it by and by.
///
/// Finagle's Peak EWMA (`PeakEwma.scala`; also `tower::load::peak_ewma`). A sample above the estimate becomes the
/// estimate; one below moves it by 1 - e^(-t / decay), t being the time since the sample before. Without samples the
/// estimate falls towards zero in the same way, so that an endpoint that was slow gets a request again some day.
///
/// Failures are kept apart from latency, with the same decay, as a fast error must not look like a fast endpoint, and
/// as people want to see the latency without them. What a choice compares is the sum.
package struct PeakEWMA: Sendable, Equatable {
    /// Nanoseconds at `updated`; before the first sample, what is assumed.
    private var latency: Double
    /// Nanoseconds at `updated`.
    private var penalty = 0.0
    private var updated: Instant
    /// Whether any answer has been seen. What is only assumed does not decay.
    package private(set) var isMeasured = false

    /// Below this, in nanoseconds, estimates do not differ: an endpoint nobody has used for minutes must still get
    /// dearer with each pending request, which it would not from zero.
    private static let latencyMin = 1_000.0

    package init(start: Duration, at now: Instant) {
        latency = Double(start.wholeNanoseconds)
        updated = now
    }

    /// An answer came after `sample`.
    package mutating func observe(_ sample: Duration, at now: Instant, decay: Decay) {
        let sample = Double(max(.zero, sample).wholeNanoseconds)
        let left = remainder(at: now, decay: decay)
        let current = latency * left
        // The first sample replaces a guess, whichever is larger.
        latency = !isMeasured || sample >= current ? sample : current + sample * (1 - left)
        penalty *= left
        updated = max(updated, now)
        isMeasured = true
    }

    /// No answer came for `wait`, and now none will: the answer would have taken longer still. Says nothing when less
    /// than the estimate.
    package mutating func observeAtLeast(_ wait: Duration, at now: Instant, decay: Decay) {
        guard Double(wait.wholeNanoseconds) > latencyNanoseconds(at: now, decay: decay) else { return }
        observe(wait, at: now, decay: decay)
    }

    /// A request failed, and counts as an answer after `sample`.
    package mutating func penalise(_ sample: Duration, at now: Instant, decay: Decay) {
        let left = remainder(at: now, decay: decay)
        if isMeasured { latency *= left }
        penalty = max(penalty * left, Double(sample.wholeNanoseconds))
        updated = max(updated, now)
    }

    /// The endpoint has proved itself: past failures say nothing about it any more.
    package mutating func forgive() { penalty = 0 }

    /// What an answer takes, failures left out; nil when nothing is known.
    package func latency(at now: Instant, decay: Decay) -> Duration? {
        isMeasured ? .nanoseconds(Int64(latencyNanoseconds(at: now, decay: decay))) : nil
    }

    /// What failures still add.
    package func penalty(at now: Instant, decay: Decay) -> Duration {
        .nanoseconds(Int64(penalty * remainder(at: now, decay: decay)))
    }

    /// Latency and penalty in nanoseconds, the latency being at least `wait`: the answer that is awaited takes as long
    /// in any case.
    func estimate(at now: Instant, waited wait: Double, decay: Decay) -> Double {
        let left = remainder(at: now, decay: decay)
        return max(isMeasured ? latency * left : latency, wait, Self.latencyMin) + penalty * left
    }

    private func latencyNanoseconds(at now: Instant, decay: Decay) -> Double {
        isMeasured ? latency * remainder(at: now, decay: decay) : latency
    }

    /// What is left at `now` of one at `updated`.
    private func remainder(at now: Instant, decay: Decay) -> Double { decay.remainder(from: updated, to: now) }
}

/// How fast the past loses its say: after `time`, 1/e of it is left.
package struct Decay: Sendable, Equatable {
    /// One over nanoseconds: as a `Duration`, it would be converted again for each endpoint looked at.
    private let rate: Double

    /// `time` is more than zero.
    package init(over time: Duration) {
        precondition(time > .zero, "a decay over \(time) leaves nothing to average")
        rate = -1 / Double(time.wholeNanoseconds)
    }

    /// What is left at `end` of one at `start`: from 1 down to 0.
    package func remainder(from start: Instant, to end: Instant) -> Double {
        end > start ? exp(Double(end.nanoseconds - start.nanoseconds) * rate) : 1
    }
}

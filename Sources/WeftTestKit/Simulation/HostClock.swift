package import WeftCore

/// A host's own monotonic clock: it starts anywhere, and runs a little faster or slower than true time.
package struct HostClock: Sendable {
    /// True time when the clock was at `origin`.
    private let start: Instant
    private let origin: Instant
    /// The clock's seconds per true second; 1 is a perfect clock.
    package let rate: Double

    /// A clock that shows `origin` at the true time `start`.
    package init(showing origin: Instant, at start: Instant, rate: Double = 1) {
        precondition(rate > 0, "a clock cannot run at rate \(rate)")
        self.start = start
        self.origin = origin
        self.rate = rate
    }

    /// What the clock shows at a true time.
    package func local(_ time: Instant) -> Instant {
        let elapsed = time.nanoseconds - min(time.nanoseconds, start.nanoseconds)
        let shown = rate == 1 ? elapsed : UInt64(Double(elapsed) * rate)
        return Instant(nanoseconds: origin.nanoseconds + shown)
    }

    /// The first true time at which the clock shows at least `time`.
    package func global(_ time: Instant) -> Instant {
        let shown = time.nanoseconds - min(time.nanoseconds, origin.nanoseconds)
        guard rate != 1 else { return Instant(nanoseconds: start.nanoseconds + shown) }
        var guess = Instant(nanoseconds: start.nanoseconds + UInt64((Double(shown) / rate).rounded(.up)))
        while local(guess) < time { guess.nanoseconds += 1 }
        return guess
    }
}

package import WeftCore

/// Compares the clocks of a joining host and of the one that answered. Certificates are dated an hour back, so an hour is
/// what a clock may be behind; much less already makes logs lie.
package struct ClockCheck: Sendable, Equatable {
    /// Differences up to this are nobody's concern.
    package static let toleranceMax = Duration.seconds(120)

    /// This host's clock less the other's; negative when this host is behind.
    package let difference: Duration

    /// - Parameters:
    ///   - asked: this host's clock when it asked.
    ///   - answered: this host's clock when the answer had come.
    ///   - other: the other's clock in between; the middle is the best guess.
    package init(asked: WallTime, answered: WallTime, other: WallTime) {
        self.difference = asked.advanced(by: answered.since(asked) / 2).since(other)
    }

    package var isGood: Bool { abs(difference) <= Self.toleranceMax }

    /// What to tell people; nil when the clocks agree.
    package var warning: String? {
        guard !isGood else { return nil }
        let seconds = abs(difference).components.seconds
        let amount = seconds < 7200 ? "\(seconds / 60) min" : "\(seconds / 3600) h"
        return "this host's clock is \(amount) \(difference < .zero ? "behind" : "ahead of") the mesh's; "
            + "set it (timedatectl) before certificates end early or are refused"
    }

    private func abs(_ duration: Duration) -> Duration { duration < .zero ? .zero - duration : duration }
}

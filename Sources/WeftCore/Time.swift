/// A point on the monotonic clock, in nanoseconds since an unspecified start. Only differences mean anything.
package struct Instant: Hashable, Sendable, Comparable {
    package var nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The time from `right` to `left`; zero when `right` is the later one.
    package static func - (left: Instant, right: Instant) -> Duration {
        left.nanoseconds > right.nanoseconds
            ? .nanoseconds(Int64(clamping: left.nanoseconds - right.nanoseconds)) : .zero
    }

    /// `left` moved by `right`, held within the range of the clock.
    package static func + (left: Instant, right: Duration) -> Instant {
        let delta = right.wholeNanoseconds
        return Instant(
            nanoseconds: delta >= 0
                ? left.nanoseconds &+ UInt64(delta) : left.nanoseconds - min(left.nanoseconds, delta.magnitude)
        )
    }
}

/// A point on the calendar, in milliseconds since 1970-01-01 UTC: for people and records, never for measuring.
package struct WallTime: Hashable, Sendable, Comparable {
    package var millisecondsSince1970: Int64

    package init(millisecondsSince1970: Int64) { self.millisecondsSince1970 = millisecondsSince1970 }

    package static func < (left: WallTime, right: WallTime) -> Bool {
        left.millisecondsSince1970 < right.millisecondsSince1970
    }
}

extension Duration {
    /// The duration in nanoseconds, held to the range of `Int64` (292 years).
    package var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, carry) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carry ? (seconds < 0 ? .min : .max) : sum
    }

    /// The duration in seconds, fractions included.
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}

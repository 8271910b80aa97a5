package import WeftCore

/// The requests and retries of one source to one service in the last 10 s, in ten slots of one second, and what they
/// allow.
///
/// The window holds the second that has begun and the nine before it. A retry is allowed while there are at most
/// `percent` retries for each 100 requests in the window, the new one included. As requests leave the window no later
/// than the retries that they paid for, this holds for any time since the start as well: no request pays twice.
package struct RetryWindow: Sendable {
    package static let seconds = 10

    private var requests = InlineArray<10, UInt32>(repeating: 0)
    private var retries = InlineArray<10, UInt32>(repeating: 0)
    private var requestSum: UInt64 = 0
    private var retrySum: UInt64 = 0
    /// The newest slot, in seconds since the clock's start.
    private var newest: UInt64 = 0

    package init() {}

    /// Counts a request; its retries do not count again.
    package mutating func countRequest(now: Instant) {
        let slot = advance(to: now)
        requests[slot] &+= 1
        requestSum &+= 1
    }

    /// Counts a retry and says yes if the requests of the window pay for it.
    package mutating func takeRetry(percent: Int, now: Instant) -> Bool {
        let slot = advance(to: now)
        guard (retrySum + 1) * 100 <= requestSum * UInt64(max(0, percent)) else { return false }
        retries[slot] &+= 1
        retrySum &+= 1
        return true
    }

    /// Whether nothing in it counts any more.
    package func isEmpty(now: Instant) -> Bool {
        (requestSum == 0 && retrySum == 0) || Self.second(now) >= newest + UInt64(Self.seconds)
    }

    /// Forgets the slots that have left the window. A clock that stands still or goes back stays in the newest slot.
    private mutating func advance(to now: Instant) -> Int {
        let second = Self.second(now)
        guard second > newest else { return Int(newest % UInt64(Self.seconds)) }
        if second - newest >= UInt64(Self.seconds) {
            self = RetryWindow()
        } else {
            for passed in newest + 1...second {
                let slot = Int(passed % UInt64(Self.seconds))
                requestSum -= UInt64(requests[slot])
                retrySum -= UInt64(retries[slot])
                requests[slot] = 0
                retries[slot] = 0
            }
        }
        newest = second
        return Int(second % UInt64(Self.seconds))
    }

    private static func second(_ now: Instant) -> UInt64 { now.nanoseconds / 1_000_000_000 }
}

/// How long to wait before a retry: exponential with full jitter.
///
/// Retry n (from 1) waits a uniform time in `0 ..< min((2^n - 1) * 25 ms, 250 ms)`; Envoy has the same curve. Full jitter
/// spreads the retries of requests that failed at the same moment better than any other (Brooker, "Exponential Backoff
/// And Jitter", 2015). With an endpoint that is another each time, waiting serves the pool as a whole, not the one that
/// failed, and may be short.
///
/// | retry | below |
/// |---|---|
/// | 1 | 25 ms |
/// | 2 | 75 ms |
/// | 3 | 175 ms |
/// | 4 and later | 250 ms |
package enum RetryBackoff {
    /// In nanoseconds.
    private static let base: UInt64 = 25_000_000
    private static let maximum: UInt64 = 250_000_000

    /// The time before retry number `retry`, which is 1 or more.
    package static func delay(before retry: Int, using rng: inout some RandomNumberGenerator) -> Duration {
        let bound = bound(of: retry)
        return .nanoseconds(Int64(UInt64.random(in: 0..<bound, using: &rng)))
    }

    private static func bound(of retry: Int) -> UInt64 {
        let doublings = UInt64(min(max(1, retry), 4))
        return min(((1 << doublings) - 1) * base, maximum)
    }
}

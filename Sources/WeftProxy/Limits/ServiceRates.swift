package import WeftCore

/// The rates of one service on this host, of all callers together and of each: exact over all event loops.
///
/// One object for each service with a rate, made when the policy is; a new policy for the same service keeps it, so that
/// a reload hands nobody a fresh bucket.
package final class ServiceRates: Sendable {
    /// Callers with a certificate and those without have tables of their own: addresses are cheap, and a flood from many
    /// of them must not push services of the mesh into the overflow buckets.
    private let identified = SharedBuckets()
    private let anonymous = SharedBuckets()
    private let all = SharedBucket()

    package init() {}

    /// Takes a token from both buckets, or from none.
    ///
    /// Gives nil, or how long the caller should wait. The caller's own bucket is asked before the common one gives, so
    /// that a caller who floods uses up its own and not everybody's.
    package func take(_ caller: CallerKey, policy: ServicePolicy, now: Instant) -> Duration? {
        if let rate = policy.rate, let wait = all.wait(at: rate, now: now) { return wait }
        if let rate = policy.callerRate {
            let buckets = caller.isIdentified ? identified : anonymous
            if let wait = buckets.take(caller.hash, at: rate, now: now) { return wait }
        }
        // Another loop may have taken the last token since; then the caller has spent one of its own for nothing.
        return policy.rate.flatMap { all.take(at: $0, now: now) }
    }

    /// How often a caller found all places of its set in use and shared a bucket.
    package var overflows: UInt64 { identified.overflows + anonymous.overflows }
}

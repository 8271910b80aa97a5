internal import Synchronization
package import WeftCore

/// Token buckets by key, for all event loops together, without a lock and in a fixed 17 KiB.
///
/// A rate is a promise about the host: were each loop to count for itself, a caller with one connection would get one
/// loop's part of its rate, and one with many connections the whole. So the buckets are shared, and each is one atomic
/// word: GCRA (the virtual scheduling form of ITU-T I.371, annex A) needs only the time at which the bucket will be full.
///
/// ```
/// set (128)   ┌ key, full at ┬ key, full at ┬ ... 8 places ┬ overflow: full at ┐
/// ```
///
/// A bucket that is full is as good as one that was never used, so its place is free: forgetting loses nothing. A key
/// whose set has eight buckets in use shares the set's overflow bucket with others that come too late, and no bucket in
/// use is ever taken away. A bucket is in use for the time that its spent tokens need to come back, at 500 per second
/// 2 ms after a single request, so that 1024 places are far more than 1024 callers.
///
/// Two loops that meet a new key at the same moment may give it two places; the second is forgotten when it is full. That
/// is one burst more at most, once.
package final class SharedBuckets: Sendable {
    private static let setCount = 128
    private static let ways = 8

    /// 0 is a place that was never used.
    private let keys: InlineArray<1024, Atomic<UInt64>>
    /// Nanoseconds on the monotonic clock.
    private let fullAt: InlineArray<1024, Atomic<UInt64>>
    private let overflowFullAt: InlineArray<128, Atomic<UInt64>>
    private let overflowCount = Atomic<UInt64>(0)

    package init() {
        keys = InlineArray { _ in Atomic(0) }
        fullAt = InlineArray { _ in Atomic(0) }
        overflowFullAt = InlineArray { _ in Atomic(0) }
    }

    /// How often a key had to share an overflow bucket.
    package var overflows: UInt64 { overflowCount.load(ordering: .relaxed) }

    /// Takes one token from the bucket of `key`, a hash that is not 0, which fills at `rate`. Gives nil, or how long it
    /// takes until there is a token again.
    package func take(_ key: UInt64, at rate: Rate, now: Instant) -> Duration? {
        let now = now.nanoseconds
        if let place = find(key) ?? claim(key, now) { return Self.take(from: fullAt[place], at: rate, now) }
        overflowCount.wrappingAdd(1, ordering: .relaxed)
        return Self.take(from: overflowFullAt[Self.set(of: key)], at: rate, now)
    }

    private static func set(of key: UInt64) -> Int { Int(truncatingIfNeeded: key >> 57) }

    private func find(_ key: UInt64) -> Int? {
        let first = Self.set(of: key) * Self.ways
        for place in first..<first + Self.ways where keys[place].load(ordering: .relaxed) == key { return place }
        return nil
    }

    /// A place whose bucket is full, for `key`; nil when all are in use.
    private func claim(_ key: UInt64, _ now: UInt64) -> Int? {
        let first = Self.set(of: key) * Self.ways
        for place in first..<first + Self.ways where fullAt[place].load(ordering: .relaxed) <= now {
            let old = keys[place].load(ordering: .relaxed)
            // Only the place's number matters to others, and no other memory hangs on it: relaxed is enough. A loop that
            // found the old key just now may still take one token here, which the new one then lacks.
            if keys[place].compareExchange(expected: old, desired: key, ordering: .relaxed).exchanged { return place }
        }
        return nil
    }

    /// GCRA: conforming when the bucket will be full no later than `tolerance` from now.
    static func take(from fullAt: borrowing Atomic<UInt64>, at rate: Rate, _ now: UInt64) -> Duration? {
        var seen = fullAt.load(ordering: .relaxed)
        while true {
            guard seen <= now &+ rate.tolerance else {
                return .nanoseconds(Int64(clamping: seen - now - rate.tolerance))
            }
            let next = max(seen, now) &+ rate.interval
            let result = fullAt.weakCompareExchange(expected: seen, desired: next, ordering: .relaxed)
            guard !result.exchanged else { return nil }
            seen = result.original
        }
    }
}

/// One token bucket for all event loops together.
package final class SharedBucket: Sendable {
    private let fullAt = Atomic<UInt64>(0)

    package init() {}

    /// Takes one token. Gives nil, or how long it takes until there is a token again.
    package func take(at rate: Rate, now: Instant) -> Duration? {
        SharedBuckets.take(from: fullAt, at: rate, now.nanoseconds)
    }

    /// How long it takes until there is a token; nil when there is one. Takes none.
    package func wait(at rate: Rate, now: Instant) -> Duration? {
        let seen = fullAt.load(ordering: .relaxed)
        let limit = now.nanoseconds &+ rate.tolerance
        return seen <= limit ? nil : .nanoseconds(Int64(clamping: seen - limit))
    }
}

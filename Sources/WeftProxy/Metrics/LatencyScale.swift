internal import WeftCore

/// The buckets in which latencies are counted: fixed ones for Prometheus, and a log-linear scale for quantiles.
///
/// The log-linear scale counts whole microseconds: each to itself below 32 µs, and sixteen buckets for each doubling from
/// there to 2^32 µs (71 min), beyond which the last bucket takes everything. A bucket is as wide as at most 1/16 of its
/// lower bound, and a quantile is told as the middle of its bucket, so it is off by 1/32 (3.2 %) at most, or 1 µs. HDR
/// histograms (Tene) have the same shape; weft's own has a fixed, small place for each series and no allocation.
package enum LatencyScale {
    /// Upper bounds of the fixed buckets, inclusive, in microseconds; one bucket more is above them all. All bounds of
    /// Istio's `istio_request_duration_milliseconds` are among them, so that a dashboard made for it finds them exact.
    package static let bounds: [UInt64] = [
        500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
        10_000_000, 30_000_000, 60_000_000, 300_000_000, 600_000_000, 1_800_000_000, 3_600_000_000,
    ]

    static let fixedCount = 21
    static let fineCount = 464
    private static let linearMax: UInt64 = 32
    private static let microsecondsMax: UInt64 = (1 << 32) - 1

    /// Rounded up to whole microseconds, so that no latency is counted under a bound that it exceeds.
    static func microseconds(_ latency: Duration) -> UInt64 {
        let nanoseconds = UInt64(max(0, latency.wholeNanoseconds))
        return nanoseconds / 1000 + (nanoseconds % 1000 == 0 ? 0 : 1)
    }

    /// The fixed bucket of a latency. Most are found within a few steps: requests are fast.
    static func fixed(_ microseconds: UInt64) -> Int {
        switch microseconds {
        case ...500: 0
        case ...1000: 1
        case ...2500: 2
        case ...5000: 3
        case ...10_000: 4
        default: bounds.firstIndex { microseconds <= $0 } ?? bounds.count
        }
    }

    /// The log-linear bucket of a latency.
    static func fine(_ microseconds: UInt64) -> Int {
        guard microseconds >= linearMax else { return Int(microseconds) }
        let value = min(microseconds, microsecondsMax)
        // The highest bit says which doubling, the four below it which sixteenth of it.
        let exponent = 63 - value.leadingZeroBitCount
        return Int(linearMax) + (exponent - 5) * 16 + Int((value >> UInt64(exponent - 4)) & 15)
    }

    /// What a log-linear bucket holds, both ends included, in microseconds.
    static func range(ofFine bucket: Int) -> ClosedRange<UInt64> {
        let bucket = UInt64(bucket)
        guard bucket >= linearMax else { return bucket...bucket }
        let shift = (bucket - linearMax) / 16 + 1
        let lower = (16 + (bucket - linearMax) % 16) << shift
        return lower...lower + (1 << shift) - 1
    }
}

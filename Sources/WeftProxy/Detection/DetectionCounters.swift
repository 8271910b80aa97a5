internal import WeftCore

/// How often each protocol was found, why, and how long that took. Touched on its loop only; a scrape adds loops up.
package struct DetectionCounters: Sendable, Equatable {
    /// What was found, without names, and what decided.
    package struct Kind: Hashable, Sendable {
        package let found: String
        package let reason: Detection.Reason
    }

    /// Upper bounds of the histogram's buckets, inclusive; one more is above them all.
    package static let bounds: [Duration] = [
        .microseconds(100), .milliseconds(1), .milliseconds(10), .milliseconds(100), .seconds(1),
    ]

    package private(set) var kinds: [Kind: UInt64] = [:]
    /// One count more than `bounds`; not cumulative.
    package private(set) var buckets = [UInt64](repeating: 0, count: bounds.count + 1)
    package private(set) var total = Duration.zero

    package init() {}

    package mutating func count(_ detection: Detection) {
        kinds[Kind(found: detection.found.name, reason: detection.reason), default: 0] += 1
        buckets[Self.bounds.firstIndex { detection.elapsed <= $0 } ?? Self.bounds.count] += 1
        total += detection.elapsed
    }

    package mutating func merge(_ other: DetectionCounters) {
        kinds.merge(other.kinds, uniquingKeysWith: +)
        for index in buckets.indices { buckets[index] += other.buckets[index] }
        total += other.total
    }
}

extension WireProtocol {
    /// As people and the API know it.
    package var name: String {
        switch self {
        case .http1: "http/1.1"
        case .http2: "http/2"
        case .tls: "tls"
        case .opaque: "opaque"
        }
    }
}

package import WeftCore

/// Which certificates are to be renewed and when to look again. A value: the daemon tells it what it holds and asks.
///
/// A certificate is due at half of its life, moved by a jitter that is drawn when it is added; the old one serves until
/// it ends, so a renewal may fail for half a life before anybody notices. After a failure the next try waits twice as
/// long as the one before:
///
/// | failures in a row | 1     | 2   | 3   | ... | 9 and more |
/// | wait, +-20 %      | 0.5 s | 1 s | 2 s | ... | 150 s      |
package struct RenewalSchedule: Sendable {
    /// What is renewed: a workload's leaf, or the host's intermediate, which needs an authority.
    package enum Subject: Sendable, Hashable, Comparable {
        case intermediate
        case leaf(SpiffeID)
    }

    /// What `weft cert` shows of one.
    package struct Entry: Sendable, Equatable {
        package let validity: ValidityPeriod
        /// When it is due for the first time.
        package let renewal: WallTime
        /// Failed tries since then, and when to try again.
        package fileprivate(set) var failures = 0
        package fileprivate(set) var retry: WallTime?

        fileprivate var next: WallTime { retry ?? renewal }
    }

    package private(set) var entries: [Subject: Entry] = [:]

    package init() {}

    /// A certificate has come: new, or in the place of its predecessor.
    package mutating func hold(
        _ subject: Subject,
        _ validity: ValidityPeriod,
        using rng: inout some RandomNumberGenerator
    ) {
        let renewal = validity.renewal(jitter: Double.random(in: 0...1, using: &rng))
        entries[subject] = Entry(validity: validity, renewal: renewal)
    }

    /// The workload is gone: its certificate is left to end.
    package mutating func drop(_ subject: Subject) { entries[subject] = nil }

    /// A renewal was tried and failed.
    package mutating func failed(
        _ subject: Subject,
        now: WallTime,
        using rng: inout some RandomNumberGenerator
    ) {
        guard var entry = entries[subject] else { return }
        entry.failures += 1
        let wait = min(150, 0.5 * Double(1 << min(entry.failures - 1, 12)))
        let jittered = wait * Double.random(in: 0.8...1.2, using: &rng)
        entry.retry = now.advanced(by: .milliseconds(Int64(jittered * 1000)))
        entries[subject] = entry
    }

    /// Has something renewed by `time` although half of its life is not over, as when its root is being replaced.
    package mutating func hasten(_ subject: Subject, to time: WallTime) {
        guard var entry = entries[subject], time < entry.next else { return }
        entry.retry = time
        entries[subject] = entry
    }

    /// What is to be renewed now: the intermediate first, as leaves cannot outlive it.
    package func due(at now: WallTime) -> [Subject] {
        entries.filter { $0.value.next <= now }.keys.sorted()
    }

    /// When something is due next; nil when there is nothing.
    package var wake: WallTime? { entries.values.map(\.next).min() }
}

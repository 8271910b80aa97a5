import Glibc
import WeftCore

/// Events to come, few at a time, in the order of their times; of equal times, the one added first.
struct Agenda<Event> {
    private var entries: [(time: Instant, event: Event)] = []

    mutating func add(_ event: Event, at time: Instant) {
        let place = entries.lastIndex { $0.time <= time }.map { $0 + 1 } ?? 0
        entries.insert((time, event), at: place)
    }

    /// The next event, if it comes no later than `limit`.
    mutating func removeFirst(until limit: Instant) -> (time: Instant, event: Event)? {
        guard let first = entries.first, first.time <= limit else { return nil }
        return entries.removeFirst()
    }
}

extension RandomNumberGenerator {
    /// A time of an exponential distribution with this mean.
    mutating func exponential(_ mean: Duration) -> Duration { mean * -log(1 - Double.random(in: 0..<1, using: &self)) }
}

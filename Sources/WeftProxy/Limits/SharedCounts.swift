internal import Synchronization
package import WeftCore

/// How much each service has open, for all event loops together, without a lock and in a fixed 16 KiB.
///
/// A bound that is split by loop refuses on one loop what others have room for, and a bound below the number of loops
/// cannot be split at all. So the counts are shared: one atomic addition for a connection that opens or closes.
///
/// A service gets a place the first time it is asked for and keeps it. Places are only ever added, in the order in which
/// every loop looks for them, so that two loops that meet a new service at the same moment agree on one. When all 1023
/// are taken, which needs as many services on one host, further services share the last and its count.
package final class SharedCounts: Sendable {
    private static let last = 1023

    /// 0 is a place that is free.
    private let keys: InlineArray<1024, Atomic<UInt64>>
    private let counts: InlineArray<1024, Atomic<Int>>
    private let secret: UInt64

    /// - Parameter secret: random, so that no unit can choose a name that shares another's place.
    package init(secret: UInt64) {
        self.secret = secret
        keys = InlineArray { _ in Atomic(0) }
        counts = InlineArray { _ in Atomic(0) }
    }

    /// The count of one service, on any loop.
    package struct Counter: Sendable {
        fileprivate let shared: SharedCounts
        fileprivate let place: Int

        /// What is open now.
        package var value: Int { shared.counts[place].load(ordering: .relaxed) }

        /// Counts one more, if fewer than `bound` are open.
        package func take(below bound: Int) -> Bool {
            var seen = value
            while seen < bound {
                let result = shared.counts[place].weakCompareExchange(
                    expected: seen,
                    desired: seen + 1,
                    ordering: .relaxed
                )
                if result.exchanged { return true }
                seen = result.original
            }
            return false
        }

        package func release() {
            let left = shared.counts[place].wrappingSubtract(1, ordering: .relaxed).newValue
            precondition(left >= 0, "more was closed than was open: \(left)")
        }
    }

    /// Asked for once for each service and loop.
    package func counter(of service: ServiceName) -> Counter {
        var hash = KeyedHash(secret: secret)
        hash.mix(service.text)
        let key = hash.value
        let first = Int(truncatingIfNeeded: key >> 54)
        for step in 0..<Self.last {
            let place = (first + step) % Self.last
            let (isNew, owner) = keys[place].compareExchange(expected: 0, desired: key, ordering: .relaxed)
            if isNew || owner == key { return Counter(shared: self, place: place) }
        }
        return Counter(shared: self, place: Self.last)
    }
}

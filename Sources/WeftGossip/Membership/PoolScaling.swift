internal import WeftCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// How intervals and counts grow with the pool: memberlist's formulas, exactly, so that mixed pools agree on them.
package enum PoolScaling {
    /// How often each node sends one piece of news: mult x ceil(log10(n + 1)) (section 6.6).
    package static func retransmitLimit(mult: Int, nodes: Int) -> Int { mult * digits(of: nodes) }

    /// How often full state is exchanged: the interval up to 32 nodes, then x (ceil(log2(n) - 5) + 1) (section 6.7).
    package static func pushPullInterval(_ interval: Duration, nodes: Int) -> Duration {
        var multiplier = 1
        var reach = 32
        while reach < nodes {
            reach *= 2
            multiplier += 1
        }
        return interval * multiplier
    }

    /// How long a query runs unless told otherwise: interval x mult x ceil(log10(n + 1)) (section 8.7).
    package static func queryTimeout(gossipInterval: Duration, mult: Int, nodes: Int) -> Duration {
        gossipInterval * (mult * digits(of: nodes))
    }

    /// The shortest suspicion: mult x max(1, log10 n) x interval, the factor cut to 3 decimals (section 6.2).
    package static func suspicionMinimum(mult: Int, nodes: Int, interval: Duration) -> Duration {
        let scale = max(1, log10(Double(max(1, nodes))))
        return interval * (mult * Int(scale * 1000)) / 1000
    }

    /// How long a suspicion lasts in all, from its beginning, once `confirmations` of `expected` have come.
    package static func suspicionTimeout(
        confirmations: Int,
        expected: Int,
        minimum: Duration,
        maximum: Duration
    ) -> Duration {
        guard expected > 0 else { return minimum }
        let share = log(Double(confirmations) + 1) / log(Double(expected) + 1)
        let seconds = maximum.inSeconds - share * (maximum.inSeconds - minimum.inSeconds)
        return max(minimum, .milliseconds(Int64((1000 * seconds).rounded(.down))))
    }

    /// ceil(log10(n + 1)) in whole numbers, for n from 0.
    private static func digits(of nodes: Int) -> Int {
        var digits = 0
        var reach = 1
        while reach <= nodes, digits < 18 {
            reach *= 10
            digits += 1
        }
        return digits
    }
}

/// How often something may happen: `count` times in `period`, and up to `burst` of them at once.
package struct Rate: Hashable, Sendable {
    /// A million a second is one a microsecond, beyond what one host carries.
    package static let perSecondMax: Int64 = 1_000_000
    package static let burstMax = 10_000_000
    package static let periodMax = Duration.seconds(3600)

    package let count: Int
    package let period: Duration
    package let burst: Int
    /// Nanoseconds between two events at this rate, rounded up: the rate is never exceeded, and at the highest rate there
    /// is at most one thousandth too low.
    package let interval: UInt64
    /// How far ahead of the clock a bucket may be when it still gives: `burst - 1` intervals, in nanoseconds.
    package let tolerance: UInt64

    /// Nil for a count or burst below 1, a period outside 1 s...1 h, more than a million per second, or a burst above
    /// ten million. Without a `burst`, what one second brings, and at least 1: short enough to protect, long enough for a
    /// client that sends its work in lumps.
    package init?(_ count: Int, per period: Duration, burst: Int? = nil) {
        let seconds = period.components.seconds
        guard count >= 1, period >= .seconds(1), period <= Self.periodMax, count <= Self.perSecondMax * seconds else {
            return nil
        }
        let burst = burst ?? max(1, count / Int(seconds))
        guard (1...Self.burstMax).contains(burst) else { return nil }
        let nanoseconds = UInt64(seconds) * 1_000_000_000
        let (quotient, rest) = nanoseconds.quotientAndRemainder(dividingBy: UInt64(count))
        self.count = count
        self.period = period
        self.burst = burst
        interval = quotient + (rest == 0 ? 0 : 1)
        tolerance = interval * UInt64(burst - 1)
    }
}

extension Rate: CustomStringConvertible {
    /// As it is written: `500/s`, `100/m burst 20`.
    package var description: String {
        let seconds = period.components.seconds
        let unit =
            switch seconds {
            case 1: "s"
            case 60: "m"
            case 3600: "h"
            default: "\(seconds)s"
            }
        let usual = max(1, count / Int(seconds))
        return burst == usual ? "\(count)/\(unit)" : "\(count)/\(unit) burst \(burst)"
    }
}

/// Whom a written rate is for.
package enum RateScope: Hashable, Sendable {
    /// All callers together.
    case service
    /// Each caller by itself.
    case caller
}

/// `service.NAME.rate`: a rate and whom it is for.
package struct RateSetting: Hashable, Sendable {
    package let rate: Rate
    package let scope: RateScope

    package init(_ rate: Rate, scope: RateScope) {
        self.rate = rate
        self.scope = scope
    }

    /// Reads `COUNT/UNIT[ burst COUNT][ per caller]`, with `s`, `m` or `h` for the unit and single spaces, such as
    /// `500/s per caller` or `100/m burst 20`.
    package static func read(_ text: String) throws(PolicyProblem) -> RateSetting {
        var words = text.split(separator: " ", omittingEmptySubsequences: false)[...]
        guard let first = words.popFirst(), let (count, period) = readQuotient(first) else { throw shape(text) }
        var burst: Int?
        if words.first == "burst" {
            guard let word = words.dropFirst().first, let number = readNumber(word) else { throw shape(text) }
            burst = number
            words = words.dropFirst(2)
        }
        let isPerCaller = words.elementsEqual(["per", "caller"])
        guard isPerCaller || words.isEmpty else { throw shape(text) }
        guard let rate = Rate(count, per: period, burst: burst) else { throw range(text) }
        return RateSetting(rate, scope: isPerCaller ? .caller : .service)
    }

    private static func readQuotient(_ word: Substring) -> (Int, Duration)? {
        let parts = word.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = readNumber(parts[0]) else { return nil }
        switch parts[1] {
        case "s": return (count, .seconds(1))
        case "m": return (count, .seconds(60))
        case "h": return (count, .seconds(3600))
        default: return nil
        }
    }

    /// Digits alone: `Int` would take a sign too.
    private static func readNumber(_ word: Substring) -> Int? {
        word.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(word) : nil
    }

    private static func shape(_ text: String) -> PolicyProblem {
        PolicyProblem(
            .rate,
            reason: "\"\(text.prefix(60))\" is not a rate",
            remedy: "write \"500/s\", \"100/m burst 20\" or \"500/s per caller\"; the units are s, m and h"
        )
    }

    private static func range(_ text: String) -> PolicyProblem {
        PolicyProblem(
            .rate,
            reason: "\"\(text.prefix(60))\" is out of range",
            remedy: "write from 1 to \(Rate.perSecondMax) per second, and a burst from 1 to \(Rate.burstMax)"
        )
    }
}

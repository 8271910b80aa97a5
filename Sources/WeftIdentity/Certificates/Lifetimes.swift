package import WeftCore

/// How long certificates live, counted from the moment they are made.
///
/// Shorter leaves make a stolen one worth less and cost one signature each half life; tests use seconds.
package struct Lifetimes: Sendable, Equatable {
    package var root: Duration
    package var intermediate: Duration
    package var leaf: Duration

    package init(
        root: Duration = .seconds(3650 * 86_400),
        intermediate: Duration = .seconds(30 * 86_400),
        leaf: Duration = .seconds(86_400)
    ) {
        self.root = root
        self.intermediate = intermediate
        self.leaf = leaf
    }

    /// Ten years, thirty days, one day.
    package static let standard = Lifetimes()

    /// How far into the past a certificate begins, so that hosts whose clocks are behind take it. A tenth of short
    /// lifetimes, so that the halfway point of every certificate lies after its making.
    package static let backdatingMax = Duration.seconds(3600)

    /// How long after its end a node's intermediate still opens the door to a new one. Long enough for a host that was
    /// switched off over a holiday; a host that comes back later needs a token again.
    package static let grace = Duration.seconds(30 * 86_400)
}

/// When a certificate holds: from the first millisecond to the last, both included, in whole seconds as X.509 has them.
package struct ValidityPeriod: Sendable, Hashable {
    package let notBefore: WallTime
    package let notAfter: WallTime

    package init(notBefore: WallTime, notAfter: WallTime) {
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// The period of a certificate made `now`; never beyond the end of `issuer`'s, whose certificate it hangs on.
    package init(madeAt now: WallTime, lifetime: Duration, within issuer: ValidityPeriod? = nil) {
        let back = min(Lifetimes.backdatingMax, lifetime / 10)
        let end = now.advanced(by: lifetime).wholeSeconds
        self.notBefore = now.advanced(by: .zero - back).wholeSeconds
        self.notAfter = issuer.map { min($0.notAfter, end) } ?? end
    }

    package func contains(_ time: WallTime) -> Bool { notBefore <= time && time <= notAfter }

    /// When the certificate is to be renewed: at half of its life, moved by up to a twentieth of it either way.
    ///
    /// - Parameter jitter: 0 to 1, drawn once for each certificate, so that what was made together is not renewed
    ///   together.
    package func renewal(jitter: Double) -> WallTime {
        let life = Double(notAfter.millisecondsSince1970 - notBefore.millisecondsSince1970)
        let share = 0.45 + 0.1 * min(max(jitter, 0), 1)
        return WallTime(millisecondsSince1970: notBefore.millisecondsSince1970 + Int64(life * share))
    }
}

extension WallTime {
    /// The time `duration` later, to the millisecond.
    package func advanced(by duration: Duration) -> WallTime {
        let (seconds, attoseconds) = duration.components
        return WallTime(
            millisecondsSince1970: millisecondsSince1970 + seconds * 1000 + attoseconds / 1_000_000_000_000_000
        )
    }

    /// The time from `other` to this one; negative when this is the earlier one.
    package func since(_ other: WallTime) -> Duration {
        .milliseconds(millisecondsSince1970 - other.millisecondsSince1970)
    }

    /// Rounded down to the second.
    var wholeSeconds: WallTime {
        let (quotient, remainder) = millisecondsSince1970.quotientAndRemainder(dividingBy: 1000)
        return WallTime(millisecondsSince1970: (remainder < 0 ? quotient - 1 : quotient) * 1000)
    }
}

internal import WeftCore

/// One member's time between being suspected and being declared dead (section 6.2).
///
/// Lifeguard: the time starts long, and each independent confirmation shortens it, so that one node with a bad network
/// cannot declare others dead quickly, and several that agree can.
struct Suspicion: Sendable {
    /// The member's incarnation that is suspected; a higher one ends the suspicion.
    let incarnation: Incarnation
    private(set) var began: Instant
    /// Confirmations that shorten it to the minimum; 0 in pools too small to confirm anything.
    let expected: Int
    let minimum: Duration
    let maximum: Duration
    /// The first accuser and those who confirmed: at most `expected` + 1 names.
    private(set) var accusers: [MemberName]

    init(
        of incarnation: Incarnation,
        by accuser: MemberName,
        at began: Instant,
        expected: Int,
        minimum: Duration,
        maximum: Duration
    ) {
        self.incarnation = incarnation
        self.began = began
        self.expected = expected
        self.minimum = minimum
        self.maximum = maximum
        accusers = [accuser]
    }

    /// When the member is declared dead unless it refutes or somebody confirms.
    var deadline: Instant {
        began
            + PoolScaling.suspicionTimeout(
                confirmations: accusers.count - 1,
                expected: expected,
                minimum: minimum,
                maximum: maximum
            )
    }

    /// As many agree as the pool asks for; never in pools too small for that.
    var isConfirmed: Bool { expected > 0 && accusers.count > expected }

    /// Gives the member time back that we lost.
    mutating func postpone(by lost: Duration) { began = began + lost }

    /// Counts one more accuser. False when nothing changes: it was counted already, or enough have confirmed.
    mutating func confirm(by accuser: MemberName) -> Bool {
        guard accusers.count <= expected, !accusers.contains(accuser) else { return false }
        accusers.append(accuser)
        return true
    }
}

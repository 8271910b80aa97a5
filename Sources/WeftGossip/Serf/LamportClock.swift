/// A counter that orders what nodes do without a common clock (section 8.3).
package struct LamportClock: Sendable, Equatable {
    /// The time that the next message gets.
    package private(set) var time: LamportTime

    /// Clocks start at 1.
    package init() { time = 1 }

    /// Moves past a time that was seen.
    package mutating func witness(_ seen: LamportTime) {
        if seen >= time { time = seen.next }
    }

    /// Moves on after a message of our own.
    package mutating func advance() { time = time.next }

    /// Counting from 1 reaches no time above this; one that claims to be there would leave no room for others.
    package static let limit = LamportTime(1 << 62)
}

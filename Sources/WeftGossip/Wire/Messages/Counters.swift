/// How often a member has announced itself anew; the higher claim about a member wins. Only its owner raises it.
package struct Incarnation: Hashable, Sendable, Comparable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    package let value: UInt32

    package init(_ value: UInt32) { self.value = value }

    package init(integerLiteral value: UInt32) { self.init(value) }

    /// The following incarnation. Stays at the maximum: a peer can claim it about us, and wrapping to 0 would make
    /// every later word of ours old.
    package var next: Incarnation { Incarnation(value == .max ? value : value + 1) }

    package static func < (left: Incarnation, right: Incarnation) -> Bool { left.value < right.value }

    package var description: String { "\(value)" }
}

/// Joins a ping to its ack: a per-process counter from 1 that wraps.
package struct SequenceNumber: Hashable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    package let value: UInt32

    package init(_ value: UInt32) { self.value = value }

    package init(integerLiteral value: UInt32) { self.init(value) }

    package var next: SequenceNumber { SequenceNumber(value &+ 1) }

    package var description: String { "\(value)" }
}

/// A time on one of Serf's three Lamport clocks (specification 8.3). Zero means "no time".
package struct LamportTime: Hashable, Sendable, Comparable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    package let value: UInt64

    package init(_ value: UInt64) { self.value = value }

    package init(integerLiteral value: UInt64) { self.init(value) }

    /// The following time; stays at the maximum, which a peer can send us.
    package var next: LamportTime { LamportTime(value == .max ? value : value + 1) }

    package static func < (left: LamportTime, right: LamportTime) -> Bool { left.value < right.value }

    package var description: String { "\(value)" }
}

/// A numeric group id of this host.
package struct GroupID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let number: UInt32

    package init(_ number: UInt32) { self.number = number }

    package var description: String { "\(number)" }

    package static func < (left: GroupID, right: GroupID) -> Bool { left.number < right.number }
}

/// A non-empty run of TCP ports, both ends included.
package struct PortRange: Hashable, Sendable {
    package let first: UInt16
    package let last: UInt16

    /// A single port.
    package init(_ port: UInt16) {
        self.first = port
        self.last = port
    }

    /// Nil when `last` comes before `first`.
    package init?(first: UInt16, last: UInt16) {
        guard first <= last else { return nil }
        self.first = first
        self.last = last
    }

    package func contains(_ port: UInt16) -> Bool { first <= port && port <= last }
}

extension PortRange: Comparable {
    package static func < (left: PortRange, right: PortRange) -> Bool {
        (left.first, left.last) < (right.first, right.last)
    }
}

extension PortRange: CustomStringConvertible {
    package var description: String { first == last ? "\(first)" : "\(first)-\(last)" }
}

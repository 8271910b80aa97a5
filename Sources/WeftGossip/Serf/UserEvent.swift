/// A named message for every member, delivered at most once to each, in no particular order.
package struct UserEvent: Sendable, Equatable {
    package let name: String
    package let payload: [UInt8]
    /// The Lamport time of the event: later events of one sender have larger ones.
    package let time: LamportTime
    /// The sender allows receivers to keep only the last of several events with this name. Lost in push/pull.
    package let coalesce: Bool
    /// This node sent it.
    package let isOwn: Bool
}

extension UserEvent {
    /// Names that begin so are weft's own events.
    package static let weftPrefix = "weft:"
}

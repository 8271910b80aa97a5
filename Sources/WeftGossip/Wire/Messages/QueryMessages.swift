/// A query's identity beside its Lamport time: 31 random bits.
package struct QueryID: Hashable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    package let value: UInt32

    package init(_ value: UInt32) { self.value = value }

    package init(integerLiteral value: UInt32) { self.init(value) }

    package var description: String { "\(value)" }
}

/// Type 4: a question to all members, or to those that match every filter.
package struct QueryMessage: Equatable, Sendable {
    /// What the asker wants beside answers. Unknown bits are kept.
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Acknowledge at once, before the answer.
        package static let ack = Flags(rawValue: 1)
        /// Do not pass the query on.
        package static let noBroadcast = Flags(rawValue: 2)
    }

    package var time: LamportTime
    package var id: QueryID
    /// Where answers go.
    package var source: MemberAddress
    /// Empty from versions that do not send it.
    package var sourceNode: MemberName
    package var filters: [QueryFilter]
    package var flags: Flags
    /// To how many members an answer is sent as well, to be passed on.
    package var relayFactor: UInt8
    /// How long answers are waited for. A peer may send anything, negative too.
    package var timeoutNanoseconds: Int64
    /// Text, as in `UserEventMessage`. Names that begin with `_serf_` are internal.
    package var name: String
    /// Nil and empty are told apart, as on the wire.
    package var payload: [UInt8]?

    package init(
        time: LamportTime,
        id: QueryID,
        source: MemberAddress,
        sourceNode: MemberName,
        filters: [QueryFilter] = [],
        flags: Flags = [],
        relayFactor: UInt8 = 0,
        timeoutNanoseconds: Int64,
        name: String,
        payload: [UInt8]?
    ) {
        self.time = time
        self.id = id
        self.source = source
        self.sourceNode = sourceNode
        self.filters = filters
        self.flags = flags
        self.relayFactor = relayFactor
        self.timeoutNanoseconds = timeoutNanoseconds
        self.name = name
        self.payload = payload
    }
}

/// Who has to answer a query.
package enum QueryFilter: Equatable, Sendable {
    /// Type 0: one of these members.
    case nodes([MemberName])
    /// Type 1: the tag's value (empty when it has none) matches the regular expression, anywhere in it.
    case tag(name: String, expression: String)
    /// A type that we do not know, or bytes that make no sense: such a query is not for us.
    case unsupported([UInt8])
}

/// Type 5: an acknowledgement or an answer, sent straight to the asker.
package struct QueryResponseMessage: Equatable, Sendable {
    package var time: LamportTime
    package var id: QueryID
    package var from: MemberName
    /// Bit 0: this is the acknowledgement, not the answer.
    package var flags: UInt32
    package var payload: [UInt8]?

    package init(time: LamportTime, id: QueryID, from: MemberName, flags: UInt32, payload: [UInt8]?) {
        self.time = time
        self.id = id
        self.from = from
        self.flags = flags
        self.payload = payload
    }

    package var isAck: Bool { flags & 1 != 0 }
}

/// Type 9: a Serf message to be passed on, unchanged, to somebody else.
package struct RelayMessage: Equatable, Sendable {
    package var destination: MemberAddress
    package var destinationName: MemberName
    /// The complete inner Serf message from its type byte on; not looked into.
    package var inner: [UInt8]

    package init(destination: MemberAddress, destinationName: MemberName, inner: [UInt8]) {
        self.destination = destination
        self.destinationName = destinationName
        self.inner = inner
    }
}

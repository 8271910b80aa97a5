package import WeftCore

/// Names one query in the pool: the Lamport time it was asked at, and the random number of its asker.
package struct QueryKey: Hashable, Sendable, Comparable {
    package let time: LamportTime
    package let id: QueryID

    package init(time: LamportTime, id: QueryID) {
        self.time = time
        self.id = id
    }

    package static func < (left: QueryKey, right: QueryKey) -> Bool {
        (left.time, left.id.value) < (right.time, right.id.value)
    }
}

/// A question to the pool.
package struct QueryRequest: Sendable, Equatable {
    package var name: String
    package var payload: [UInt8]
    /// Only members that match all of these answer; empty means everybody. See `TagPattern` for tag expressions.
    package var filters: [QueryFilter] = []
    /// Each member that the query is for says so at once, whether it has an answer or not.
    package var wantsAcknowledgements = false
    /// Answers are also sent through this many random members, for networks that lose datagrams.
    package var relayFactor: UInt8 = 0
    /// How long answers are collected; nil means the default for the pool's size (`GossipTiming.queryTimeoutMult`).
    package var timeout: Duration?

    package init(name: String, payload: [UInt8] = []) {
        self.name = name
        self.payload = payload
    }
}

/// A query of another member (or of this one) that may be answered once, with `GossipNode.respond`.
package struct IncomingQuery: Sendable, Equatable {
    package let key: QueryKey
    package let name: String
    package let payload: [UInt8]
    /// The asker's name; empty from old versions.
    package let source: MemberName
    /// Answers after this are refused.
    package let deadline: Instant
}

/// What one member said to a query of ours. Each member is reported once per kind of content.
package struct QueryResponse: Sendable, Equatable {
    package let query: QueryKey
    package let from: MemberName
    package let content: Content

    /// An acknowledgement comes at once and has no payload.
    package enum Content: Sendable, Equatable {
        case acknowledgement
        case answer([UInt8])
    }
}

/// The end of a query of ours.
package struct QueryOutcome: Sendable, Equatable {
    package let query: QueryKey
    /// How many members acknowledged.
    package let acknowledgements: Int
    /// How many members answered.
    package let answers: Int
}

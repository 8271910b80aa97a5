internal import WeftCore

/// The streams that are open, and what each is for.
struct StreamTable: Sendable {
    /// Never iterated.
    private var open: [StreamID: Purpose] = [:]
    /// Streams that others opened.
    private(set) var acceptedCount = 0
    private var lastNumber: UInt64 = 0

    /// What a stream is for.
    enum Purpose: Sendable, Equatable {
        /// Opened by somebody else.
        case accepted
        /// A fallback probe.
        case probe(SequenceNumber)
        case pushPull(Exchange)
    }

    /// An exchange of state that this node has asked for.
    struct Exchange: Sendable, Equatable {
        let reason: PushPullReason
        let target: NetworkAddress
        let withSection: Bool
        /// Encrypted although the node speaks clear text: the peer did not want to hear that.
        var isSealed = false
    }

    /// Why this node exchanges state.
    enum PushPullReason: Sendable, Equatable {
        case periodic
        /// A failed member may be back.
        case reconnect
        case join(JoinID, NetworkAddress)

        /// The exchange says that it is a first contact.
        var isJoin: Bool { self != .periodic }
    }

    var count: Int { open.count }

    func isAccepted(_ stream: StreamID) -> Bool { open[stream] == .accepted }

    mutating func add(_ purpose: Purpose) -> StreamID {
        let stream = nextID()
        open[stream] = purpose
        if purpose == .accepted { acceptedCount += 1 }
        return stream
    }

    /// A number for a stream of which nothing is expected.
    mutating func nextID() -> StreamID {
        lastNumber += 1
        return StreamID(number: lastNumber)
    }

    /// Ends a stream. Nil when it was over already.
    mutating func remove(_ stream: StreamID) -> Purpose? {
        guard let purpose = open.removeValue(forKey: stream) else { return nil }
        if purpose == .accepted { acceptedCount -= 1 }
        return purpose
    }

    mutating func removeAll() {
        open = [:]
        acceptedCount = 0
    }
}

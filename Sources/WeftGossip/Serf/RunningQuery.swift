internal import WeftCore

/// A query of our own while answers come.
struct RunningQuery: Sendable {
    let purpose: Purpose
    /// Live members when it began.
    let expected: Int
    /// Who has acknowledged and answered; never iterated.
    private var acknowledged: Set<MemberName> = []
    private var answered: Set<MemberName> = []
    /// Answers to a key operation.
    var keyResults: [KeyResult] = []
    /// Answers to a name conflict, and how many of them speak for us.
    var verdicts = 0
    var favourableVerdicts = 0

    /// Who gets the answers.
    enum Purpose: Sendable, Equatable {
        case user
        case keys(KeyOperation)
        case conflict
    }

    init(purpose: Purpose, expected: Int) {
        self.purpose = purpose
        self.expected = expected
    }

    var acknowledgements: Int { acknowledged.count }
    var answers: Int { answered.count }

    /// Counts an acknowledgement or answer once per member. False when it is a repetition (relays cause them), or when
    /// there are `limit` already.
    mutating func admit(from name: MemberName, isAck: Bool, limit: Int) -> Bool {
        guard isAck else { return answered.count < limit && answered.insert(name).inserted }
        return acknowledged.count < limit && acknowledged.insert(name).inserted
    }
}

/// A query, of anybody, that this node may still answer.
struct OpenQuery: Sendable {
    let key: QueryKey
    let source: MemberAddress
    let sourceNode: MemberName
    let relayFactor: UInt8
    let deadline: Instant

    init(_ query: QueryMessage, source: MemberAddress, deadline: Instant) {
        key = QueryKey(time: query.time, id: query.id)
        self.source = source
        sourceNode = query.sourceNode
        relayFactor = query.relayFactor
        self.deadline = deadline
    }
}

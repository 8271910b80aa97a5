/// What became of one try.
package struct AttemptRecord: Hashable, Sendable {
    package let response: ResponseClass
    package let flag: ResponseFlag?
    package let latency: Duration

    init(_ failure: AttemptFailure, latency: Duration) {
        if case .status(let status) = failure { response = ResponseClass(status: status) } else { response = .none }
        flag = failure.flag
        self.latency = latency
    }
}

/// The failed tries of one request, in order; without an allocation.
package struct AttemptTrail: Sendable {
    private var records = InlineArray<3, AttemptRecord?>(repeating: nil)
    /// The tries that failed.
    package private(set) var count = 0

    package init() {}

    /// `index` is below `count`.
    package subscript(index: Int) -> AttemptRecord? { records[index] }

    /// More than three there never are; a fourth is dropped.
    mutating func append(_ record: AttemptRecord) {
        guard count < RequestRetries.attemptsMax else { return }
        records[count] = record
        count += 1
    }
}

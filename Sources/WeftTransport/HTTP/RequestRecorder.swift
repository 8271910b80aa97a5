package import WeftCore
package import WeftProxy

/// Which requests the control side wants to see, for the access log and `weft tap`.
package struct RecordedRequests: Sendable, Equatable {
    package enum Selection: Sendable {
        case none
        /// Those that there is something to tell about.
        case notable
        case all
    }

    package let selection: Selection
    /// Kept between two takes, on one loop.
    package let keptMax: Int

    package static let none = RecordedRequests(selection: .none, keptMax: 0)

    package init(selection: Selection, keptMax: Int) {
        self.selection = selection
        self.keptMax = keptMax
    }
}

/// Keeps decisions about requests until the control side takes them. Bounded: what comes too fast is counted and not kept,
/// so that looking on can never hurt the traffic. Confined to its loop.
struct RequestRecorder {
    var wanted = RecordedRequests.none
    private var kept: [Decision] = []
    private var missed: UInt64 = 0

    /// Whether a request is to be kept; counts it as missed when it should be and cannot.
    mutating func wants(isNotable: Bool) -> Bool {
        switch wanted.selection {
        case .none: return false
        case .notable where !isNotable: return false
        case .notable, .all: break
        }
        guard kept.count < wanted.keptMax else {
            missed += 1
            return false
        }
        return true
    }

    mutating func keep(_ decision: Decision) { kept.append(decision) }

    mutating func take() -> RecordedBatch {
        defer { (kept, missed) = ([], 0) }
        return RecordedBatch(decisions: kept, missed: missed)
    }
}

/// What the loops have recorded since it was last taken.
package struct RecordedBatch: Sendable {
    /// In the order of their ends, on each loop.
    package var decisions: [Decision] = []
    /// Requests that came too fast to be kept.
    package var missed: UInt64 = 0

    /// Of several loops.
    init(_ batches: [RecordedBatch]) {
        for batch in batches {
            decisions += batch.decisions
            missed += batch.missed
        }
        decisions.sort { ($0.ended, $0.id) < ($1.ended, $1.id) }
    }

    package init(decisions: [Decision] = [], missed: UInt64 = 0) {
        (self.decisions, self.missed) = (decisions, missed)
    }
}

/// Which requests are reported as spans.
package struct Tracing: Sendable, Equatable {
    /// Of the traces that begin here. What comes with a trace follows its caller's word.
    package let sampler: TraceSampler
    /// Kept between two takes, on one loop.
    package let keptMax: Int

    package init(sampler: TraceSampler, keptMax: Int) {
        self.sampler = sampler
        self.keptMax = keptMax
    }
}

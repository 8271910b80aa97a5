internal import WeftCore

/// What came of one seed.
package struct SeedReport: Sendable {
    package let seed: UInt64
    /// What was drawn, in one line.
    package let plan: String
    /// Rules that were broken, each with its time; empty is good. Few are kept, as one leads to others.
    package var violations: [String] = []
    /// A hash of all that happened: equal for equal runs.
    package var digest: UInt64 = 0
    package var events = 0
    /// Virtual time from the first start to the end.
    package var duration: Duration = .zero
    /// From the end of the faults until everybody agreed.
    package var settling: Duration = .zero
    /// How long a user event took to reach everybody in the pool at rest.
    package var eventSpread: Duration?
    /// How long new tags took.
    package var tagSpread: Duration?
    /// From a crash in the pool at rest until everybody had noticed.
    package var detection: Duration?
    /// Live members declared dead under faults that explain it.
    package var excusedDeaths = 0
    /// Leaves that somebody first took for a failure, because the death notice overtook the intent.
    package var overtakenLeaves = 0
    /// How often a node was told to leave.
    package var leaves = 0
    package var faults = 0

    package var isGood: Bool { violations.isEmpty }

    /// The command that runs this seed again, and shows what happens.
    package func command(nodes: Int?) -> String {
        "swift run weft-sim run --seed \(seed)" + (nodes.map { " --nodes \($0)" } ?? "") + " --trace"
    }
}

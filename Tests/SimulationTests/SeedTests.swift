import Testing
import WeftTestKit

/// Many small pools under faults, each from its seed. A failure names the seed, and the command that shows what happened.
@Suite struct SeedTests {
    /// 360 seeds, in blocks that can run beside each other. More on demand: `swift run weft-sim run --seeds 1-5000`.
    private static let blocks = (0..<36).map { block in (1 + 10 * block)...(10 + 10 * block) }

    @Test(arguments: blocks)
    func thePoolBearsFaultsAndBecomesWhole(_ seeds: ClosedRange<Int>) {
        for seed in seeds { expectGood(UInt64(seed)) }
    }

    /// Seeds that have found a fault once; they run always.
    static let finds: [Find] = [
        Find(
            seed: 114,
            what: "a member that came back stays leaving to some: its return was told by seeds, not by a join"
        ),
        Find(seed: 192, what: "a leave made up by a push/pull has the same time as the member's newest join"),
        Find(seed: 206, what: "after a failed join the first seed was dialled only after a minute"),
        Find(seed: 22, what: "a stock-like member stays leaving to one other after a partition"),
        Find(seed: 69, what: "the same, with a bad host and pauses"),
    ]

    struct Find: Sendable, CustomTestStringConvertible {
        let seed: UInt64
        let what: String

        var testDescription: String { "seed \(seed): \(what)" }
    }

    @Test(arguments: finds)
    func whatWasFoundStaysFound(_ find: Find) { expectGood(find.seed) }

    /// In pools without any fault everything is quick, not only right.
    @Test func newsIsQuickInAPoolAtRest() {
        let reports = (1000..<1030).map { SeedRun(seed: $0).run() }
        let spreads = reports.compactMap { $0.eventSpread }.sorted()
        // In a few pools hardly anybody is left by then.
        #expect(spreads.count > 20)
        #expect(spreads[spreads.count / 2] < .milliseconds(500), "the median of \(spreads)")
    }

    private func expectGood(_ seed: UInt64) {
        let report = SeedRun(seed: seed).run()
        #expect(
            report.isGood,
            """
            seed \(seed): \(report.plan)
            \(report.violations.joined(separator: "\n"))
            again: \(report.command(nodes: nil))
            """
        )
    }
}

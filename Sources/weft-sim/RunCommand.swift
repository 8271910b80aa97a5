internal import ArgumentParser
internal import WeftTestKit

/// `weft-sim run`: runs seeds, and says which of them break a rule.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs small pools under faults, and checks that they stay and become what they should be.",
        discussion: "Exits with 1 when a rule was broken. Equal seeds make equal runs, on every machine."
    )

    @Option(help: "One seed to run.")
    var seed: UInt64?

    @Option(help: "Many seeds to run, as 1-2000. Without this and --seed: 1-100.")
    var seeds: SeedRange?

    @Option(help: "Nodes in the pool, 2 to 64; drawn from the seed when absent.")
    var nodes: Int?

    @Flag(help: "Print what happens.")
    var trace = false

    func validate() throws {
        if let nodes, !(2...64).contains(nodes) { throw ValidationError("--nodes has to be 2 to 64") }
        if seed != nil, seeds != nil { throw ValidationError("--seed is for one seed, --seeds for many: not both") }
    }

    func run() throws {
        let numbers = seeds?.numbers ?? seed.map { $0...$0 } ?? 1...100
        var summary = RunSummary()
        for number in numbers {
            let report = SeedRun(seed: number, nodes: nodes, trace: trace ? { print($0) } : nil).run()
            show(report)
            summary.add(report)
        }
        if numbers.count > 1 { print(summary.text) }
        if summary.bad > 0 { throw ExitCode(1) }
    }

    private func show(_ report: SeedReport) {
        let digest = String(report.digest, radix: 16)
        print("seed \(report.seed): \(report.isGood ? "good" : "BAD"), \(report.events) events, digest \(digest)")
        guard !report.isGood || seeds == nil else { return }
        print("  \(report.plan)")
        print("  \(report.faults) faults, settled in \(report.settling), \(report.excusedDeaths) excused deaths")
        guard !report.isGood else { return }
        for violation in report.violations { print("  \(violation)") }
        print("  again: \(report.command(nodes: nodes))")
    }
}

/// Seeds from one to another, both included, as 1-2000.
struct SeedRange: ExpressibleByArgument {
    let numbers: ClosedRange<UInt64>

    init?(argument: String) {
        let bounds = argument.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
        guard bounds.count == 2, let first = bounds[0], let last = bounds[1], first <= last else { return nil }
        // One more is counted than their difference.
        guard last - first < UInt64(Int.max) else { return nil }
        numbers = first...last
    }
}

/// What many seeds have in common.
private struct RunSummary {
    private(set) var bad = 0
    private var count = 0
    private var settling: [Duration] = []
    private var eventSpreads: [Duration] = []
    private var tagSpreads: [Duration] = []
    private var detections: [Duration] = []
    private var leaves = 0
    private var overtakenLeaves = 0

    mutating func add(_ report: SeedReport) {
        count += 1
        if !report.isGood { bad += 1 }
        settling.append(report.settling)
        eventSpreads += [report.eventSpread].compactMap { $0 }
        tagSpreads += [report.tagSpread].compactMap { $0 }
        detections += [report.detection].compactMap { $0 }
        leaves += report.leaves
        overtakenLeaves += report.overtakenLeaves
    }

    var text: String {
        let lines = [
            line("settled after the faults", settling),
            line("event known to all", eventSpreads),
            line("tags known to all", tagSpreads),
            line("crash known to all", detections),
            "\(overtakenLeaves) views of \(leaves) leaves showed a failure first",
            "\(bad) of \(count) seeds broke a rule",
        ]
        return lines.compactMap { $0 }.joined(separator: "\n")
    }

    private func line(_ name: String, _ values: [Duration]) -> String? {
        let sorted = values.sorted()
        guard let worst = sorted.last else { return nil }
        return "\(name): median \(sorted[sorted.count / 2]), worst \(worst)"
    }
}

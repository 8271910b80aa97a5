internal import ArgumentParser
internal import WeftTestKit

/// `weft-sim table`: measures pools of several sizes, and prints the tables of README.md.
struct TableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "table",
        abstract: "Measures pools, beside a model of memberlist with the same parameters, and prints Markdown tables.",
        discussion: """
            All times are virtual: they depend on the seed, not on the machine. Slow nodes and 20 % loss make most nodes of \
            a large pool send as much as they may, and take most of the time: --conditions calm,loss5 leaves them out.
            """
    )

    @Option(help: "Sizes of pools, separated by commas.")
    var nodes = "100,1000,10000"

    @Option(help: "The seed of every pool.")
    var seed: UInt64 = 1

    @Option(help: "Seconds of virtual time without and with 5 % loss; by default more for smaller pools.")
    var seconds: Int?

    @Option(help: "Seconds of virtual time with slow nodes and with 20 % loss; by default more for smaller pools.")
    var busySeconds: Int?

    @Option(help: "What to measure: weft, weft-plain (without Lifeguard), model, model-plain; separated by commas.")
    var kinds = PoolKind.allCases.map(\.rawValue).joined(separator: ",")

    @Option(help: "What to put the pools through: calm, loss5, slow, loss20; separated by commas.")
    var conditions = PoolCondition.allCases.map(\.rawValue).joined(separator: ",")

    @Flag(help: "Say on standard error what is being done, and each line as soon as it is known.")
    var progress = false

    private var sizes: [Int] { nodes.split(separator: ",").compactMap { Int($0) } }

    private var poolKinds: [PoolKind] { kinds.split(separator: ",").compactMap { PoolKind(rawValue: String($0)) } }

    private var poolConditions: [PoolCondition] {
        conditions.split(separator: ",").compactMap { PoolCondition(rawValue: String($0)) }
    }

    func validate() throws {
        let isComplete =
            sizes.count == nodes.split(separator: ",").count && sizes.allSatisfy { (10...20_000).contains($0) }
        guard isComplete else { throw ValidationError("--nodes takes sizes from 10 to 20000, as 100,1000") }
        guard poolKinds.count == kinds.split(separator: ",").count else {
            throw ValidationError("--kinds knows weft, weft-plain, model and model-plain")
        }
        if let seconds, seconds < 1 { throw ValidationError("--seconds has to be at least 1") }
        if let busySeconds, busySeconds < 1 { throw ValidationError("--busy-seconds has to be at least 1") }
        guard poolConditions.count == conditions.split(separator: ",").count else {
            throw ValidationError("--conditions knows calm, loss5, slow and loss20")
        }
    }

    func run() throws {
        var rows: [TableRow] = []
        for size in sizes {
            for kind in poolKinds {
                let row = TableRow(kind: kind, measurement: measure(kind, size, effort(for: size)))
                say(row.speed + "\n" + row.falseDeaths)
                rows.append(row)
            }
        }
        print(([TableRow.speedHeader] + rows.map(\.speed)).joined(separator: "\n"))
        print()
        print(([TableRow.falseDeathsHeader] + rows.map(\.falseDeaths)).joined(separator: "\n"))
        print("\n" + TableRow.footnote)
    }

    private func effort(for size: Int) -> MeasuringEffort {
        var effort = MeasuringEffort(nodes: size)
        if let seconds { effort.conditionTime = .seconds(seconds) }
        effort.conditions = poolConditions
        if let busySeconds { effort.busyTime = .seconds(busySeconds) }
        return effort
    }

    private func say(_ line: String) {
        if progress { StandardError.say(line) }
    }

    private func measure(_ kind: PoolKind, _ size: Int, _ effort: MeasuringEffort) -> PoolMeasurement {
        switch kind {
        case .weft, .weftPlain: pool(GossipProcess.self, kind, size, effort).run()
        case .model, .modelPlain: pool(ModelProcess.self, kind, size, effort).run()
        }
    }

    private func pool<Process: MeasuredProcess>(
        _: Process.Type,
        _ kind: PoolKind,
        _ size: Int,
        _ effort: MeasuringEffort
    ) -> MeasuredPool<Process> {
        MeasuredPool(count: size, lifeguard: kind.hasLifeguard, seed: seed, effort: effort) {
            say("\(size) \(kind.rawValue): \($0)")
        }
    }
}

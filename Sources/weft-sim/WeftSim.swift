internal import ArgumentParser

/// Runs gossip pools in one process under a seed: `weft-sim run` looks for faults, `weft-sim table` measures.
@main
struct WeftSim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weft-sim",
        abstract: "Simulates pools of gossip nodes on a virtual network under a virtual clock.",
        subcommands: [RunCommand.self, TableCommand.self]
    )
}

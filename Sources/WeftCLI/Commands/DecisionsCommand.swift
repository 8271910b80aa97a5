internal import ArgumentParser
internal import WeftAPI

/// `weft decisions [--last N]`
struct DecisionsCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "decisions",
        abstract: "List finished connections and how they ended, the latest first."
    )

    /// What weftd answers to; its ring holds no more.
    private static let lastRange = 1...4096

    @Option(help: ArgumentHelp("How many, 1 to 4096.", valueName: "n"))
    var last = 20

    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard Self.lastRange.contains(last) else {
            throw ValidationError("--last takes 1 to 4096, not \(last).")
        }
    }

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).ask([DecisionRow].self, .decisions, query: "last=\(last)")
        return options.result(answer) { decisionsTable($0, session) }
    }
}

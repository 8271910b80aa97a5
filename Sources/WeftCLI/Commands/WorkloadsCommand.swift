internal import ArgumentParser
internal import WeftAPI

/// `weft workloads`
struct WorkloadsCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "workloads",
        abstract: "List the units of this host, and what they carried since weftd started."
    )

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).ask([WorkloadRow].self, .workloads)
        return options.result(answer) { workloadsTable($0, session) }
    }
}

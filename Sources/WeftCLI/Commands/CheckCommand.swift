internal import ArgumentParser
internal import WeftAPI

/// `weft check`
struct CheckCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check what weft needs of this host, with a remedy for each line that is not good.",
        discussion: "Exit status 1 when a line failed; warnings alone are 0."
    )

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).ask([CheckRow].self, .check)
        let report = CheckReport(answer.value)
        return options.result(answer, report.exitStatus) { _ in report.rendered(session.style) }
    }
}

internal import ArgumentParser
internal import WeftAPI

/// `weft status`
struct StatusCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show this host at a glance: capture, peers, connections, and what is wrong.",
        discussion: "Exit status 1 when capture failed or a problem is an error."
    )

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).ask(StatusResponse.self, .status)
        let report = StatusReport(answer.value)
        return options.result(answer, report.exitStatus) { _ in report.rendered(session.style) }
    }
}

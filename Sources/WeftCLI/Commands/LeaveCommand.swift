internal import ArgumentParser
internal import WeftAPI

/// `weft leave [NODE]`
struct LeaveCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "leave",
        abstract: "Leave the mesh, or declare a failed host gone. Root only.",
        discussion: """
            Without a name, this host says goodbye and the others stop sending it connections; weftd keeps \
            running. With the name of a host that failed, the others stop waiting for it to come back.
            """
    )

    @Argument(help: "The name of a failed host, as weft peers shows it.")
    var node: String?

    @OptionGroup var options: CommonOptions

    func validate() throws {
        // An empty shell variable must not make this host leave.
        guard node != "" else { throw ValidationError("The name of the host is empty.") }
    }

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).tell(
            LeaveRequest(node: node),
            .leave,
            timeout: Patience.leave,
            answer: LeaveResponse.self
        )
        return options.result(answer) { response in
            node == nil
                ? advice("\(response.node) has left the mesh.", next: "sudo weft join ADDRESS", session.style)
                : advice("\(response.node) is declared gone.", next: "weft peers", session.style)
        }
    }
}

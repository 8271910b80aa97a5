internal import ArgumentParser
internal import WeftAPI

/// `weft services [NAME]`
struct ServicesCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "services",
        abstract: "List the services that this host offers.",
        discussion: "Exit status 1 when a name is given and no service has it."
    )

    @Argument(help: "Only the service of this name.")
    var name: String?

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        var answer = try await session.client(options).ask([ServiceRow].self, .services)
        guard let name else { return options.result(answer) { servicesTable($0, session) } }
        answer = answer.filtered { $0.name == name }
        return options.result(answer, answer.value.isEmpty ? .problem : .good) { rows in
            rows.isEmpty
                ? "No service is called \(printable(name)).\nNext: weft services\n" : servicesTable(rows, session)
        }
    }
}

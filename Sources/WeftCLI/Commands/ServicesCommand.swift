internal import ArgumentParser
internal import WeftAPI

/// `weft services [NAME] [--endpoints]`
struct ServicesCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "services",
        abstract: "List the services of the mesh, and where they answer.",
        discussion: """
            ENDPOINTS counts those that are healthy, of all on all hosts. UNIT is that of this host.
            Exit status 1 when a name is given and no service has it.
            """
    )

    @Argument(help: "Only the service of this name, with its endpoints.")
    var name: String?

    @Flag(help: "List the endpoints, too: host, address, port and health of each.")
    var endpoints = false

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        var answer = try await session.client(options).ask([ServiceRow].self, .services)
        if let name { answer = answer.filtered { $0.name == name } }
        return options.result(answer, name != nil && answer.value.isEmpty ? .problem : .good) { rows in
            if let name, rows.isEmpty {
                return advice("No service is called \(name).", next: "weft services", session.style)
            }
            let services = servicesTable(rows, session)
            let isWithEndpoints = !rows.isEmpty && (endpoints || name != nil)
            return isWithEndpoints ? services + "\n" + endpointsTable(rows, session) : services
        }
    }
}

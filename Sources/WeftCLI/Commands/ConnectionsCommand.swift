internal import ArgumentParser
internal import WeftAPI

/// `weft connections [--unit UNIT] [--service NAME]`
struct ConnectionsCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "connections",
        abstract: "List the connections that are open now, the youngest first."
    )

    @Option(help: "Only those that this unit opened, with or without \".service\".")
    var unit: String?

    @Option(help: ArgumentHelp("Only those to this service.", valueName: "name"))
    var service: String?

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).ask([ConnectionRow].self, .connections)
        guard unit != nil || service != nil else {
            return options.result(answer) { connectionsTable($0, session) }
        }
        return options.result(answer.filtered(isWanted)) { rows in
            guard rows.isEmpty else { return connectionsTable(rows, session) }
            return
                "None of \(counted(answer.value.count, "open connection")) is \(wantedText).\nNext: weft connections\n"
        }
    }

    private func isWanted(_ row: ConnectionRow) -> Bool {
        let isOfUnit = unit.map { row.source.unit == $0 || row.source.unit == "\($0).service" } ?? true
        let isToService = service.map { row.service == $0 } ?? true
        return isOfUnit && isToService
    }

    private var wantedText: String {
        let parts = [unit.map { "from \(printable($0))" }, service.map { "to \(printable($0))" }]
        return parts.compactMap(\.self).joined(separator: " ")
    }
}

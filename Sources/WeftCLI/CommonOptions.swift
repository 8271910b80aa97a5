internal import ArgumentParser
internal import WeftAPI

/// The options that every command has that asks weftd.
struct CommonOptions: ParsableArguments {
    enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
        case table, json
    }

    @Option(name: [.short, .long], help: "Tables for people, or JSON for programs.")
    var output: OutputFormat = .table

    @Option(
        help: ArgumentHelp(
            "Where weftd listens, instead of $WEFT_SOCKET or \(APIRoute.defaultSocketPath).",
            valueName: "path"
        ),
        completion: .file()
    )
    var socket: String?

    /// The option wins over WEFT_SOCKET, and that over the default.
    func socketPath(_ environment: [String: String]) throws(DaemonError) -> SocketPath {
        let fromEnvironment = environment["WEFT_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        return try SocketPath(socket ?? fromEnvironment ?? APIRoute.defaultSocketPath)
    }

    /// The answer as JSON or as `table` lays it out, whichever was asked for.
    func result<Value>(
        _ answer: DaemonClient.Answer<Value>,
        _ status: ExitStatus = .good,
        table: (Value) -> String
    ) -> CommandResult {
        switch output {
        case .table: CommandResult(table(answer.value), status)
        case .json: CommandResult(answer.json.rendered(), status)
        }
    }
}

internal import ArgumentParser
internal import WeftAPI

/// `weft stat [SERVICE] [--from SOURCE]`
struct StatCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "stat",
        abstract: "Show the requests of the last 10 seconds: success, rate and latency for each pair.",
        discussion: """
            Counted on this host: SIDE is caller for requests that left here, callee for those that came to a service \
            of this host. Latency is the time to the head of the response. Where tries went worse than what clients \
            saw, because weft tried again, a line below says so.
            """
    )

    @Argument(help: "Only those to this service.")
    var service: String?

    @Option(help: ArgumentHelp("Only those of this service or unit.", valueName: "source"))
    var from: String?

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).ask([StatRow].self, .stat)
        guard service != nil || from != nil else { return options.result(answer) { statTable($0, session) } }
        return options.result(answer.filtered(isWanted)) { statTable($0, session) }
    }

    private func isWanted(_ row: StatRow) -> Bool {
        (service.map { row.service == $0 } ?? true)
            && (from.map { row.source == $0 || row.source == "\($0).service" } ?? true)
    }
}

/// `weft top [--interval SECONDS]`: goes on until it is interrupted.
struct TopCommand: LiveCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Show the requests of the last 10 seconds again and again, the busiest pairs first.",
        discussion: """
            In a terminal the table stays in its place; in a file or a pipe one follows the other. With -o json, each \
            is a line. Ends when it is interrupted.
            """
    )

    private static let clearScreen = "\u{1b}[H\u{1b}[2J"

    @Option(help: ArgumentHelp("Seconds between two tables, 1 to 60.", valueName: "s"))
    var interval = 2

    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard (1...60).contains(interval) else { throw ValidationError("--interval takes 1 to 60, not \(interval).") }
    }

    func follow(in session: Session) async throws -> ExitStatus {
        let client = try session.client(options)
        while true {
            let answer = try await client.ask([StatRow].self, .stat)
            switch options.output {
            case .json: try session.live.write(answer.json.renderedLine())
            case .table:
                let busiest = answer.value.sorted { $0.effective.requestsPerSecond > $1.effective.requestsPerSecond }
                let table = statTable(busiest, session, isSorted: true)
                try session.live.write(session.style.columns == nil ? table + "\n" : Self.clearScreen + table)
            }
            try await Task.sleep(for: .seconds(interval))
        }
    }
}

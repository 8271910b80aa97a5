internal import ArgumentParser
internal import WeftAPI

/// `weft decisions [ID | --last N]`
struct DecisionsCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "decisions",
        abstract: "List finished connections and how they ended, the latest first.",
        discussion: """
            Requests that weft answered itself, tried again or saw fail are among them. With an id, such as the one in \
            the field weft-decision of an answer, everything that is known of that one.
            """
    )

    /// What weftd answers to; its ring holds no more.
    private static let lastRange = 1...4096

    @Argument(help: "Only this one, in full.")
    var id: String?

    @Option(help: ArgumentHelp("How many, 1 to 4096.", valueName: "n"))
    var last = 20

    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard Self.lastRange.contains(last) else {
            throw ValidationError("--last takes 1 to 4096, not \(last).")
        }
        guard id.map({ !$0.isEmpty && $0.utf8.allSatisfy(isHexadecimal) }) ?? true else {
            throw ValidationError("An id is up to 16 hexadecimal digits, not \"\(id ?? "")\".")
        }
    }

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        guard let id else {
            let answer = try await session.client(options).ask([DecisionRow].self, .decisions, query: "last=\(last)")
            return options.result(answer) { decisionsTable($0, session) }
        }
        let answer = try await session.client(options).ask([DecisionRow].self, .decisions, query: "id=\(id)")
        return options.result(answer, answer.value.isEmpty ? .problem : .good) { rows in
            guard let row = rows.first else {
                return advice(
                    "weftd remembers no decision \(id): it has made others since, or it was another host's.",
                    next: "weft decisions --last 20",
                    session.style
                )
            }
            return decisionReport(row, session.style)
        }
    }
}

private func isHexadecimal(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
}

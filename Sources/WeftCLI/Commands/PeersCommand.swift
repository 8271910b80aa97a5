internal import ArgumentParser
internal import WeftAPI

/// `weft peers [--state STATE]`
struct PeersCommand: SessionCommand {
    /// The states of `PeerRow`, as people may ask for them.
    enum State: String, ExpressibleByArgument, CaseIterable {
        case alive, suspect, failed, left

        func isOf(_ row: PeerRow) -> Bool { row.state.rawValue == rawValue }
    }

    static let configuration = CommandConfiguration(
        commandName: "peers",
        abstract: "List the hosts of the mesh: where they are and how they do.",
        discussion: """
            This host stands first and is marked with *. RTT is measured, or estimated where this host has not asked \
            that one lately. The tags that weft sets for itself are shown with -o json only.
            """
    )

    @Option(help: "Only those in this state.")
    var state: State?

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).ask([PeerRow].self, .peers)
        guard let state else { return options.result(answer) { allText($0, session) } }
        return options.result(answer.filtered(state.isOf)) { rows in
            guard rows.isEmpty else { return peersTable(rows, session) }
            return advice(
                "None of \(counted(answer.value.count, "host")) has the state \(state.rawValue).",
                next: "weft peers",
                session.style
            )
        }
    }

    private func allText(_ rows: [PeerRow], _ session: Session) -> String {
        let join = "sudo weft join ADDRESS"
        if rows.isEmpty { return advice("This host is in no mesh.", next: join, session.style) }
        guard rows.allSatisfy(\.isSelf) else { return peersTable(rows, session) }
        return peersTable(rows, session) + "\n" + advice("No other host is known here.", next: join, session.style)
    }
}

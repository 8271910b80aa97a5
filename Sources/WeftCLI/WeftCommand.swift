package import ArgumentParser
internal import WeftAPI
internal import WeftCore

/// The command line of `weft`: the root, which by itself only explains itself.
package struct WeftCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "weft",
        abstract: "See and steer the service mesh, from any of its hosts.",
        discussion: """
            weft asks weftd, the daemon on this host, over \(APIRoute.defaultSocketPath) ($WEFT_SOCKET or --socket
            name another). It may be used by root and by members of the group weft; other users see their own
            workloads only.

            Exit status: 0 good, 1 problem found, 2 wrong usage, 3 weftd cannot be reached.
            """,
        version: weftVersion,
        groupedSubcommands: [
            CommandGroup(
                name: "Host",
                subcommands: [
                    StatusCommand.self, WorkloadsCommand.self, ConnectionsCommand.self, DecisionsCommand.self,
                    StatCommand.self, TopCommand.self, TapCommand.self, PingCommand.self, CheckCommand.self,
                    OnCommand.self, OffCommand.self,
                ]
            ),
            CommandGroup(
                name: "Mesh",
                subcommands: [
                    PeersCommand.self, ServicesCommand.self, JoinCommand.self, LeaveCommand.self, EventsCommand.self,
                    EventCommand.self, GossipCommand.self,
                ]
            ),
            CommandGroup(
                name: "Identity",
                subcommands: [
                    UpCommand.self, TokenCommand.self, CertCommand.self, CACommand.self, RevokeCommand.self,
                ]
            ),
            CommandGroup(name: "Other", subcommands: [VersionCommand.self, CompletionsCommand.self]),
        ]
    )

    /// Taken before the command, too: the parser hands these on to the command's own.
    @OptionGroup var options: CommonOptions

    package init() {}
}

/// A command that runs in a session instead of by itself, so that tests can hand it canned answers and read its output.
protocol SessionCommand: ParsableCommand {
    /// Asks weftd what it has to, and lays out the answer. Writes nothing anywhere.
    func run(in session: Session) async throws(DaemonError) -> CommandResult
}

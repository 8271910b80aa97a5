internal import ArgumentParser
internal import WeftAPI

/// `weft ca`: shows the authority, unless another command is named.
struct CACommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca",
        abstract: "See and change the authority of the mesh: the key that lets hosts in, and who holds it.",
        discussion: """
            The authority is needed to let hosts in and to renew their intermediates, every fifteen days; everything \
            else goes on for weeks without it. The first host holds it. Grant it to a second one, so that the loss of the \
            first loses nothing. Changes are for root.
            """,
        subcommands: [
            ShowCACommand.self, RotateCACommand.self, GrantCACommand.self, ExportCACommand.self, ImportCACommand.self,
        ],
        defaultSubcommand: ShowCACommand.self
    )

    @OptionGroup var options: CommonOptions
}

/// `weft ca [show]`
struct ShowCACommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the roots that this host trusts, who holds the authority, and who is revoked."
    )

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).ask(CAStatus.self, .ca)
        return options.result(answer) { AuthorityReport($0).rendered(session.style) }
    }
}

/// `weft ca rotate [--force|--cancel]`
struct RotateCACommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Replace the root of the mesh by a new one, without a gap.",
        discussion: """
            The new root is made known first, then signs, then the old one is forgotten. Each step waits until all hosts \
            that are alive have taken the one before; nothing has to be typed in between. weft ca shows how far it is.
            """
    )

    @Flag(help: "Take the next step now, without the hosts that it waits for.")
    var force = false

    @Flag(help: "Give up a rotation whose new root does not sign yet.")
    var cancel = false

    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard !force || !cancel else { throw ValidationError("--force and --cancel exclude each other.") }
    }

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).tell(
            CARotateRequest(force: force, cancel: cancel),
            .rotateCA,
            answer: CAStatus.self
        )
        return options.result(answer) { AuthorityReport($0).rotation(session.style) }
    }
}

/// `weft ca grant HOST`
struct GrantCACommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Give the authority to another host, too.",
        discussion: "Whoever is root there can let hosts into the mesh from then on, and revoke them."
    )

    @OptionGroup var host: HostArgument
    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).tell(
            NodeRequestBody(node: host.name),
            .grantCA,
            timeout: Patience.grant,
            answer: CAStatus.self
        )
        return options.result(answer) { _ in
            advice("\(host.name) holds the authority, too.", next: "weft ca", session.style)
        }
    }
}

/// A host of the mesh that a command is about.
struct HostArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The name of a host, as weft peers shows it.", valueName: "host"))
    var name: String

    func validate() throws {
        // As of an empty shell variable.
        guard !name.isEmpty else { throw ValidationError("The name of the host is empty.") }
    }
}

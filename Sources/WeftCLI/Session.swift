/// What a command works with, apart from its command line: the way to weftd, and what its output goes to can show.
package struct Session: Sendable {
    let transport: any DaemonTransport
    /// The first line of standard input, without its end; nil when there is none, or it is far too long. Blocks.
    let firstLine: @Sendable () -> String?
    /// The whole of a file, or of standard input without a path. Blocks.
    let readText: @Sendable (_ path: String?) -> Result<String, InputFault>
    /// For the commands that go on; all others return what they have to say.
    let live: any LiveOutput
    let style: Style
    let environment: [String: String]
    /// Whether the caller is root; others may be shown only a part, and are told so.
    let isRoot: Bool

    package init(
        transport: any DaemonTransport,
        firstLine: @escaping @Sendable () -> String? = { nil },
        readText: @escaping @Sendable (_ path: String?) -> Result<String, InputFault> = { _ in .success("") },
        live: any LiveOutput,
        style: Style,
        environment: [String: String],
        isRoot: Bool
    ) {
        self.transport = transport
        self.firstLine = firstLine
        self.readText = readText
        self.live = live
        self.style = style
        self.environment = environment
        self.isRoot = isRoot
    }

    /// The client for the socket that the options or the environment name.
    func client(_ options: CommonOptions) throws(DaemonError) -> DaemonClient {
        DaemonClient(transport: transport, socket: try options.socketPath(environment))
    }
}

/// Why a file or standard input cannot be had.
package struct InputFault: Error, Sendable, Equatable {
    /// In the middle of a sentence, such as the system's words.
    package let reason: String

    package init(reason: String) { self.reason = reason }
}

/// What a command has to say on standard output, and how it ends.
package struct CommandResult: Sendable, Equatable {
    package let output: String
    package let status: ExitStatus
    /// What goes to standard error, because it is about the output rather than part of it.
    package var note = ""

    package init(_ output: String, _ status: ExitStatus = .good) {
        self.output = output
        self.status = status
    }
}

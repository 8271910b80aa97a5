internal import ArgumentParser
internal import FoundationEssentials
internal import WeftAPI

/// `weft gossip`: only a place for its commands.
struct GossipCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gossip",
        abstract: "See and change the keys that hosts talk to each other with.",
        subcommands: [KeysCommand.self, KeygenCommand.self]
    )

    @OptionGroup var options: CommonOptions
}

/// `weft gossip keygen`: needs no weftd.
struct KeygenCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Print a new key: 32 random bytes in base64.",
        discussion: "Whoever has the key belongs to the mesh."
    )

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        // It is the kernel's: getrandom(2).
        var generator = SystemRandomNumberGenerator()
        let key = (0..<32).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
        return CommandResult(Data(key).base64EncodedString() + "\n")
    }
}

/// `weft gossip keys`: only a place for its commands.
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "List and change the keys on all hosts at once. Root only.",
        discussion: """
            To change the key of a mesh: install the new one, use it, remove the old one, each once the step before \
            has reached every host. Give keys on standard input, as every user of this host can see a command's arguments:

              weft gossip keygen > new.key
              sudo weft gossip keys install - < new.key

            Exit status 1 when a host failed or did not answer.
            """,
        subcommands: [ListKeysCommand.self, InstallKeyCommand.self, UseKeyCommand.self, RemoveKeyCommand.self]
    )

    @OptionGroup var options: CommonOptions
}

/// `weft gossip keys list`
struct ListKeysCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the keys, on how many hosts they are, and how many send with them."
    )

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).ask(KeysResponse.self, .keys, timeout: Patience.keys)
        let report = KeysReport(answer.value)
        return options.result(answer, report.exitStatus) { _ in report.listing(session.style) }
    }
}

/// `weft gossip keys install KEY`
struct InstallKeyCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "install",
        abstract: "Have every host accept a key, beside those that it has."
    )

    @OptionGroup var key: KeyArgument
    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        try await key.change(.installKey, "Installed on", next: "sudo weft gossip keys use KEY", options, session)
    }
}

/// `weft gossip keys use KEY`
struct UseKeyCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "use",
        abstract: "Have every host send with a key that is installed."
    )

    @OptionGroup var key: KeyArgument
    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        try await key.change(.useKey, "In use on", next: "sudo weft gossip keys list", options, session)
    }
}

/// `weft gossip keys remove KEY`
struct RemoveKeyCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Have every host forget a key that none sends with."
    )

    @OptionGroup var key: KeyArgument
    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        try await key.change(.removeKey, "Removed from", next: "sudo weft gossip keys list", options, session)
    }
}

/// The key that a change is about.
struct KeyArgument: ParsableArguments {
    @Argument(
        help: "16, 24 or 32 bytes in base64, as weft gossip keygen prints them; or - to read them from standard input."
    )
    var key: String

    func validate() throws {
        guard !isOnStandardInput, let mistake = Self.mistake(in: key) else { return }
        throw ValidationError("KEY \(mistake).")
    }

    /// Every user of this host can see the arguments of commands while they run.
    private var isOnStandardInput: Bool { key == "-" }

    /// What is wrong with a key, said without it, as it has no business in a log of standard error; nil for nothing.
    private static func mistake(in key: String) -> String? {
        guard let bytes = Data(base64Encoded: key), bytes.base64EncodedString() == key else { return "is not base64" }
        return [16, 24, 32].contains(bytes.count) ? nil : "has \(bytes.count) bytes, and keys have 16, 24 or 32"
    }

    private func text(_ session: Session) throws(DaemonError) -> String {
        guard isOnStandardInput else { return key }
        guard let line = session.firstLine() else { throw .badKeyInput(reason: "it is empty, or one endless line") }
        if let mistake = Self.mistake(in: line) { throw .badKeyInput(reason: "what is there \(mistake)") }
        return line
    }

    /// Asks for a change of keys and tells on how many hosts it was made.
    func change(
        _ route: APIRoute,
        _ done: String,
        next: String,
        _ options: CommonOptions,
        _ session: Session
    ) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).tell(
            KeyRequestBody(key: try text(session)),
            route,
            timeout: Patience.keys,
            answer: KeysResponse.self
        )
        let report = KeysReport(answer.value)
        return options.result(answer, report.exitStatus) { _ in report.change(done, next: next, session.style) }
    }
}

internal import ArgumentParser
internal import WeftAPI
internal import WeftCore

/// `weft token`: makes one, unless another command is named.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make a token that lets other hosts into this mesh, see those that are out. Root only.",
        discussion: """
            Whoever has a token gets in, so hand it over as you would a password. It is good for one host and 24 hours \
            unless you say otherwise, and can be withdrawn. Only hosts that hold the authority make tokens: weft ca \
            names them.
            """,
        subcommands: [NewTokenCommand.self, ListTokensCommand.self, WithdrawTokenCommand.self],
        defaultSubcommand: NewTokenCommand.self
    )

    @OptionGroup var options: CommonOptions
}

/// `weft token [new] [--valid TIME] [--uses N] [--allow SERVICES] [--address A]...`
struct NewTokenCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Make a token, and print the lines that join a host with it."
    )

    /// What weftd takes.
    private static let usesRange = 1...1024
    private static let addressesMax = 8

    @Option(help: ArgumentHelp("How long it is good for: 30m, 24h, 7d; at most 366d.", valueName: "time"))
    var valid = TimeSpan(seconds: 86_400)

    @Option(help: ArgumentHelp("How many hosts it lets in, 1 to 1024.", valueName: "n"))
    var uses = 1

    @Option(
        help: ArgumentHelp(
            "What those hosts may speak for, with commas between: web,shop/api. Everything, unless given.",
            valueName: "services"
        )
    )
    var allow: [String] = []

    @Option(
        help: ArgumentHelp(
            "Where this host can be reached, if not at its own address; may be repeated: 10.0.0.12, web-1:15008.",
            valueName: "address"
        )
    )
    var address: [String] = []

    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard Self.usesRange.contains(uses) else {
            throw ValidationError("--uses takes 1 to 1024, not \(uses).")
        }
        for entry in allowed ?? [] where !Self.isAllowed(entry) {
            throw ValidationError("\"\(printable(entry))\" is neither SERVICE nor TENANT/SERVICE.")
        }
        guard address.count <= Self.addressesMax else {
            throw ValidationError("A token holds at most \(Self.addressesMax) addresses, not \(address.count).")
        }
        for text in address where PeerAddress(text) == nil {
            throw ValidationError(
                "\"\(printable(text))\" is no address: 10.0.0.12, 10.0.0.12:15008, [fd00::1]:15008 and db-1 are."
            )
        }
    }

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).tell(
            TokenRequest(validSeconds: valid.seconds, uses: uses, allow: allowed, addresses: address),
            .newToken,
            answer: TokenResponse.self
        )
        return options.result(answer) { tokenReport($0, session.style) }
    }

    /// Nil without the option.
    private var allowed: [String]? {
        guard !allow.isEmpty else { return nil }
        return allow.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    }

    private static func isAllowed(_ entry: String) -> Bool {
        let parts = entry.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1: return ServiceName(parts[0]) != nil
        case 2: return TenantName(parts[0]) != nil && ServiceName(parts[1]) != nil
        default: return false
        }
    }
}

/// `weft token list`
struct ListTokensCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the tokens that this host made, without their secrets."
    )

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).ask([TokenRow].self, .tokens)
        return options.result(answer) { tokensTable($0, session) }
    }
}

/// `weft token withdraw ID`
struct WithdrawTokenCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw",
        abstract: "Let nobody in with a token any more; hosts that it let in stay."
    )

    @Argument(help: "The token's ID, as weft token list shows it; not the token.")
    var id: String

    @OptionGroup var options: CommonOptions

    func validate() throws {
        // Said without it: it may be the token itself.
        guard id.utf8.count == 16, UInt64(id, radix: 16) != nil else {
            throw ValidationError("An ID has 16 hexadecimal digits; weft token list shows them.")
        }
    }

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).tell(
            TokenWithdrawRequest(id: id),
            .withdrawToken,
            answer: DoneResponse.self
        )
        let isDone = answer.value.done
        return options.result(answer, isDone ? .good : .problem) { _ in
            isDone
                ? advice("Token \(id) lets nobody in any more.", next: "sudo weft token list", session.style)
                : advice("weftd did not withdraw the token.", next: "journalctl -u weftd -n 50", session.style)
        }
    }
}

internal import ArgumentParser
internal import WeftAPI
internal import WeftCore

/// `weft join TOKEN|ADDRESS...`
struct JoinCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "Join a mesh: by a token of it, or by addresses of its hosts. Root only.",
        discussion: """
            With a token, which sudo weft token makes on a host of the mesh, this host gets an identity there: calls \
            between the hosts are encrypted, and each side knows the other. Give it on standard input (-) where other \
            users could see a command's arguments. A mesh of one is left for it; a larger one only with --force.

            With addresses, this host and the others only hear of each other. One host that answers is enough: it \
            tells of all others. Stock serf agents count as well.

            Exit status 1 when none answered, or the token was refused; ports that are closed are warnings.
            """
    )

    /// What weftd takes in one request.
    private static let most = 100
    /// Where gossip is, unless the address or the configuration says otherwise.
    private static let gossipPort: UInt16 = 7946

    @Argument(
        help: ArgumentHelp(
            "A token, weft1_...; or - to read it from standard input. Or IP addresses or names, with or without a port: "
                + "10.0.0.12, [fd00::1]:7946, db-1.",
            valueName: "token-or-addresses"
        )
    )
    var targets: [String]

    @Flag(help: "Leave a mesh of several hosts for that of the token.")
    var force = false

    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard !hasToken else {
            // Without the arguments: one of them is a secret.
            guard targets.count == 1 else { throw ValidationError("A token stands alone, as one argument.") }
            return
        }
        guard !force else { throw ValidationError("--force goes with a token only.") }
        guard targets.count <= Self.most else {
            throw ValidationError("weft joins by at most \(Self.most) addresses at once, not \(targets.count).")
        }
        for address in targets where PeerAddress(address) == nil {
            throw ValidationError(
                "\"\(printable(address))\" is no address: 10.0.0.12, 10.0.0.12:7946, [fd00::1]:7946 and db-1 are."
            )
        }
    }

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        if hasToken { return try await joinByToken(session) }
        let answer = try await session.client(options).tell(
            JoinRequest(addresses: targets),
            .join,
            timeout: Patience.join,
            answer: JoinResponse.self
        )
        let hasJoined = answer.value.attempts.contains { $0.error == nil }
        return options.result(answer, hasJoined ? .good : .problem) { response in
            let attempts = response.attempts.map { line($0, session.style) }.joined()
            return attempts + "\n" + summary(response, hasJoined: hasJoined, session.style)
        }
    }

    private func line(_ attempt: JoinResponse.Attempt, _ style: Style) -> String {
        guard let error = attempt.error else {
            return item(style.goodMark, "\(attempt.address) answered", style, tint: .good, indent: 0)
        }
        return item(style.failedMark, "\(attempt.address): \(error)", style, tint: .failed, indent: 0)
    }

    private func summary(_ response: JoinResponse, hasJoined: Bool, _ style: Style) -> String {
        if hasJoined {
            let known = "\(counted(response.peersAlive, "host")) alive in the mesh, this one included."
            return advice(known, next: "weft peers", style)
        }
        // Validated above, and there is one at least: the parser sees to it.
        let first = targets.first.flatMap(PeerAddress.init)
        let port = first?.port ?? Self.gossipPort
        let host =
            switch first?.host {
            case .ip(let ip): ip.description
            case .name(let name): name
            case nil: "ADDRESS"
            }
        let text = "No host answered. Is weftd or a serf agent running there, and is port \(port) open, TCP and UDP?"
        return advice(text, next: "nc -vz \(host) \(port)", style, tint: .failed)
    }
}

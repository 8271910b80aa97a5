internal import WeftAPI

extension JoinCommand {
    /// What every token begins with, and no address: it has an underscore.
    private static let tokenPrefix = "weft1_"

    /// Whether any argument is a token, or stands for one.
    var hasToken: Bool { targets.contains { $0 == Self.standardInput || $0.hasPrefix(Self.tokenPrefix) } }

    /// Every user of this host can see the arguments of commands while they run.
    private static let standardInput = "-"

    /// Joins the mesh that the token is for. Closed ports are warnings: the host has joined all the same.
    func joinByToken(_ session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).tell(
            TokenJoinRequest(token: try token(session), force: force),
            .tokenJoin,
            timeout: Patience.tokenJoin,
            answer: TokenJoinResponse.self
        )
        return options.result(answer) { TokenJoinReport($0).rendered(session.style) }
    }

    private func token(_ session: Session) throws(DaemonError) -> String {
        // Validated: there is one argument.
        guard let argument = targets.first, argument == Self.standardInput else { return targets.joined() }
        guard let line = session.firstLine() else { throw .badTokenInput(reason: "it is empty, or one endless line") }
        let token = line.filter { !$0.isWhitespace }
        guard token.hasPrefix(Self.tokenPrefix) else {
            throw .badTokenInput(reason: "it does not begin with \(Self.tokenPrefix)")
        }
        return token
    }
}

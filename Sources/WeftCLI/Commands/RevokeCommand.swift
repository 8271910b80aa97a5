internal import ArgumentParser
internal import WeftAPI

/// `weft revoke HOST`
struct RevokeCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Have no host of the mesh believe a host any more. Root only.",
        discussion: """
            Its tunnels are cut within seconds, on every host that hears of it. On a host that holds the authority. What \
            was revoked comes back only with a new token.
            """
    )

    @OptionGroup var host: HostArgument
    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).tell(
            NodeRequestBody(node: host.name),
            .revoke,
            answer: CAStatus.self
        )
        return options.result(answer) { _ in
            advice("\(host.name) is revoked: the mesh does not believe it any more.", next: "weft ca", session.style)
        }
    }
}

internal import ArgumentParser
internal import WeftAPI
internal import WeftCore

/// `weft join ADDRESS...`
struct JoinCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "Join the mesh that the hosts at these addresses are in. Root only.",
        discussion: """
            One host that answers is enough: it tells of all others. Stock serf agents count as well.
            Exit status 1 when none answered.
            """
    )

    /// What weftd takes in one request.
    private static let most = 100
    /// Where gossip is, unless the address or the configuration says otherwise.
    private static let gossipPort: UInt16 = 7946

    @Argument(help: "IP addresses or names, with or without a port: 10.0.0.12, [fd00::1]:7946, db-1.")
    var addresses: [String]

    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard addresses.count <= Self.most else {
            throw ValidationError("weft joins by at most \(Self.most) addresses at once, not \(addresses.count).")
        }
        for address in addresses where PeerAddress(address) == nil {
            throw ValidationError(
                "\"\(printable(address))\" is no address: 10.0.0.12, 10.0.0.12:7946, [fd00::1]:7946 and db-1 are."
            )
        }
    }

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).tell(
            JoinRequest(addresses: addresses),
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
        let first = addresses.first.flatMap(PeerAddress.init)
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

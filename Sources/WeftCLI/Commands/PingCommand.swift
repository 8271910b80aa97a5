internal import ArgumentParser
internal import WeftAPI

/// `weft ping [SOURCE] DESTINATION`, also with an arrow between the two.
struct PingCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "ping",
        abstract: "Try the way from a service of this host to another, and say where it ends. Root only.",
        discussion: """
            A line per layer, up to the one that fails: capture (weft sees the connection), reach (the other host \
            answers), tls (both prove who they are), policy (the call is allowed), app (the service takes the connection).

              sudo weft ping web api
              sudo weft ping 'web -> api'     # the same; without quotes the shell takes the arrow's head
              sudo weft ping api              # from the host itself

            Exit status 1 when a layer fails.
            """
    )

    private static let arrow = "->"

    // The arrow begins as options do, so that the parser must not look for one there.
    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp(
            "The service that calls, if not this host itself; and the one that is called, by name or as ADDRESS:PORT.",
            valueName: "source-and-destination"
        )
    )
    var words: [String]

    @OptionGroup var options: CommonOptions

    func validate() throws {
        if let option = words.first(where: { $0.hasPrefix("-") && !$0.hasPrefix(Self.arrow) && $0 != "-" }) {
            throw ValidationError("Unknown option '\(printable(option))'")
        }
        guard !words.contains("-") else {
            throw ValidationError("The shell took the arrow's head: write weft ping SOURCE DESTINATION, or quote it.")
        }
        guard let ends, ends.allSatisfy({ !$0.isEmpty && !$0.contains(" ") }) else {
            throw ValidationError("weft pings one DESTINATION, from one SOURCE at most.")
        }
    }

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let ends = ends ?? []
        let answer = try await session.client(options).tell(
            PingRequest(source: ends.count == 2 ? ends.first : nil, destination: ends.last ?? ""),
            .ping,
            timeout: Patience.ping,
            answer: PingResponse.self
        )
        let report = PingReport(answer.value)
        return options.result(answer, report.exitStatus) { _ in report.rendered(session.style) }
    }

    /// The destination, after the source if there is one; nil for anything else. Spaces around the arrow are optional.
    private var ends: [String]? {
        let text = words.joined(separator: " ")
        let sides = text.split(separator: Self.arrow, omittingEmptySubsequences: false)
        let ends = sides.count > 1 ? sides.map { String($0.trimmed) } : words
        return (1...2).contains(ends.count) ? ends : nil
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var rest = drop { $0 == " " }
        while rest.last == " " { rest.removeLast() }
        return rest
    }
}

internal import ArgumentParser
internal import WeftAPI

/// `weft event NAME [PAYLOAD] [--no-coalesce]`
struct EventCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "event",
        abstract: "Send an event to every host, stock serf agents too. Root only.",
        discussion: """
            Hosts show it in weft events, agents hand it to their scripts. Name and payload have 400 bytes at most.
            """
    )

    private static let nameBytes = 1...128
    private static let bytes = 400

    @Argument(help: "What the event is called: 1 to 128 bytes, not beginning with \"weft:\".")
    var name: String

    @Argument(help: "What goes with it.")
    var payload = ""

    @Flag(
        inversion: .prefixedNo,
        help: "Let agents hand only the latest of several events of this name to their scripts."
    )
    var coalesce = true

    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard Self.nameBytes.contains(name.utf8.count) else {
            throw ValidationError("The name of an event has 1 to 128 bytes, not \(name.utf8.count).")
        }
        guard !name.hasPrefix("weft:") else {
            throw ValidationError("Events whose names begin with \"weft:\" are weft's own.")
        }
        let size = name.utf8.count + payload.utf8.count
        guard size <= Self.bytes else {
            throw ValidationError("Name and payload have \(size) bytes, and \(Self.bytes) at most fit in an event.")
        }
    }

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).tell(
            SendEventRequest(name: name, payload: payload, coalesce: coalesce),
            .sendEvent,
            answer: DoneResponse.self
        )
        let isSent = answer.value.done
        return options.result(answer, isSent ? .good : .problem) { _ in
            isSent
                ? advice("Event \(name) is on its way to all hosts.", next: "weft events --no-follow", session.style)
                : advice("weftd did not send the event.", next: "journalctl -u weftd -n 50", session.style)
        }
    }
}

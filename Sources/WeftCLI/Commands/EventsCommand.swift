internal import ArgumentParser
internal import WeftAPI

/// `weft events [--since-start | --last N] [--no-follow]`: goes on until it is interrupted.
struct EventsCommand: LiveCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what happens in the mesh, as it happens, until interrupted.",
        discussion: """
            A line per event: time, kind, host, then the service or event by name and what it carries. With -o json, \
            an object per line. Events that weftd had forgotten are counted on standard error.

            Exit status 3 when weftd goes away.
            """
    )

    /// weftd remembers no more.
    private static let lastRange = 1...4096
    /// Nothing has happened for a whole wait, so this delays nothing; but were weftd to answer at once without an event,
    /// weft would not ask it in a tight loop.
    private static let pauseBetweenEmptyAnswers: Duration = .milliseconds(100)

    @Flag(help: "Begin with everything that weftd remembers.")
    var sinceStart = false

    @Option(help: ArgumentHelp("Begin with the latest that weftd remembers, 1 to 4096.", valueName: "n"))
    var last: Int?

    @Flag(help: "Show what weftd remembers, then end.")
    var noFollow = false

    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard !sinceStart || last == nil else {
            throw ValidationError("--since-start and --last exclude each other.")
        }
        guard last.map(Self.lastRange.contains) ?? true else {
            throw ValidationError("--last takes 1 to 4096, not \(last ?? 0).")
        }
    }

    func follow(in session: Session) async throws -> ExitStatus {
        var reader = EventReader(client: try session.client(options))
        var printer = EventPrinter(session, isJSON: options.output == .json)
        try await showPast(&reader, &printer)
        guard noFollow else { return try await showFuture(&reader, &printer) }
        if !printer.hasShownAny { try printer.nothing() }
        return .good
    }

    /// Shows the events that weftd remembers, or as many as are wanted; and reads past all of them.
    private func showPast(_ reader: inout EventReader, _ printer: inout EventPrinter) async throws {
        let isAllWanted = sinceStart || (noFollow && last == nil)
        var kept: [Event] = []
        while true {
            let before = reader.position
            let batch = try await reader.next(waitSeconds: 0)
            if isAllWanted {
                try printer.show(batch)
            } else if let last {
                kept = (kept + batch.events).suffix(last)
            }
            guard reader.position > before else { break }
        }
        try printer.show(EventBatch(events: kept, missed: 0))
    }

    /// Never returns but by throwing.
    private func showFuture(_ reader: inout EventReader, _ printer: inout EventPrinter) async throws -> ExitStatus {
        while true {
            let batch = try await reader.next(waitSeconds: Patience.eventsWaitSeconds)
            try printer.show(batch)
            if batch.events.isEmpty { try await Task.sleep(for: Self.pauseBetweenEmptyAnswers) }
        }
    }
}

internal import ArgumentParser
internal import WeftAPI

/// `weft on`
struct OnCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "on",
        abstract: "Have the kernel hand traffic to weft again, after weft off. Root only.",
        discussion: "New connections only: what is open stays as it is. Exit status 1 when the kernel refuses."
    )

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        try await change(.captureOn, options, session)
    }
}

/// `weft off`
struct OffCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "off",
        abstract: "Let all traffic go past weft at once; weftd keeps running. Root only.",
        discussion: "Connections that weft already carries go on."
    )

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        try await change(.captureOff, options, session)
    }
}

/// Asks for a change of capture and tells what it came to, which is what counts: `off` that finds capture off is good.
private func change(
    _ route: APIRoute,
    _ options: CommonOptions,
    _ session: Session
) async throws(DaemonError) -> CommandResult {
    let answer = try await session.client(options).ask(CaptureStatus.self, route)
    let wanted: CaptureStatus.State = route == .captureOn ? .on : .off
    return options.result(answer, answer.value.state == wanted ? .good : .problem) { capture in
        captureReport(capture, session.style)
    }
}

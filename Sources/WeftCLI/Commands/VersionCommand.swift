internal import ArgumentParser
internal import WeftAPI
internal import WeftCore

/// `weft version`: works without weftd, too.
struct VersionCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Show the versions of weft and of the running weftd.",
        discussion: "Exit status 0 without weftd, too."
    )

    @OptionGroup var options: CommonOptions

    /// What `-o json` prints. The one JSON that weft makes itself, as weftd cannot know the version of its caller.
    private struct Versions: Encodable {
        let client: String
        /// Absent when weftd cannot be asked; `error` and `next` then say why and what to do.
        let daemon: String?
        let error: String?
        let next: String?
    }

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let client = try session.client(options)
        do throws(DaemonError) {
            let daemon = try await client.ask(VersionResponse.self, .version).value.version
            return result(Versions(client: weftVersion, daemon: daemon, error: nil, next: nil), session.style)
        } catch {
            let versions = Versions(client: weftVersion, daemon: nil, error: error.text, next: error.next)
            return result(versions, session.style)
        }
    }

    private func result(_ versions: Versions, _ style: Style) -> CommandResult {
        switch options.output {
        case .json: CommandResult(json(versions))
        case .table: CommandResult(text(versions, style))
        }
    }

    private func text(_ versions: Versions, _ style: Style) -> String {
        var lines = ["weft   \(versions.client)"]
        if let daemon = versions.daemon {
            lines.append("weftd  \(printable(daemon))")
            if daemon != versions.client {
                lines += ["They differ: weftd runs what was installed when it started."]
                lines += ["Next: sudo systemctl restart weftd"]
            }
        }
        if let error = versions.error, let next = versions.next {
            let sentences = wrapped(printable(error), columns: style.columns.map { $0 - 7 })
            lines.append("weftd  " + sentences.joined(separator: "\n       "))
            lines.append("Next: \(printable(next))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func json(_ versions: Versions) -> String {
        do {
            return try JSONText(jsonBytes(versions)).rendered()
        } catch {
            preconditionFailure("what was encoded as JSON cannot be read: \(error)")
        }
    }
}

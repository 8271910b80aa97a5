internal import ArgumentParser

/// One run of `weft`, from its arguments to what goes to standard output and standard error at its end. Pure but for what
/// the session's transport does, and for what commands that go on have written to its live output by then.
package struct CommandLineRun: Sendable, Equatable {
    package let output: String
    package let errorOutput: String
    package let status: ExitStatus

    /// Runs the command that the arguments name; the program's own name is not among them.
    package static func run(_ arguments: [String], in session: Session) async -> CommandLineRun {
        do {
            var command = try WeftCommand.parseAsRoot(arguments)
            if let command = command as? any SessionCommand {
                let result = try await command.run(in: session)
                return CommandLineRun(output: result.output, errorOutput: result.note, status: result.status)
            }
            if let command = command as? any LiveCommand {
                return CommandLineRun(output: "", errorOutput: "", status: try await command.follow(in: session))
            }
            // The root and the groups without a command, and `help`: they run by throwing their text.
            try command.run()
            return CommandLineRun(output: "", errorOutput: "", status: .good)
        } catch let error as DaemonError {
            return CommandLineRun(output: "", errorOutput: message(error, session.style), status: error.exitStatus)
        } catch OutputFault.readerGone {
            return CommandLineRun(output: "", errorOutput: "", status: .good)
        } catch OutputFault.failed(let reason) {
            return CommandLineRun(output: "", errorOutput: outputFailure(reason), status: .problem)
        } catch {
            return commandLineFault(error, session.style)
        }
    }

    /// What is told of output that cannot be written, with the system's words for why.
    static func outputFailure(_ reason: String) -> String { "weft: writing the output failed: \(reason).\n" }

    private static func message(_ error: DaemonError, _ style: Style) -> String {
        let text = wrapped("weft: \(printable(error.text))", columns: style.columns).joined(separator: "\n")
        return "\(text)\nNext: \(printable(error.next))\n"
    }

    /// What the argument parser throws: help and completion scripts, which are no errors, and usage errors. Its own exit
    /// code for the latter is 64 (sysexits); weft's is 2, as of most programs.
    private static func commandLineFault(_ error: any Error, _ style: Style) -> CommandLineRun {
        let text = WeftCommand.fullMessage(for: error, columns: style.columns ?? 100)
        let ended = text.isEmpty || text.hasSuffix("\n") ? text : text + "\n"
        guard WeftCommand.exitCode(for: error).isSuccess else {
            return CommandLineRun(output: "", errorOutput: ended, status: .usage)
        }
        return CommandLineRun(output: ended, errorOutput: "", status: .good)
    }
}

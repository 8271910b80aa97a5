internal import ArgumentParser

/// Where a command that goes on until it is interrupted writes while it runs. `StandardOutput` is the real one; tests
/// collect what is written.
package protocol LiveOutput: Sendable {
    /// Writes all of a text to standard output before it returns.
    func write(_ text: String) throws(OutputFault)

    /// Writes a line that is about the output rather than part of it to standard error; what cannot be written is lost.
    func note(_ line: String)
}

/// Why no more can be written.
package enum OutputFault: Error, Sendable, Equatable {
    /// Nobody reads any more, as with `weft events | head`: the end of the command, and no failure.
    case readerGone
    /// Such as a disk that is full; with the system's words for it.
    case failed(reason: String)
}

/// A command that writes as things happen, and so cannot give its output as one result.
protocol LiveCommand: ParsableCommand {
    /// Asks weftd again and again and writes to the session's live output, until there is an end to tell. Throws
    /// `DaemonError` when weftd does not answer any more, and `OutputFault` when nothing can be written.
    func follow(in session: Session) async throws -> ExitStatus
}

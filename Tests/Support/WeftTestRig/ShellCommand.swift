import Dispatch
import Glibc

/// What a finished command left behind.
package struct Output: Sendable {
    package let command: [String]
    /// As a shell has it: 128 + N for a command that signal N ended.
    package let exitCode: Int32
    package let standardOutput: String
    package let standardError: String

    package var succeeded: Bool { exitCode == 0 }

    /// Standard output without the newline at its end.
    package var text: String {
        var text = Substring(standardOutput)
        while text.last?.isNewline == true { text.removeLast() }
        return String(text)
    }

    /// The lines of standard output, without empty ones.
    package var lines: [Substring] { standardOutput.split(whereSeparator: \.isNewline) }
}

/// A command that could not be started, took too long, or ended with another exit code than 0.
package struct CommandFailure: Error, Sendable, CustomStringConvertible {
    package let command: [String]
    package let reason: String
    package let output: Output?

    package init(command: [String], reason: String, output: Output?) {
        self.command = command
        self.reason = reason
        self.output = output
    }

    package var description: String {
        var text = "\(command.joined(separator: " ")): \(reason)"
        if let output {
            text +=
                "\n--- stdout\n\(output.standardOutput.suffix(4000))\n--- stderr\n\(output.standardError.suffix(4000))"
        }
        return text
    }
}

/// Runs programs to their end: with a time limit, a bound on what they print, and their whole session killed at the
/// limit. The blocking work is on a Dispatch thread, never on one of Swift concurrency's.
package enum ShellCommand {
    /// Bytes kept of each of the two output streams; what comes after is read and dropped.
    package static let outputMaximum = 16 << 20

    /// Runs a command on this machine and returns however it ended. Throws `CommandFailure` when it cannot be started or
    /// takes longer than `timeout`.
    package static func run(_ command: [String], input: String = "", timeout: Duration = .seconds(60)) async throws
        -> Output
    {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result { try runBlocking(command, input: Array(input.utf8), timeout: timeout) }
                )
            }
        }
    }

    private static func runBlocking(_ command: [String], input: [UInt8], timeout: Duration) throws -> Output {
        let inputPipe = try Pipe()
        let outputPipe = try Pipe()
        let errorPipe = try Pipe()
        let child = try ChildProcess.spawn(
            command,
            standardInput: inputPipe.readEnd,
            standardOutput: outputPipe.writeEnd,
            standardError: errorPipe.writeEnd
        )
        inputPipe.closeReadEnd()
        outputPipe.closeWriteEnd()
        errorPipe.closeWriteEnd()
        for descriptor in [inputPipe.writeEnd, outputPipe.readEnd, errorPipe.readEnd] { setNonBlocking(descriptor) }
        var exchange = Exchange(input: input, inputPipe: inputPipe, outputPipe: outputPipe, errorPipe: errorPipe)
        let status = exchange.runUntilExit(of: child, deadline: ContinuousClock.now.advanced(by: timeout))
        guard let status else {
            child.killSession()
            child.waitForExit()
            throw CommandFailure(
                command: command,
                reason: "took longer than \(timeout)",
                output: exchange.result(of: command, exitCode: 124)
            )
        }
        return exchange.result(of: command, exitCode: status)
    }
}

/// Feeds a child its input and collects its output until it has ended.
private struct Exchange {
    var input: ArraySlice<UInt8>
    let inputPipe: Pipe
    let outputPipe: Pipe
    let errorPipe: Pipe
    var output: [UInt8] = []
    var error: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)

    init(input: [UInt8], inputPipe: Pipe, outputPipe: Pipe, errorPipe: Pipe) {
        self.input = input[...]
        self.inputPipe = inputPipe
        self.outputPipe = outputPipe
        self.errorPipe = errorPipe
    }

    /// Nil at the deadline. A daemon that the child left behind may hold the pipes open, so the child's end counts, not
    /// the end of its output; what had been written by then is read all the same.
    mutating func runUntilExit(of child: ChildProcess, deadline: ContinuousClock.Instant) -> Int32? {
        if input.isEmpty { inputPipe.closeWriteEnd() }
        while ContinuousClock.now < deadline {
            let ended = child.exitStatus()
            exchangeOnce(waitMilliseconds: ended == nil ? 10 : 0)
            if let ended { return ended }
        }
        return nil
    }

    private mutating func exchangeOnce(waitMilliseconds: Int32) {
        var entries = [
            pollfd(fd: outputPipe.readEnd, events: Int16(POLLIN), revents: 0),
            pollfd(fd: errorPipe.readEnd, events: Int16(POLLIN), revents: 0),
            pollfd(fd: inputPipe.writeEnd, events: Int16(POLLOUT), revents: 0),
        ]
        guard poll(&entries, nfds_t(entries.count), waitMilliseconds) > 0 else { return }
        if entries[0].revents != 0 { drain(outputPipe, into: \.output) }
        if entries[1].revents != 0 { drain(errorPipe, into: \.error) }
        if entries[2].revents != 0 { feed() }
    }

    private mutating func drain(_ pipe: Pipe, into stream: WritableKeyPath<Exchange, [UInt8]>) {
        while true {
            let count = read(pipe.readEnd, &buffer, buffer.count)
            if count == 0 { pipe.closeReadEnd() }
            guard count > 0 else { return }
            let room = max(0, ShellCommand.outputMaximum - self[keyPath: stream].count)
            self[keyPath: stream].append(contentsOf: buffer.prefix(min(count, room)))
        }
    }

    private mutating func feed() {
        let count = input.withUnsafeBytes { write(inputPipe.writeEnd, $0.baseAddress, $0.count) }
        if count > 0 { input.removeFirst(count) }
        // A child that does not want its input has closed the pipe: that is its affair.
        if input.isEmpty || (count < 0 && errno != EAGAIN) { inputPipe.closeWriteEnd() }
    }

    func result(of command: [String], exitCode: Int32) -> Output {
        Output(
            command: command,
            exitCode: exitCode,
            standardOutput: String(decoding: output, as: UTF8.self),
            standardError: String(decoding: error, as: UTF8.self)
        )
    }
}

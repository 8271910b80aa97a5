internal import Glibc

/// The process's own surroundings: its environment, its terminal, its output.
package enum StandardStreams {
    /// The session of this process: the real transport, a style for its standard output, its environment.
    package static func session() -> Session {
        let environment = currentEnvironment()
        let style = Style(
            isTerminal: isatty(STDOUT_FILENO) == 1,
            terminalColumns: terminalColumns(),
            environment: environment
        )
        return Session(
            transport: UnixSocketTransport(),
            firstLine: firstLine,
            readText: readText,
            live: StandardOutput(),
            style: style,
            environment: environment,
            isRoot: geteuid() == 0
        )
    }

    /// Writes what a run has to say and returns the number to exit with.
    ///
    /// A reader that has gone away (`weft connections | head`) is no failure; a disk that is full is one.
    package static func finish(_ run: CommandLineRun) -> Int32 {
        let fault = write(run.output, to: STDOUT_FILENO)
        // Where standard error cannot be written either, the exit status is all that is left to tell.
        _ = write(run.errorOutput, to: STDERR_FILENO)
        guard fault != 0, fault != EPIPE else { return run.status.rawValue }
        _ = write(CommandLineRun.outputFailure(String(cString: strerror(fault))), to: STDERR_FILENO)
        return max(run.status.rawValue, ExitStatus.problem.rawValue)
    }

    /// Longer than anything that is read from standard input.
    private static let lineMax = 4096

    /// What standard input begins with, up to the first newline or its end.
    private static func firstLine() -> String? {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while line.count <= lineMax {
            let count = Glibc.read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1, byte != UInt8(ascii: "\n") else {
                return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
            }
            line.append(byte)
        }
        return nil
    }

    /// As much as weftd takes in one request, with room for what JSON adds.
    private static let textBytesMax = 60 * 1024

    /// All of a file, or of standard input.
    private static func readText(_ path: String?) -> Result<String, InputFault> {
        let descriptor = path.map { open($0, O_RDONLY | O_CLOEXEC) } ?? STDIN_FILENO
        guard descriptor >= 0 else { return .failure(InputFault(reason: String(cString: strerror(errno)))) }
        defer { if path != nil { close(descriptor) } }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= textBytesMax {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return .failure(InputFault(reason: String(cString: strerror(errno)))) }
            guard count > 0 else { return .success(String(decoding: bytes, as: UTF8.self)) }
            bytes += buffer.prefix(count)
        }
        return .failure(InputFault(reason: "there are more than \(humanBytes(UInt64(textBytesMax))) in it"))
    }

    /// Writes all of `text`; returns 0 or the error number.
    fileprivate static func write(_ text: String, to descriptor: CInt) -> CInt {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written >= 0 {
                rest = rest.dropFirst(written)
            } else if errno == EAGAIN {
                // Standard output can be somebody else's non-blocking descriptor; wait until it takes more.
                var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = Glibc.poll(&poll, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }

    /// The width of the terminal; nil when standard output is none, or does not know.
    private static func terminalColumns() -> Int? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// The variables that weft reads.
    private static func currentEnvironment() -> [String: String] {
        let names = ["WEFT_SOCKET", "NO_COLOR", "TERM", "LC_ALL", "LC_CTYPE", "LANG"]
        return names.reduce(into: [:]) { environment, name in
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
    }
}

/// The process's own output, as commands that go on write to it: each text at once, none held back.
private struct StandardOutput: LiveOutput {
    func write(_ text: String) throws(OutputFault) {
        switch StandardStreams.write(text, to: STDOUT_FILENO) {
        case 0: break
        case EPIPE: throw .readerGone
        case let fault: throw .failed(reason: String(cString: strerror(fault)))
        }
    }

    func note(_ line: String) { _ = StandardStreams.write(line + "\n", to: STDERR_FILENO) }
}

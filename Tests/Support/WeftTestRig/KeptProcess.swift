import Glibc

/// A long-lived child that lives exactly as long as this process wants it to: it waits for the end of its standard input
/// and then takes down what it keeps. The kernel closes that pipe when this process dies, however it dies, so nothing of
/// a test run survives it, `kill -9` and Ctrl-C included.
package final class KeptProcess: Sendable {
    private let child: ChildProcess
    /// Owned descriptors: closing `lifeline` is the order to end; `report` is what the child prints.
    private let lifeline: Int32
    private let report: Int32

    var identifier: pid_t { child.identifier }

    package init(_ command: [String]) throws {
        let input = try Pipe()
        let output = try Pipe()
        child = try ChildProcess.spawn(
            command,
            standardInput: input.readEnd,
            standardOutput: output.writeEnd,
            standardError: output.writeEnd
        )
        lifeline = inheritableToNobody(input.writeEnd)
        report = inheritableToNobody(output.readEnd)
        setNonBlocking(report)
    }

    /// What it has printed since the last call: on success nothing but the agreed word, otherwise the reason.
    package func printed() -> String {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let count = read(report, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }

    /// Writes a line to its standard input, for one that takes orders.
    package func order(_ line: String) throws {
        var bytes = Array("\(line)\n".utf8)
        guard write(lifeline, &bytes, bytes.count) == bytes.count else {
            throw SystemFailure(call: "write to a keeper", code: errno)
        }
    }

    package var hasEnded: Bool { child.exitStatus() != nil }

    /// Lets it take everything down and waits until it has. Called once.
    package func end(within limit: Duration = .seconds(90)) async throws {
        close(lifeline)
        defer { close(report) }
        let deadline = ContinuousClock.now.advanced(by: limit)
        while child.exitStatus() == nil {
            if ContinuousClock.now > deadline {
                child.killSession()
                child.waitForExit()
                throw RigFailure("a keeper did not end within \(limit): \(printed())")
            }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// A second descriptor that children do not inherit, for one whose owner is about to close it.
private func inheritableToNobody(_ descriptor: Int32) -> Int32 {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
    precondition(copy >= 0, "no descriptor left for a test host: \(String(cString: strerror(errno)))")
    return copy
}

/// Something that the rig needs or promises does not hold.
package struct RigFailure: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

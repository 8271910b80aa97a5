import FoundationEssentials
import Glibc
import Synchronization

/// Held while a pipe is made and while a child is started: glibc's pipe2() is not visible to Swift, so there is a moment in
/// which a new pipe would be inherited by a child that another thread starts, and a keeper's lifeline must not be.
private let inheritance = Mutex(())

/// A pipe whose descriptors are not inherited by children and do not block here. Used by one thread at a time.
final class Pipe {
    /// -1 once closed, which poll() ignores.
    private(set) var readEnd: Int32
    private(set) var writeEnd: Int32

    init() throws {
        var descriptors: [Int32] = [-1, -1]
        try inheritance.withLock { _ in
            guard pipe(&descriptors) == 0 else { throw SystemFailure(call: "pipe", code: errno) }
            for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
        (readEnd, writeEnd) = (descriptors[0], descriptors[1])
    }

    deinit {
        closeReadEnd()
        closeWriteEnd()
    }

    func closeReadEnd() {
        if readEnd >= 0 { close(readEnd) }
        readEnd = -1
    }

    func closeWriteEnd() {
        if writeEnd >= 0 { close(writeEnd) }
        writeEnd = -1
    }
}

/// Makes this end of a pipe return EAGAIN instead of waiting. The child's end keeps waiting, as programs expect.
func setNonBlocking(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
}

/// A system call that failed.
package struct SystemFailure: Error, Sendable, CustomStringConvertible {
    package let call: String
    package let code: Int32

    package var description: String { "\(call): \(String(cString: strerror(code)))" }
}

/// A child in a session of its own, so that a Ctrl-C at the terminal does not reach it and that it can be killed with
/// everything it started.
struct ChildProcess: Sendable {
    let identifier: pid_t

    /// Starts `command[0]`, found in PATH, with the three descriptors as its own.
    static func spawn(
        _ command: [String],
        standardInput: Int32,
        standardOutput: Int32,
        standardError: Int32
    ) throws -> ChildProcess {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, standardInput, 0)
        posix_spawn_file_actions_adddup2(&actions, standardOutput, 1)
        posix_spawn_file_actions_adddup2(&actions, standardError, 2)
        closeOthers(&actions)
        // The test process ignores SIGPIPE and may block others; a child starts with none of that.
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        let flags = setSession | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var environment: [UnsafeMutablePointer<CChar>?] = childEnvironment.map { strdup($0) }
        environment.append(nil)
        defer { for variable in environment { free(variable) } }
        var identifier: pid_t = 0
        let code = inheritance.withLock { _ in
            posix_spawnp(&identifier, command[0], &actions, &attributes, arguments, environment)
        }
        guard code == 0 else {
            throw CommandFailure(command: command, reason: String(cString: strerror(code)), output: nil)
        }
        return ChildProcess(identifier: identifier)
    }

    /// Has the child close what it would inherit. Sockets that NIO or a test has accepted are not marked for that; held by
    /// a child, they would not end when their test closes them.
    private static func closeOthers(_ actions: inout posix_spawn_file_actions_t) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in names.compactMap({ Int32($0) }) where descriptor > 2 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
    }

    /// POSIX_SPAWN_SETSID of glibc's spawn.h, which Swift does not see without _GNU_SOURCE.
    private static let setSession: Int32 = 0x80

    /// The same for every command, whoever runs the tests.
    private static let childEnvironment = [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb",
    ]

    /// Nil while it runs, then its exit code, or 128 + N for signal N. Asked once more after that, it is 255.
    func exitStatus() -> Int32? { reap(WNOHANG) }

    @discardableResult
    func waitForExit() -> Int32 { reap(0) ?? 255 }

    func killSession() {
        // The session's leader is also the leader of its process group.
        kill(-identifier, SIGKILL)
    }

    private func reap(_ options: Int32) -> Int32? {
        var status: Int32 = 0
        while true {
            let result = waitpid(identifier, &status, options)
            if result == 0 { return nil }
            if result < 0 && errno == EINTR { continue }
            if result < 0 { return 255 }
            let signal = status & 0x7f
            return signal == 0 ? status >> 8 & 0xff : 128 + signal
        }
    }
}

import FoundationEssentials
import Glibc

/// Runs `body` with a new folder in /tmp that every user may enter, and removes it afterwards. Its path is short, as that
/// of a socket has 107 bytes at most.
func withTemporaryFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let folder = "/tmp/weft-daemon-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    let outcome: Result<Value, any Error>
    do {
        guard chmod(folder, 0o755) == 0 else { throw TestFailure("chmod \(folder): errno \(errno)") }
        outcome = .success(try await body(folder))
    } catch {
        outcome = .failure(error)
    }
    try FileManager.default.removeItem(atPath: folder)
    return try outcome.get()
}

/// What `lstat` says of a path; nil when there is nothing.
func fileStatus(_ path: String) -> (type: mode_t, permissions: mode_t, size: Int)? {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    return (status.st_mode & S_IFMT, status.st_mode & 0o7777, Int(status.st_size))
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A folder for as long as somebody holds it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = "/tmp/weft-daemon-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    // What cannot be removed now is removed with /tmp.
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
    }
}

import CWeftLinux
import Glibc
import Synchronization

@testable import WeftHost

/// Runs `body` on a thread of its own in a new network namespace with nothing but a loopback device, and returns what
/// it returned. The namespace is gone when its last socket and process are.
func inPrivateNetwork<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
    let outcome = Mutex<Swift.Result<Result, any Error>?>(nil)
    let shared = Shared(outcome)
    let thread = try HostThread(name: "weft-test-net") {
        let result = Swift.Result {
            try enterNewNetwork()
            try run("ip", "link", "set", "lo", "up")
            return try body()
        }
        shared.value.withLock { $0 = result }
    }
    thread.join()
    guard let result = shared.value.withLock({ $0 }) else { throw TestFailure("the thread left no result") }
    return try result.get()
}

/// Gives the calling thread a network namespace of its own. Swift's Glibc has no `unshare`, which is a GNU extension,
/// so that it is looked up by name.
private func enterNewNetwork() throws {
    typealias Unshare = @convention(c) (CInt) -> CInt
    guard let symbol = dlsym(nil, "unshare") else { throw TestFailure("no function unshare") }
    let newNetwork: CInt = 0x4000_0000  // CLONE_NEWNET
    try check(unsafeBitCast(symbol, to: Unshare.self)(newNetwork), "unshare")
}

/// A non-copyable value that closures share.
final class Shared<Value: ~Copyable & Sendable>: Sendable {
    let value: Value

    init(_ value: consuming Value) { self.value = value }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Throws unless a system call succeeded; returns its result.
@discardableResult
func check(_ result: CInt, _ call: String) throws -> CInt {
    guard result >= 0 else { throw TestFailure("\(call): \(String(cString: strerror(errno)))") }
    return result
}

/// Starts a program, in the calling thread's network namespace.
func start(_ arguments: [String]) throws -> pid_t {
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    var process = pid_t()
    let code = posix_spawnp(&process, arguments[0], nil, nil, pointers, environ)
    guard code == 0 else { throw TestFailure("start \(arguments[0]): \(String(cString: strerror(code)))") }
    return process
}

/// Waits for a program; its wait status.
@discardableResult
func wait(for process: pid_t) throws -> CInt {
    var status: CInt = 0
    while waitpid(process, &status, 0) < 0 {
        guard errno == EINTR else { throw TestFailure("waitpid: \(String(cString: strerror(errno)))") }
    }
    return status
}

/// Runs a program to its end, which must be a good one.
func run(_ arguments: String...) throws {
    let status = try wait(for: start(arguments))
    guard status == 0 else { throw TestFailure("\(arguments.joined(separator: " ")) ended with status \(status)") }
}

/// Looks again and again until `condition` holds; false when it has not after ten seconds.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let start = time(nil)
    while time(nil) - start < 10 {
        if try condition() { return true }
        usleep(1000)
    }
    return try condition()
}

/// A directory of its own, removed with all it holds.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    var template = Array("/tmp/wefttest-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw TestFailure("mkdtemp: \(String(cString: strerror(errno)))") }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { try? run("rm", "-rf", path) }
    return try body(path)
}

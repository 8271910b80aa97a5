import Glibc
import Testing

/// A network namespace of its own, with `lo` up, removed with the object. Needs root.
final class TestNamespace {
    let name: String

    init(_ label: String) throws {
        name = "wXcap\(getpid())-\(label)-\(UInt32.random(in: 0..<1_000_000))"
        try outerShell("ip netns add \(name) && ip -n \(name) link set lo up")
        // Addresses are usable at once, link-local ones too.
        try shell("echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad")
    }

    deinit { _ = try? outerShell("ip netns del \(name)") }

    /// Runs `body` on a thread of its own that is inside the namespace, and waits for it. Sockets that it makes, and
    /// processes that it starts, belong to the namespace for good.
    func run<Result>(_ body: () throws -> Result) throws -> Result {
        try withoutActuallyEscaping(body) { body in
            let errand = Errand(namespace: name) { Swift.Result { try body() } }
            var thread = pthread_t()
            let started = pthread_create(
                &thread,
                nil,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<ErrandBase>.fromOpaque(argument).takeUnretainedValue().run()
                    return nil
                },
                Unmanaged<ErrandBase>.passUnretained(errand).toOpaque()
            )
            try #require(started == 0)
            pthread_join(thread, nil)
            let result = try #require(errand.result, "the thread could not enter \(name)")
            return try result.get()
        }
    }

    /// Runs a command line inside and gives its output; throws when it fails.
    @discardableResult
    func shell(_ command: String) throws -> String { try run { try outerShell(command) } }

    /// Connects two namespaces by a pair of interfaces named after each other's end.
    func link(_ mine: String, to other: TestNamespace, _ theirs: String) throws {
        try outerShell("ip -n \(name) link add \(mine) type veth peer name \(theirs) netns \(other.name)")
        try outerShell("ip -n \(name) link set \(mine) up && ip -n \(other.name) link set \(theirs) up")
    }
}

/// What a thread is started with; a class, as it passes through a C pointer.
private class ErrandBase {
    func run() {}
}

private final class Errand<Success>: ErrandBase {
    let namespace: String
    let body: () -> Result<Success, any Error>
    var result: Result<Success, any Error>?

    init(namespace: String, body: @escaping () -> Result<Success, any Error>) {
        self.namespace = namespace
        self.body = body
    }

    override func run() {
        // Swift's Glibc module does not show setns.
        typealias Enter = @convention(c) (Int32, Int32) -> Int32
        guard let symbol = dlsym(nil, "setns") else { return }
        let enter = unsafeBitCast(symbol, to: Enter.self)
        let descriptor = open("/run/netns/\(namespace)", O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        guard enter(descriptor, 0x4000_0000) == 0 else { return }  // CLONE_NEWNET
        result = body()
    }
}

struct ShellFailure: Error, CustomStringConvertible {
    let command: String
    let status: Int32
    let output: String

    var description: String { "\(command): status \(status)\n\(output)" }
}

/// Runs a command line in the calling thread's namespace and gives what it wrote.
@discardableResult
func outerShell(_ command: String) throws -> String {
    let stream = try #require(popen("exec 2>&1; \(command)", "re"))
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, stream), count > 0 { output += buffer[..<count] }
    let status = pclose(stream)
    let text = String(decoding: output, as: UTF8.self)
    guard status == 0 else { throw ShellFailure(command: command, status: status, output: text) }
    return text
}

/// Waits until something holds, for at most 10 seconds.
func eventually(_ what: Comment, _ condition: () throws -> Bool) throws {
    for _ in 0..<500 {
        if try condition() { return }
        usleep(20_000)
    }
    Issue.record(what)
}

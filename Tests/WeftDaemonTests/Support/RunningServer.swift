import Logging
import NIOCore
import NIOPosix
import Synchronization

@testable import WeftDaemon

/// An API server on a socket in a folder of its own.
struct RunningServer: Sendable {
    let path: String
    let reports: FixedReports
    let log: RecordedLog

    /// Runs `body` while the server answers. `prepare` gets the socket's path before the server starts.
    static func with<Value: Sendable>(
        _ reports: FixedReports = FixedReports(),
        connectionsMax: Int = 512,
        idleTimeout: TimeAmount = .seconds(60),
        prepare: (String) throws -> Void = { _ in },
        _ body: @escaping @Sendable (RunningServer) async throws -> Value
    ) async throws -> Value {
        try await withTemporaryFolder { folder in
            let running = RunningServer(path: folder + "/weft.sock", reports: reports, log: RecordedLog())
            try prepare(running.path)
            let server = APIServer(
                socketPath: running.path,
                connectionsMax: connectionsMax,
                reports: reports,
                logger: running.log.logger,
                idleTimeout: idleTimeout
            )
            return try await withEventLoopGroup { group in
                try await withThrowingTaskGroup(of: Value?.self) { tasks in
                    let (ready, readiness) = AsyncStream<Void>.makeStream()
                    tasks.addTask {
                        // A server that fails must not leave the body waiting.
                        defer { readiness.finish() }
                        try await server.run(on: group) { readiness.yield() }
                        return nil
                    }
                    tasks.addTask {
                        for await _ in ready { return try await body(running) }
                        throw TestFailure("the server ended before it was ready")
                    }
                    defer { tasks.cancelAll() }
                    // The server runs until it is cancelled: when it ends before the body, the body has lost it.
                    guard let first = try await tasks.next(), let value = first else {
                        throw TestFailure("the server ended during the test")
                    }
                    return value
                }
            }
        }
    }

    /// Sends the bytes, ends the output, and reads until the server has closed.
    func exchange(_ request: String) async throws -> (answers: [HTTPAnswer], rest: [UInt8]) {
        try await exchange(Array(request.utf8))
    }

    func exchange(_ request: [UInt8]) async throws -> (answers: [HTTPAnswer], rest: [UInt8]) {
        let path = self.path
        return HTTPAnswer.all(
            in: try await blocking {
                let client = try UnixClient(path)
                // A server that has had enough may close before it has read everything, and still have answered.
                try? client.send(request)
                client.endOutput()
                return try client.readToEnd()
            }
        )
    }

    /// One request, which has to be answered.
    func ask(
        _ method: String,
        _ target: String,
        headers: String = "",
        body: String? = nil
    ) async throws -> HTTPAnswer {
        let length = body.map { "Content-Length: \($0.utf8.count)\r\n" } ?? ""
        let head = "\(method) \(target) HTTP/1.1\r\nHost: weft\r\n\(headers)\(length)\r\n"
        let (answers, rest) = try await exchange(head + (body ?? ""))
        guard answers.count == 1, rest.isEmpty else {
            throw TestFailure("\(method) \(target): \(answers.count) answers and \(rest.count) bytes")
        }
        return answers[0]
    }
}

/// Runs `body` with one event loop, which ends with it.
func withEventLoopGroup<Value>(_ body: (any EventLoopGroup) async throws -> Value) async throws -> Value {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let outcome: Result<Value, any Error>
    do {
        outcome = .success(try await body(group))
    } catch {
        outcome = .failure(error)
    }
    try await group.shutdownGracefully()
    return try outcome.get()
}

/// Log records of level info and above, kept.
final class RecordedLog: Sendable {
    private let records = Mutex<[String]>([])

    var messages: [String] { records.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.records.withLock { $0.append("\(event.level): \(event.message) \(event.metadata ?? [:])") }
        }
    }
}

import Synchronization
import WeftAPI

@testable import WeftCLI

/// Answers from a table instead of a socket, and remembers what it was asked.
struct CannedTransport: DaemonTransport {
    /// By request target.
    var answers: [String: Result<DaemonAnswer, DaemonError>] = [:]
    /// For a request that the table does not have.
    var otherwise: Result<DaemonAnswer, DaemonError>?
    private let log = Log()

    init(
        answers: [String: Result<DaemonAnswer, DaemonError>] = [:],
        otherwise: Result<DaemonAnswer, DaemonError>? = nil
    ) {
        self.answers = answers
        self.otherwise = otherwise
    }

    /// One answer to whatever is asked.
    static func always(_ body: String) -> CannedTransport { always(200, body) }

    /// One answer to whatever is asked, with an HTTP status.
    static func always(_ status: Int, _ body: String) -> CannedTransport {
        CannedTransport(otherwise: .success(DaemonAnswer(status: status, body: Array(body.utf8))))
    }

    /// One failure, whatever is asked.
    static func failing(_ error: DaemonError) -> CannedTransport {
        CannedTransport(otherwise: .failure(error))
    }

    /// 200 and a body, to exactly one request.
    static func answering(_ route: APIRoute, query: String? = nil, _ body: String) -> CannedTransport {
        let answer = DaemonAnswer(status: 200, body: Array(body.utf8))
        return CannedTransport(answers: [DaemonRequest(route, query: query).target: .success(answer)])
    }

    /// 200 and a body for each of these questions about events, by `after` and `wait`; to any other, weftd is gone.
    static func events(_ batches: [(after: UInt64, wait: Int, body: String)]) -> CannedTransport {
        let answers = batches.map { batch in
            let target = "/v1/events?after=\(batch.after)&wait=\(batch.wait)"
            return (target, Result<_, DaemonError>.success(DaemonAnswer(status: 200, body: Array(batch.body.utf8))))
        }
        return CannedTransport(
            answers: Dictionary(uniqueKeysWithValues: answers),
            otherwise: .failure(.noSocket(socket))
        )
    }

    /// What was asked so far, in order; by all copies of this value.
    var asked: [DaemonRequest] { log.requests.withLock(\.self) }

    func exchange(_ request: DaemonRequest, at socket: SocketPath) async throws(DaemonError) -> DaemonAnswer {
        log.requests.withLock { $0.append(request) }
        let answer = answers[request.target] ?? otherwise
        return try (answer ?? .failure(.failedStatus(404, target: request.target))).get()
    }

    private final class Log: Sendable {
        let requests = Mutex<[DaemonRequest]>([])
    }
}

/// Keeps what commands that go on write, until nothing more can be written.
final class RecordedOutput: LiveOutput {
    private struct Content {
        var text = ""
        var notes = ""
        var writesLeft: Int
    }

    private let content: Mutex<Content>
    private let fault: OutputFault

    init(writes: Int = .max, then fault: OutputFault = .readerGone) {
        content = Mutex(Content(writesLeft: writes))
        self.fault = fault
    }

    var text: String { content.withLock(\.text) }
    var notes: String { content.withLock(\.notes) }

    func write(_ text: String) throws(OutputFault) {
        let isWritten = content.withLock { content in
            guard content.writesLeft > 0 else { return false }
            content.writesLeft -= 1
            content.text += text
            return true
        }
        guard isWritten else { throw fault }
    }

    func note(_ line: String) { content.withLock { $0.notes += line + "\n" } }
}

/// Runs a command line in a session, and returns all that it wrote, live or at its end.
func weft(
    _ arguments: [String],
    _ transport: CannedTransport,
    style: Style = .plain,
    isRoot: Bool = true,
    live: RecordedOutput = RecordedOutput(),
    input: String? = nil,
    files: [String: String] = [:]
) async -> CommandLineRun {
    let session = Session(
        transport: transport,
        firstLine: { input },
        readText: { path in
            guard let text = path.map({ files[$0] }) ?? input else {
                return .failure(InputFault(reason: "No such file or directory"))
            }
            return .success(text)
        },
        live: live,
        style: style,
        environment: [:],
        isRoot: isRoot
    )
    let run = await CommandLineRun.run(arguments, in: session)
    return CommandLineRun(output: live.text + run.output, errorOutput: live.notes + run.errorOutput, status: run.status)
}

/// Runs a command line of words without spaces in them.
func weft(
    _ line: String,
    _ transport: CannedTransport,
    live: RecordedOutput = RecordedOutput()
) async -> CommandLineRun {
    await weft(line.split(separator: " ").map(String.init), transport, live: live)
}

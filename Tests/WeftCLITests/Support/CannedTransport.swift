import WeftAPI

@testable import WeftCLI

/// Answers from a table instead of a socket.
struct CannedTransport: DaemonTransport {
    var answers: [DaemonRequest: Result<DaemonAnswer, DaemonError>] = [:]
    /// For a request that the table does not have.
    var otherwise: Result<DaemonAnswer, DaemonError>?

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
        return CannedTransport(answers: [DaemonRequest(route, query: query): .success(answer)])
    }

    func exchange(_ request: DaemonRequest, at socket: SocketPath) async throws(DaemonError) -> DaemonAnswer {
        let answer = answers[request] ?? otherwise
        return try (answer ?? .failure(.failedStatus(404, target: request.target))).get()
    }
}

extension DaemonRequest: Hashable {
    /// By what is asked for, which goes with `==`.
    public func hash(into hasher: inout Hasher) { hasher.combine(target) }
}

/// Runs a command line, as root and in plain style.
func weft(_ arguments: [String], _ transport: CannedTransport) async -> CommandLineRun {
    let session = Session(transport: transport, style: .plain, environment: [:], isRoot: true)
    return await CommandLineRun.run(arguments, in: session)
}

/// Runs a command line of words without spaces in them.
func weft(_ line: String, _ transport: CannedTransport) async -> CommandLineRun {
    await weft(line.split(separator: " ").map(String.init), transport)
}

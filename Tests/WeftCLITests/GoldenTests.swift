import Testing
import WeftAPI

@testable import WeftCLI

/// Every table and report, on ordinary and on odd hosts, as people see it.
@Suite struct GoldenTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let arguments: [String]
        let transport: CannedTransport
        var style = Style.plain
        var isRoot = true

        init(
            _ name: String,
            _ commandLine: String,
            _ transport: CannedTransport,
            style: Style = .plain,
            isRoot: Bool = true
        ) {
            self.name = name
            self.arguments = commandLine.split(separator: " ").map(String.init)
            self.transport = transport
            self.style = style
            self.isRoot = isRoot
        }

        var testDescription: String { name }
    }

    static let ascii60 = Style(hasColour: false, hasUnicode: false, columns: 60)
    static let terminal100 = Style(hasColour: false, hasUnicode: true, columns: 100)
    static let colour80 = Style(hasColour: true, hasUnicode: true, columns: 80)

    static let reports = [
        Case("status-good", "status", .answering(.status, Answers.statusGood)),
        Case("status-warning", "status", .answering(.status, Answers.statusWarning)),
        Case("status-failed", "status", .answering(.status, Answers.statusFailed)),
        Case("status-failed-ascii-60", "status", .answering(.status, Answers.statusFailed), style: ascii60),
        Case("status-failed-colour-80", "status", .answering(.status, Answers.statusFailed), style: colour80),
        Case("status-failed-json", "status -o json", .answering(.status, Answers.statusFailed)),
        Case("check-good", "check", .answering(.check, Answers.checkGood)),
        Case("check-warning", "check", .answering(.check, Answers.checkWarning)),
        Case("check-mixed", "check", .answering(.check, Answers.checkMixed)),
        Case("check-mixed-ascii-60", "check", .answering(.check, Answers.checkMixed), style: ascii60),
        Case("check-mixed-colour-80", "check", .answering(.check, Answers.checkMixed), style: colour80),
        Case("check-empty", "check", .answering(.check, "[]")),
        Case("on", "on", .answering(.captureOn, Answers.captureOn)),
        Case("on-failed", "on", .answering(.captureOn, Answers.captureFailed)),
        Case("off", "off", .answering(.captureOff, Answers.captureOff)),
        Case("off-refused", "off", .always(403, Answers.refusal)),
        Case("off-json", "off -o json", .answering(.captureOff, Answers.captureOff)),
        Case("version-same", "version", .answering(.version, #"{"version":"0.1.0"}"#)),
        Case("version-differs", "version", .answering(.version, #"{"version":"0.2.0"}"#)),
        Case("version-alone", "version", .failing(.timedOut(socket, target: "/v1/version", after: .seconds(10)))),
        Case("version-alone-json", "version -o json", .failing(.notListening(socket))),
    ]

    static let tables = [
        Case("services", "services", .answering(.services, Answers.services)),
        Case("services-100", "services", .answering(.services, Answers.services), style: terminal100),
        Case("services-ascii-60", "services", .answering(.services, Answers.services), style: ascii60),
        Case("services-colour-80", "services web", .answering(.services, Answers.services), style: colour80),
        Case("services-named-json", "services postgresql -o json", .answering(.services, Answers.services)),
        Case("services-named", "services web", .answering(.services, Answers.services)),
        Case("services-local", "services postgresql", .answering(.services, Answers.services)),
        Case("services-endpoints", "services --endpoints", .answering(.services, Answers.services), style: terminal100),
        Case("services-unknown", "services shop", .answering(.services, Answers.services)),
        Case("services-empty", "services", .answering(.services, "[]")),
        Case("services-empty-user", "services", .answering(.services, "[]"), style: ascii60, isRoot: false),
        Case("services-json", "services -o json", .answering(.services, Answers.servicesSimple)),
        Case("workloads", "workloads", .answering(.workloads, Answers.workloads)),
        Case("workloads-ascii-60", "workloads", .answering(.workloads, Answers.workloads), style: ascii60),
        Case("workloads-empty", "workloads", .answering(.workloads, "[]")),
        Case("connections", "connections", .answering(.connections, Answers.connections)),
        Case("connections-100", "connections", .answering(.connections, Answers.connections), style: terminal100),
        Case("connections-unit", "connections --unit web", .answering(.connections, Answers.connections)),
        Case("connections-none", "connections --unit web --service db", .answering(.connections, Answers.connections)),
        Case("connections-empty", "connections", .answering(.connections, "[]")),
        Case("connections-json", "connections -o json --service web", .answering(.connections, Answers.connections)),
        Case("decisions", "decisions", .answering(.decisions, query: "last=20", Answers.decisions)),
        Case(
            "decisions-100",
            "decisions --last 3",
            .answering(.decisions, query: "last=3", Answers.decisions),
            style: terminal100
        ),
        Case("decisions-empty", "decisions", .answering(.decisions, query: "last=20", "[]")),
    ]

    static let usage = [
        Case("help", "", .failing(.noSocket(socket))),
        Case("help-connections", "help connections", .failing(.noSocket(socket))),
        Case("help-peers", "help peers", .failing(.noSocket(socket))),
        Case("help-events", "events --help", .failing(.noSocket(socket))),
        Case("help-event", "help event", .failing(.noSocket(socket))),
        Case("help-gossip", "gossip", .failing(.noSocket(socket))),
        Case("help-keys", "gossip keys", .failing(.noSocket(socket))),
        Case("help-keys-install", "help gossip keys install", .failing(.noSocket(socket))),
        Case("help-join", "help join", .failing(.noSocket(socket))),
        Case("help-ca", "help ca", .failing(.noSocket(socket))),
        Case("help-ping", "help ping", .failing(.noSocket(socket))),
        Case("help-token", "token --help", .failing(.noSocket(socket))),
        Case("usage-state", "peers --state dead", .failing(.noSocket(socket))),
        Case("usage-join", "join", .failing(.noSocket(socket))),
        Case("usage-address", "join 10.0.0.300", .failing(.noSocket(socket))),
        Case("usage-token", "token --valid 1w", .failing(.noSocket(socket))),
        Case("usage-ping", "ping web -", .failing(.noSocket(socket))),
        Case("usage-events", "events --since-start --last 3", .failing(.noSocket(socket))),
        Case("usage-key", "gossip keys use c2hvcnQ=", .failing(.noSocket(socket))),
        Case("usage-command", "sevices", .failing(.noSocket(socket))),
        Case("usage-option", "status --colour", .failing(.noSocket(socket))),
        Case("usage-last", "decisions --last 5000", .failing(.noSocket(socket))),
        Case("usage-output", "status -o yaml", .failing(.noSocket(socket))),
    ]

    static let errors: [(String, DaemonError)] = [
        ("bad-path", .badSocketPath("", reason: "it is empty")), ("no-socket", .noSocket(socket)),
        ("not-listening", .notListening(socket)), ("not-permitted", .notPermitted(socket, uid: 1000)),
        ("busy", .busy(socket)), ("cannot-connect", .cannotConnect(socket, reason: "Too many open files")),
        ("timed-out", .timedOut(socket, target: "/v1/status", after: .seconds(10))),
        ("closed-unanswered", .closedUnanswered(socket)), ("truncated", .truncated(socket)),
        ("too-large", .tooLarge(target: "/v1/connections", limit: 64 << 20)),
        ("not-http", .notHTTP(socket, reason: "invalidConstant")),
        ("not-json", .notJSON(socket, beginning: "<html>")),
        ("unknown-form", .unknownForm(target: "/v1/status", detail: "field `node` is missing")),
        ("no-route", .failedStatus(404, target: "/v1/check")), ("failed", .failedStatus(500, target: "/v1/check")),
        ("restarted", .restarted(socket)), ("refused", .refused(code: "x", text: "No\u{1b}[2J.", next: "sudo weft on")),
    ]

    @Test("Reports look as in the golden files", arguments: reports)
    func report(_ example: Case) async throws { try await compare(example) }

    @Test("Lists look as in the golden files", arguments: tables)
    func list(_ example: Case) async throws { try await compare(example) }

    @Test("What is about other hosts looks as in the golden files", arguments: gossip)
    func mesh(_ example: Case) async throws { try await compare(example) }

    @Test("What is about identity looks as in the golden files", arguments: identity)
    func trust(_ example: Case) async throws { try await compare(example) }

    @Test("What is about requests looks as in the golden files", arguments: requests)
    func asked(_ example: Case) async throws { try await compare(example) }

    @Test("Help and usage errors look as in the golden files", arguments: usage)
    func help(_ example: Case) async throws { try await compare(example) }

    @Test("Each way of not getting an answer says what is wrong and what to type next", arguments: errors)
    func failure(_ name: String, _ error: DaemonError) async throws {
        try await compare(Case("error-\(name)", "status", .failing(error)))
    }

    @Test("No golden file is left over")
    func goldenFilesAreUsed() throws {
        let names =
            (Self.reports + Self.tables + Self.gossip + Self.identity + Self.requests + Self.usage).map(\.name)
            + Self.errors.map { "error-\($0.0)" }
        #expect(try goldenFiles() == names.map { "\($0).txt" }.sorted())
    }

    private func compare(_ example: Case) async throws {
        let run = await weft(example.arguments, example.transport, style: example.style, isRoot: example.isRoot)
        try expectGolden(run, example.name, commandLine: example.arguments)
    }
}

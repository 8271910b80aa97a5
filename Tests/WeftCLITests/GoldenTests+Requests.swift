import Testing
import WeftAPI

@testable import WeftCLI

/// Tables and reports about requests.
extension GoldenTests {
    static let requests = [
        Case("stat", "stat", .answering(.stat, Answers.stat)),
        Case("stat-colour-80", "stat api --from web", .answering(.stat, Answers.stat), style: colour80),
        Case("stat-ascii-60", "stat", .answering(.stat, Answers.stat), style: ascii60),
        Case("stat-none", "stat nothing", .answering(.stat, Answers.stat)),
        Case("decisions-requests", "decisions", .always(Answers.requestDecisions), style: terminal100),
        Case("decisions-one", "decisions 1f", .always("[\(Answers.failedRequest)]")),
        Case("decisions-forgotten", "decisions 2a", .always("[]")),
    ]
}

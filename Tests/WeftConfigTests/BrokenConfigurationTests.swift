import Testing
import WeftConfig

/// One mistake, with what has to be said about it.
struct Broken: Sendable, CustomTestStringConvertible {
    let text: String
    let line: Int
    let key: String
    let reason: String
    let remedy: String

    init(_ text: String, line: Int, key: String, reason: String, remedy: String) {
        self.text = text
        self.line = line
        self.key = key
        self.reason = reason
        self.remedy = remedy
    }

    var testDescription: String { text.count > 80 ? "\(text.prefix(80))…" : text }
}

struct BrokenConfigurationTests {
    @Test(arguments: Broken.syntax + Broken.structure)
    func `a file that is not shaped right is told with line and remedy`(broken: Broken) { check(broken) }

    @Test(arguments: Broken.kinds + Broken.durations + Broken.numbers + Broken.words + Broken.telemetry)
    func `a value that is not of its kind or range is told with line and remedy`(broken: Broken) { check(broken) }

    @Test(arguments: Broken.ports + Broken.addresses + Broken.units + Broken.users + Broken.gossip)
    func `a wrong list entry is told with line and remedy`(broken: Broken) { check(broken) }

    @Test(arguments: Broken.services + Broken.conflicts + Broken.security + Broken.policies)
    func `settings that contradict each other are told with line and remedy`(broken: Broken) { check(broken) }

    private func check(_ broken: Broken, sourceLocation: SourceLocation = #_sourceLocation) {
        let found = diagnostics(of: broken.text)
        #expect(found.count == 1, "\(found)", sourceLocation: sourceLocation)
        guard let first = found.first else { return }
        #expect(first.line == broken.line, "\(first)", sourceLocation: sourceLocation)
        #expect(first.key == broken.key, "\(first)", sourceLocation: sourceLocation)
        #expect(first.reason.contains(broken.reason), "\(first)", sourceLocation: sourceLocation)
        #expect(first.remedy.contains(broken.remedy), "\(first)", sourceLocation: sourceLocation)
    }
}

import Testing

/// Code that compiles and still has no place here, each with its reason and what to write instead.
@Suite struct BannedCodeTests {
    struct Ban: Sendable, CustomTestStringConvertible {
        let pattern: String
        /// Only in these targets; everywhere in Sources when nil.
        var targets: Set<String>?
        let reason: String

        var testDescription: String { pattern }
    }

    static let bans: [Ban] = [
        // Cores: the same events must give the same actions in a simulation.
        Ban(
            // A clock's, or of a type that is left out; not a value of somebody's who was told it.
            pattern: #"(\b[A-Z]\w*|[(:=,] ?)\.now\b"#,
            targets: DependencyTests.cores,
            reason: "a core is told the time: take an instant as an argument"
        ),
        Ban(
            pattern: #"\bDate\("#,
            targets: DependencyTests.cores,
            reason: "a core is told the time: take an instant as an argument"
        ),
        Ban(
            pattern: #"\.random\((?![^)]*using:)"#,
            targets: DependencyTests.cores,
            reason: "take a generator: random(in:using:)"
        ),
        Ban(
            pattern: #"\bshuffled\(\)|\bshuffle\(\)|\brandomElement\(\)"#,
            targets: DependencyTests.cores,
            reason: "take a generator: shuffled(using:)"
        ),
        Ban(
            pattern: #"\bTask *(\.detached *)?(\{|\()"#,
            targets: DependencyTests.cores,
            reason: "a core starts nothing: return an action"
        ),
        Ban(
            pattern: #"(^|[^.\w])print\("#,
            targets: DependencyTests.cores,
            reason: "a core says nothing: return a value or throw"
        ),
        // Everywhere.
        Ban(
            pattern: #"^ *(\w+ )?import Foundation\b"#,
            reason: "full Foundation brings 40 MB of ICU: import FoundationEssentials"
        ),
        Ban(pattern: #"\btry!"#, reason: "a failure has to be handled or passed on: try"),
        Ban(pattern: #"\bas!"#, reason: "a wrong type is an error to tell, not a crash: as?"),
        Ban(pattern: #"nonisolated\(unsafe\)"#, reason: "use a Mutex, an Atomic, or confine it to an event loop"),
        Ban(pattern: #"\bdebugPrint\("#, reason: "debugging output does not ship"),
    ]

    @Test(arguments: bans)
    func isNowhere(_ ban: Ban) throws {
        let expression = try Regex(ban.pattern)
        for file in try Repository.swiftFiles(in: "Sources") {
            let target = String(file.path.split(separator: "/")[1])
            guard ban.targets?.contains(target) ?? true else { continue }
            for (number, line) in SourceText(file.text).lines.enumerated() where line.contains(expression) {
                Issue.record("\(file.path):\(number + 1): \(line.trimmed): \(ban.reason)")
            }
        }
    }

    /// `@unchecked Sendable` has a comment before it that names what protects the value.
    @Test func everyUncheckedSendableSaysWhatProtectsIt() throws {
        for file in try Repository.swiftFiles(in: "Sources") {
            let code = SourceText(file.text).lines
            for (number, line) in code.enumerated() where line.contains("@unchecked Sendable") {
                let before = number > 0 ? file.lines[number - 1].trimmed : ""
                #expect(
                    before.hasPrefix("//") || file.lines[number].contains("//"),
                    "\(file.path):\(number + 1): say in the line above what protects it"
                )
            }
        }
    }

    @Test func noWorkIsLeftForLater() throws {
        let expression = /\b(TODO|FIXME|XXX|HACK)\b/
        for file in try Repository.swiftFiles(in: "Sources") + Repository.swiftFiles(in: "Tests")
        where file.path != "Tests/RepositoryTests/BannedCodeTests.swift" {
            for (number, line) in file.lines.enumerated() where line.contains(expression) {
                Issue.record("\(file.path):\(number + 1): \(line.trimmed)")
            }
        }
    }

    /// What these tests are blind to, they would let through.
    @Test func theScannerSeesCodeAndNothingElse() {
        let text = #"""
            let a = "try! \" nonisolated(unsafe)" // try!
            /* try!
               try! */ let b = 1
            let c = try! f()
            """#
        #expect(SourceText(text).lines == [#"let a = "" "#, "", " let b = 1", "let c = try! f()"])
    }
}

extension StringProtocol {
    var trimmed: String { String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) }
}

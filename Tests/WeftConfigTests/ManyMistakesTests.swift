import Testing
import WeftConfig

struct ManyMistakesTests {
    @Test func `all mistakes of a file are told at once, in the order of their lines`() {
        let text = #"""
            [proxy]
            connect-timeout = "fast"
            loop = 4

            [service.sshd]
            protocol = "telnet"

            [capture]
            scope = "some"
            fail = "closed"

            [capture.exclude]
            ports = [
                80,    # fine
                0,
                "9-1", "x",
            ]
            units = ["backup", ""]

            [mirrors]
            """#
        let found = diagnostics(of: text)
        #expect(
            found.map { "\($0.line) \($0.key)" } == [
                "2 proxy.connect-timeout", "3 proxy.loop", "5 service.sshd", "6 service.sshd.protocol",
                "9 capture.scope", "10 capture.fail", "15 capture.exclude.ports", "16 capture.exclude.ports",
                "16 capture.exclude.ports", "18 capture.exclude.units", "18 capture.exclude.units", "20 mirrors",
            ]
        )
        #expect(found == diagnostics(of: text))
    }

    @Test func `a wrong entry of fail-users is told once and not as a missing list`() {
        let found = diagnostics(of: "[capture]\nfail = \"closed\"\nfail-users = [\"\"]")
        #expect(found.map(\.line) == [3])
    }

    @Test func `a wrong fail says nothing about fail-users`() {
        let found = diagnostics(of: "[capture]\nfail = \"shut\"\nfail-users = [\"billing\"]")
        #expect(found.map(\.key) == ["capture.fail"])
    }

    @Test func `of very many mistakes the first hundred are told and all are counted`() {
        let found = diagnostics(of: (1...5000).map { "key-\($0) = 0\n" }.joined())
        #expect(found.count == ConfigurationLoader.diagnosticsMax + 1)
        #expect(found.first?.line == 0)
        #expect(found.first?.reason.contains("5000 mistakes") == true)
        #expect(found.dropFirst().map(\.line) == Array(1...100))
    }

    @Test func `a diagnostic is one line with place, key, reason and remedy`() {
        let found = diagnostics(of: "[node]\nname = \"a\\u001b[31m\\nb\\u202e\"")
        #expect(
            found.map(\.description) == [
                #"line 2: node.name: "a\u{1b}[31m\nb\u{202e}" cannot be a node's name; "#
                    + "write 1 to 63 letters, digits and hyphens, with no hyphen at either end, such as \"db-1\""
            ]
        )
    }

    @Test func `values and keys are shortened when they are very long`() {
        let long = String(repeating: "x", count: 100_000)
        for text in [
            "[log]\nlevel = \"\(long)\"", "[log]\n\(long) = 1", "[service.\(long)]", "[log]\n\"\(long) y\" = 1",
        ] {
            for diagnostic in diagnostics(of: text) {
                #expect(diagnostic.description.utf8.count < 600)
            }
        }
    }

    @Test(
        arguments: [
            ([0xff], 1, "0xff at offset 0"),
            (Array("[log]\nlevel = \"".utf8) + [0xc3, 0x28], 2, "0xc3 at offset 15"),
            (Array("# caf\u{e9}\n#\n#".utf8) + [0xe2, 0x82], 3, "0xe2 at offset 11"),
            ([0xed, 0xa0, 0x80], 1, "0xed at offset 0"),
        ] as [([UInt8], Int, String)]
    )
    func `bytes that are not UTF-8 are told with their line`(bytes: [UInt8], line: Int, reason: String) {
        #expect {
            try ConfigurationLoader.load(bytes: bytes)
        } throws: { error in
            guard let error = error as? ConfigurationError, let first = error.diagnostics.first else { return false }
            return error.diagnostics.count == 1 && first.line == line && first.reason.contains(reason)
                && first.remedy.contains("UTF-8")
        }
    }
}

import Testing
import WeftConfig

/// Whatever the bytes are: an answer, and one that a person can use.
struct RobustnessTests {
    @Test func `every beginning of a file is read or refused`() throws {
        let sample = try SampleFile()
        let settings = sample.withDefaults.split(separator: "\n").filter { !$0.hasPrefix("#") }.joined(separator: "\n")
        for text in [settings, sample.withExamples] {
            let bytes = Array(text.utf8)
            for count in 0...bytes.count { check(Array(bytes[..<count])) }
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a file with random changes is read or refused`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let original = Array(try SampleFile().withExamples.utf8)
        for _ in 0..<100 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...8, using: &random) { mutate(&bytes, &random) }
            check(bytes)
        }
    }

    @Test(arguments: [
        "[", "{", "a=[", "a={b=", "[[", "a.", "\"", "'''", "\"\"\"", "[a]\n[[a]]\n", "[[a]]\n", "=", ",", "]", "}",
        "\\", "#",
        "a=[{", "a=1\n", "\r", "\u{feff}", "a=\"\\u",
    ])
    func `a file of one thing repeated is read or refused`(unit: String) {
        let repeated = Array(String(repeating: unit, count: 40_000 / unit.utf8.count).utf8)
        check(repeated)
        check(Array("[capture.exclude]\nports = [".utf8) + repeated)
    }

    /// Each of these ended the process once, in TOMLKit.
    @Test(arguments: [
        "[=]", "[ .a]", "[[\n]]", "a = [}", "a = [1, }", "a = [\u{2028}]", "a = 2024-01-01 0\n", "a = [2024-01-01 0]",
        "a = 2024-01-01T:", "a = 1:t-", "[log]\n\"a\\u0000b\" = 1",
    ])
    func `a file that once ended the process is refused`(text: String) {
        #expect(!diagnostics(of: text).isEmpty)
        check(Array(text.utf8))
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `words of the language in random order are read or refused`(seed: UInt64) throws {
        let openings = [
            "", "x = ", "x = [", "x = [1, ", "x = {a=", "[a]\nb.c = ", "[[t]]\n[[t]]\n[t.", "x = \"", "x = \"\"\"",
            "x = '''", "a.b=1\na.", "[x]\n[x.y]\n", "x = [{a=1},\n", "[",
        ]
        let words = [
            "[", "]", "[[", "]]", "{", "}", "=", ",", ".", "\n", "\r\n", " ", "\t", "#", "\"", "'", "\"\"\"", "'''",
            "\\",
            "\\u0041", "\\u0000", "\\U0010ffff", "ports", "[capture]", "1", "0x1f", "0b2", "1.5", "1e5", "-", "+", "_",
            "inf", "nan", "true", "false", "2024-01-01", "07:30:00", "T", "Z", ":", "\u{e9}", "\u{2028}", "\u{85}",
            "\u{a0}", "\u{feff}", "\u{0}", "\u{1}", "\u{7f}", "\u{10ffff}", "1_000", "1__0", "99999999999999999999",
            "\u{b}", "\u{c}", "x = ", "y = [", "z = { q = ",
        ]
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            var text = openings[Int.random(in: 0..<openings.count, using: &random)]
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                text += words[Int.random(in: 0..<words.count, using: &random)]
            }
            check(Array(text.utf8))
        }
    }

    private func check(_ bytes: [UInt8]) {
        do throws(ConfigurationError) {
            _ = try ConfigurationLoader.load(bytes: bytes)
        } catch {
            let lines = bytes.count { $0 == UInt8(ascii: "\n") } + 1
            for diagnostic in error.diagnostics {
                #expect((0...lines).contains(diagnostic.line), "\(diagnostic)")
                #expect(!diagnostic.reason.isEmpty && !diagnostic.remedy.isEmpty, "\(diagnostic)")
                #expect(diagnostic.description.utf8.count < 1000, "\(diagnostic)")
            }
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        let position = Int.random(in: 0..<bytes.count, using: &random)
        let special = Array("\n\"'[]{}=.,#\\\0\u{e9}- 0u".utf8)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[position] = special[Int.random(in: 0..<special.count, using: &random)]
        case 2: bytes.insert(special[Int.random(in: 0..<special.count, using: &random)], at: position)
        case 3: bytes.removeSubrange(position..<min(bytes.count, position + Int.random(in: 1...20, using: &random)))
        default:
            let end = min(bytes.count, position + Int.random(in: 1...40, using: &random))
            bytes.insert(contentsOf: bytes[position..<end], at: Int.random(in: 0..<bytes.count, using: &random))
        }
        if bytes.isEmpty { bytes = [UInt8(ascii: "\n")] }
    }
}

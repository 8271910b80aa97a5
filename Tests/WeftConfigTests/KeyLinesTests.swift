import Testing
import WeftConfig

struct KeyLinesTests {
    typealias Step = KeyLines.Step

    @Test func `keys of tables, dotted keys and quoted keys have the line where they begin`() {
        let lines = KeyLines(
            #"""
            a = 1 # = 2
            [t]          # [x]

            b.c = "x"
            "q \"r\" \u0041".'s.u' = 'C:\'
            [ t . v ]
            w = -1.5e-3
            """#
        )
        #expect(lines.line(of: [.key("a")]) == 1)
        #expect(lines.line(of: [.key("t")]) == 2)
        #expect(lines.line(of: [.key("t"), .key("b")]) == 4)
        #expect(lines.line(of: [.key("t"), .key("b"), .key("c")]) == 4)
        #expect(lines.line(of: [.key("t"), .key("q \"r\" A"), .key("s.u")]) == 5)
        #expect(lines.line(of: [.key("t"), .key("v")]) == 6)
        #expect(lines.line(of: [.key("t"), .key("v"), .key("w")]) == 7)
    }

    @Test func `strings over several lines are no keys`() {
        let lines = KeyLines(
            #"""
            a = """
            b = 1 \
            [c] \""" # d
            """""
            e = '''
            f = "
            ''''
            g = "#[\\"
            h = 1
            """#
        )
        #expect(lines.line(of: [.key("e")]) == 5)
        #expect(lines.line(of: [.key("g")]) == 8)
        #expect(lines.line(of: [.key("h")]) == 9)
        for absent in ["b", "c", "d", "f"] { #expect(lines.line(of: [.key(absent)]) == 1) }
    }

    @Test func `list entries and inline tables have lines of their own`() {
        let lines = KeyLines(
            #"""
            list = [ 1, # ]
              "]", [
                2,
                { x = 1, y = [ 3,
                   4 ] },
              ],
              5 ]
            after = { p.q = 1, r = { s = "}" } }
            """#
        )
        let list = Step.key("list")
        #expect(lines.line(of: [list, .index(0)]) == 1)
        #expect(lines.line(of: [list, .index(1)]) == 2)
        #expect(lines.line(of: [list, .index(2)]) == 2)
        #expect(lines.line(of: [list, .index(2), .index(0)]) == 3)
        #expect(lines.line(of: [list, .index(2), .index(1), .key("y")]) == 4)
        #expect(lines.line(of: [list, .index(2), .index(1), .key("y"), .index(1)]) == 5)
        #expect(lines.line(of: [list, .index(3)]) == 7)
        #expect(lines.line(of: [.key("after"), .key("r"), .key("s")]) == 8)
    }

    @Test func `tables in a list are told apart`() {
        let lines = KeyLines("[[t]]\na = 1\n[t.sub]\nb = 1\n[[t]]\n[[t.u]]\n[[t.u]]\na = 2\n[t.sub]\nb = 2")
        let t = Step.key("t")
        #expect(lines.line(of: [t]) == 1)
        #expect(lines.line(of: [t, .index(0), .key("a")]) == 2)
        #expect(lines.line(of: [t, .index(0), .key("sub"), .key("b")]) == 4)
        #expect(lines.line(of: [t, .index(1)]) == 5)
        #expect(lines.line(of: [t, .index(1), .key("u"), .index(0)]) == 6)
        #expect(lines.line(of: [t, .index(1), .key("u"), .index(1), .key("a")]) == 8)
        #expect(lines.line(of: [t, .index(1), .key("sub"), .key("b")]) == 10)
    }

    @Test func `a path that the text does not have gets the line of what is around it`() {
        let lines = KeyLines("\n[a]\nb = 1")
        #expect(lines.line(of: [.key("a"), .key("b"), .key("c"), .index(4)]) == 3)
        #expect(lines.line(of: [.key("a"), .key("z")]) == 2)
        #expect(lines.line(of: [.key("z")]) == 1)
    }

    @Test(
        arguments: [
            ("a = 1\nb.c = [[[[1]]]]", nil),
            ("\n" + String(repeating: "a.", count: 15) + "a = 1", nil),
            ("\n" + String(repeating: "a.", count: 16) + "a = 1", .nesting(line: 2)),
            ("[" + String(repeating: "a.", count: 16) + "a]", .nesting(line: 1)),
            ("a = " + String(repeating: "[\n", count: 20), .nesting(line: 17)),
            ("a = " + String(repeating: "{a=", count: 20), .nesting(line: 1)),
            ("a = 1\n[=]", .header(line: 2)), ("[[ .a]]", .header(line: 1)), ("[", nil), ("[]", nil), ("[ 'a']", nil),
            ("a = [}", .listEntry(line: 1)), ("a = [1, # x\n\u{2028}", .listEntry(line: 2)), ("a = {}", nil),
            ("a = 1979-05-27", .moment(line: 1)), ("a = [\n2024-01-01 0]", .moment(line: 2)),
            ("a = 07:32", .moment(line: 1)),
            ("a = [1e-5, 1E-5, -1, 1, +2] # 1-2 3:4", nil), ("a = \"1-2\"", nil),
            ("a = 1\nb = '\u{0}'", .nul(line: 2)),
            ("a = \"\\u0000\"", .nul(line: 1)),
            ("a = \"\"\"\n\\U00000000\"\"\"", .nul(line: 2)),
            ("a = '\\u0000'\nb = \"\\\\u0000\"", nil),
        ] as [(String, KeyLines.Hazard?)]
    )
    func `what must not reach the parser is found`(text: String, hazard: KeyLines.Hazard?) {
        #expect(KeyLines(text).hazard == hazard)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `every key of a generated text has the line on which it was written`(seed: UInt64) {
        var generator = TOMLGenerator(seed: seed)
        generator.writeFile()
        let lines = KeyLines(generator.text)
        #expect(lines.hazard == nil)
        for (path, line) in generator.written {
            #expect(lines.line(of: path) == line, "\(path) in\n\(generator.text)")
        }
        let rejected = diagnostics(of: generator.text).filter { $0.reason.hasPrefix("this is not TOML") }
        #expect(rejected.isEmpty, "\(rejected) in\n\(generator.text)")
    }
}

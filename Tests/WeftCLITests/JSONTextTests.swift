import Testing

@testable import WeftCLI

@Suite struct JSONTextTests {
    @Test(
        "Names are sorted, nesting is indented, numbers and strings stay as they are",
        arguments: [
            ("{}", "{}\n"), (" [ ] \r\n", "[]\n"), ("-1.50E+3", "-1.50E+3\n"),
            (#""a\"\u0041/\/""#, #""a\"\u0041/\/""# + "\n"),
            (
                #"{"b":[1,{"z":null,"a":true}],"a":"ü"}"#,
                "{\n  \"a\": \"ü\",\n  \"b\": [\n    1,\n    {\n      \"a\": true,\n      \"z\": null\n    }\n  ]\n}\n"
            ),
            ("18446744073709551615", "18446744073709551615\n"),
            ("0.1000000000000000000001", "0.1000000000000000000001\n"),
        ]
    )
    func rendering(_ text: String, _ expected: String) throws {
        #expect(try JSONText(Array(text.utf8)).rendered() == expected)
    }

    @Test("A line has no spaces but those in strings, and its names are sorted")
    func line() throws {
        let text = try JSONText(Array(#" { "b" : [ 1.50 , { } , [ ] ] , "a" : "x y" } "#.utf8))
        #expect(text.renderedLine() == #"{"a":"x y","b":[1.50,{},[]]}"# + "\n")
        #expect(text.elements(of: "b").map { $0.renderedLine() } == ["1.50\n", "{}\n", "[]\n"])
        #expect(text.elements(of: "a").isEmpty)
        #expect(text.elements(of: "c").isEmpty)
        #expect(try JSONText(Array("[1]".utf8)).elements(of: "b").isEmpty)
    }

    @Test(
        "Rendering what was rendered changes nothing",
        arguments: [Answers.statusFailed, Answers.services, Answers.connections, Answers.checkMixed]
    )
    func idempotence(_ text: String) throws {
        let once = try JSONText(Array(text.utf8)).rendered()
        #expect(try JSONText(Array(once.utf8)).rendered() == once)
    }

    @Test(
        "What is not JSON is refused where it goes wrong",
        arguments: [
            ("", .unfinished), ("[", .unfinished), ("[1", .unfinished), (#"{"a""#, .unfinished),
            (#""abc"#, .unfinished),
            (#""a\"#, .unfinished), ("[1 2]", .unexpected(at: 3)), ("[,]", .unexpected(at: 1)),
            ("[1,]", .unexpected(at: 3)), ("{1:2}", .unexpected(at: 1)), (#"{"a" 1}"#, .unexpected(at: 5)),
            ("nul", .unexpected(at: 0)), ("inf", .unexpected(at: 0)), ("0x10", .unexpected(at: 1)),
            ("1-2", .unexpected(at: 0)), ("truetrue", .unexpected(at: 4)), ("1 1", .unexpected(at: 2)),
            ("\"a\nb\"", .unexpected(at: 2)), (String(repeating: "[", count: 65), .tooDeep),
        ] as [(String, JSONText.Fault)]
    )
    func refusals(_ text: String, _ fault: JSONText.Fault) {
        #expect(throws: fault) { try JSONText(Array(text.utf8)) }
    }

    @Test("No beginning of a text is taken for the whole, and none crashes")
    func truncation() {
        let bytes = Array(Answers.connections.utf8)
        for length in bytes.indices {
            #expect(throws: JSONText.Fault.self) { try JSONText(Array(bytes.prefix(length))) }
        }
    }
}
